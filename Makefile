# Everything runs in a virtual environment of its own; the first target that needs it makes it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JS := clients/js
JS_STAMP := $(JS)/node_modules/.package-lock.json

.PHONY: demo test check js bench fmt clean

demo: $(STAMP)
	$(BIN)/ordercast demo $(ARGS)

test: check
	$(BIN)/pytest -n auto $(ARGS)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory js; \
	else echo "no npm here: the TypeScript client in $(JS) was not tested"; fi

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m schemas.export --check

# The TypeScript client, against a hub of the virtual environment. Needs Node 20; nothing else does.
js: $(STAMP) $(JS_STAMP)
	cd $(JS) && npm run --silent check && npm run --silent build && npm run --silent test

bench: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m bench all --targets all $(ARGS)

fmt: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .ordercast .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf $(JS)/node_modules $(JS)/dist

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(JS_STAMP): $(JS)/package-lock.json
	cd $(JS) && npm ci
	touch $@
