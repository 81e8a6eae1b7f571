# Everything runs in a virtual environment of its own; the first target that needs it makes it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# Many tests wait for something: two workers for each core are done in two thirds of the time of one.
WORKERS = $(shell $(PYTHON) -c 'import os; print(2 * os.cpu_count())')
RUN := $(VENV)/.installed
DEV := $(VENV)/.dev
JS := clients/js
JS_STAMP := $(JS)/node_modules/.package-lock.json
PAGES := hub/pages/track.html
NPM := $(shell command -v npm)
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: venv demo test check js pages pages-test wheel bench fmt clean

# What it needs to run and what the pages are built with come side by side: half the time is waiting.
demo:
	@$(MAKE) --no-print-directory --keep-going --jobs 2 $(RUN) pages || echo "the web pages are not built; the demo runs without"
	@$(MAKE) --no-print-directory $(RUN)
	$(BIN)/ordercast demo $(ARGS)

venv: $(RUN)

test: check
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)
	@if [ -n "$(NPM)" ]; then $(MAKE) --no-print-directory js; \
	else echo "no npm here: the TypeScript client in $(JS) was not tested"; fi
	@if [ -n "$(NPM)" -a -n "$(CHROMIUM)" ]; then $(MAKE) --no-print-directory pages-test; \
	else echo "no npm or no Chromium here: the web pages were not tested"; fi

check: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m schemas.export --check

# The TypeScript client, against a hub of the virtual environment. Needs Node 20; nothing else does.
js: $(DEV) $(JS_STAMP)
	cd $(JS) && npm run --silent check && npm run --silent build && npm run --silent test

# The web pages, into the Python package. Without npm the hub says 404 in their place.
ifneq ($(NPM),)
pages: $(PAGES)
else
pages:
	@echo "no npm here: the web pages are not built"
endif

$(PAGES): $(JS_STAMP) $(JS)/vite.config.ts $(shell find $(JS)/pages $(JS)/src -type f) schemas/exported/asyncapi.json
	cd $(JS) && npm run --silent build:pages -- --logLevel error

# In a real Chromium, against a real hub. CHROMIUM=/path names another than the one on the path.
pages-test: $(VENV)/.pages pages
	CHROMIUM=$(CHROMIUM) $(BIN)/pytest -n auto --dist worksteal tests/pages $(ARGS)

$(VENV)/.pages: $(DEV)
	$(PIP) --editable '.[pages]'
	touch $@

wheel: $(RUN) pages
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

bench: $(DEV)
	$(PIP) --editable '.[bench]'
	$(BIN)/python -m bench all --targets all $(ARGS)

fmt: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .ordercast .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf $(JS)/node_modules $(JS)/dist hub/pages dist

$(RUN): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(DEV): pyproject.toml $(RUN)
	$(PIP) --editable '.[dev]'
	touch $@

$(JS_STAMP): $(JS)/package-lock.json
	cd $(JS) && npm ci
	touch $@
