"""The warehouse as the programs compose it."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from deltalake import DeltaTable

from hub.demo.children import running
from hub.services.tokens import Tokens
from schemas.lifecycle import Role
from tests.hub.harness import SECRET, advance, place

_AUDIT_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
_KEY = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "any"}


async def filled(root: Path, **wanted: int) -> None:
    """Until each table has so many rows, or more. To look costs a process a good deal."""
    for name, rows in wanted.items():
        table = str(root / name)
        while not DeltaTable.is_deltatable(table) or DeltaTable(table).count() < rows:  # noqa: ASYNC110
            await asyncio.sleep(0.25)


@pytest.mark.timeout(120)
async def test_up_writes_what_happens(short_dir: Path) -> None:
    """Events, orders and operations, with nothing set but where to."""
    root = short_dir / "warehouse"
    options = ("--warehouse", str(root), "--warehouse-interval", "100ms", "--secret", SECRET)
    arguments = ("up", "--port", "0", "--data-dir", str(short_dir / "data"), *options)
    bearer = Tokens(SECRET).issue(Role.PLATFORM, ttl=600)
    async with (
        running(short_dir / "log", *arguments) as hub,
        httpx2.AsyncClient(
            base_url=hub.url, headers={"Authorization": f"Bearer {bearer}"}, timeout=15
        ) as platform,
    ):
        order = await place(platform)
        await advance(platform, order, "CANCELLED")
        await filled(root, events=2, orders=1, operations=2)


def started(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A worker that ends at once; modules in the directory come before others."""
    common = ("--data-dir", str(directory), "--audit-key", _AUDIT_KEY)
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "worker", *common, *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, "PYTHONPATH": str(directory)},
    )


def test_a_key_set_alone_makes_no_pseudonyms(short_dir: Path) -> None:
    """One line, exit status 3."""
    keys = short_dir / "jwks.json"
    keys.write_text(json.dumps({"keys": [{**_KEY, "x": "A" * 43}]}))
    ended = started(short_dir, "--jwks", str(keys), "--warehouse", str(short_dir / "w"))
    assert 3 == ended.returncode
    assert [
        "ordercast: ORDERCAST_WAREHOUSE: needs ORDERCAST_SECRET, to make pseudonyms by"
    ] == ended.stderr.splitlines()[-1:]


def test_without_the_extra_it_says_what_to_install(short_dir: Path) -> None:
    """One line, exit status 3: the packages are hidden from the process."""
    hidden = short_dir / "sitecustomize.py"
    hidden.write_text("import sys\nsys.modules['deltalake'] = None\n")
    ended = started(short_dir, "--secret", SECRET, "--warehouse", str(short_dir / "w"))
    assert 3 == ended.returncode
    assert ended.stderr.splitlines()[-1].endswith(
        "needs deltalake; pip install 'ordercast[warehouse]'"
    )
