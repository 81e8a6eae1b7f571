"""A module imports only from its own floor or below; the ground floors do no I/O."""

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "hub", "clients")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "node_modules" not in path.parts
}

FLOORS = {
    # The longest prefix that fits decides.
    "schemas": 0,
    "hub": 1,
    "hub.settings": 2,
    "hub.services": 3,
    "hub.core": 1,
    "hub.eta": 1,
    "hub.store": 2,
    "hub.transports": 4,
    "hub.bridge": 4,
    "hub.worker": 4,
    "hub.app": 5,
    "hub.cli": 5,
    "hub.commands": 5,
    "hub.duties": 5,
    "hub.server": 5,
    "hub.programs": 5,
    "hub.demo": 5,
    # What registers an endpoint asks the same guard as what calls it.
    "hub.bridge.addresses": 3,
    "hub.bridge.resolver": 3,
}
CLIENTS = "clients"

PURE = (
    "schemas", "hub.core", "hub.errors", "hub.eta.conformal", "hub.eta.estimator",
    "hub.eta.features", "hub.eta.forecast", "hub.eta.forest", "hub.eta.history", "hub.eta.learner",
    "hub.eta.replay", "hub.eta.ridge", "hub.eta.road", "hub.eta.scores",
)  # fmt: skip
IO = {
    "aiohttp", "anyio", "asyncio", "hiredis", "http", "httpx2", "logging", "multiprocessing",
    "os", "picows", "prometheus_client", "random", "redis", "secrets", "select", "selectors",
    "shutil", "signal", "socket", "ssl", "starlette", "structlog", "subprocess", "tempfile",
    "threading", "time", "urllib", "uvicorn", "uvloop", "websockets",
}  # fmt: skip
THE_EXPORTER = "schemas.export"


def floor(module: str) -> int:
    fitting = [name for name in FLOORS if module == name or module.startswith(f"{name}.")]
    return FLOORS[max(fitting, key=len)]


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(module: str) -> set[str]:
    return {name for name in imports(MODULES[module]) if name in MODULES}


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("clients")])
def test_nothing_imports_from_above(module: str) -> None:
    """The floors of the house hold in every import."""
    above = {
        name
        for name in ours(module)
        if (name.startswith(CLIENTS) and not module.startswith("hub.demo"))
        or (not name.startswith(CLIENTS) and floor(name) > floor(module))
    }
    assert set() == above


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("clients")])
def test_clients_know_the_contract_only(module: str) -> None:
    """A client imports from schemas and from the other clients, never from the hub."""
    assert set() == {name for name in ours(module) if name.startswith("hub")}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith(PURE)])
def test_the_ground_floors_do_no_io(module: str) -> None:
    """Time, chance and sockets come in as values: no import brings them."""
    roots = {name.split(".")[0] for name in imports(MODULES[module])}
    assert set() == (roots & IO if module != THE_EXPORTER else roots & IO - {"os"})


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_they_offer(module: str) -> None:
    """Each has `__all__`, sorted out by hand or tool, and every name in it exists."""
    text = MODULES[module].read_text(encoding="utf-8")
    if MODULES[module].name == "__init__.py" and "import" not in text:
        return
    loaded = sys.modules.get(module) or import_module(module)
    assert [] == [name for name in loaded.__all__ if not hasattr(loaded, name)]


def test_every_floor_is_lived_on() -> None:
    """A row of the table that fits no module is a mistake in the table."""
    used = {
        max((f for f in FLOORS if m == f or m.startswith(f"{f}.")), key=len)
        for m in MODULES
        if not m.startswith(CLIENTS)
    }
    assert set(FLOORS) == used
