"""`ordercast verify` and `ordercast audit`, as a person or a script uses them."""

import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import cli
from hub.core.audit.heads import PublicKey
from hub.errors import StartError
from hub.settings import Settings
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.worker.keys import load_keys
from tests.core.proving import KEY, OTHER, Ledger, events_of
from tests.hub.harness import RunningHub, hubs
from tests.worker.auditing import Auditors, finished

PEM = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g
-----END PRIVATE KEY-----
"""


def ordercast(*words: str | Path, **options: Any) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], **options)


def ledger_of() -> Ledger:
    ledger = Ledger()
    for number in (1, 2):
        ledger.add(*events_of(f"ord_{number}"))
        ledger.sign()
    return ledger


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """`proof`, `changed`, `witness` and `keys`, of a log of two heads."""
    ledger = ledger_of()
    proof = ledger.proof(events_of("ord_1"))
    (tmp_path / "proof").write_text(json.dumps(proof))
    proof["events"][1]["status"] = "CANCELLED"
    (tmp_path / "changed").write_text(json.dumps(proof))
    (tmp_path / "witness").write_text("".join(json.dumps(each) + "\n" for each in ledger.heads))
    key = {"keyId": KEY.public.id, "publicKey": KEY.public.text, "since": 1}
    (tmp_path / "keys").write_text(json.dumps({"log": ledger.log, "keys": [key]}))
    (tmp_path / "key").write_text(KEY.public.text + "\n")
    return tmp_path


def test_it_holds(files: Path) -> None:
    """By the key, a file with it, or what the hub said of its keys; from a file or a pipe."""
    for key in (KEY.public.text, files / "key", files / "keys"):
        result = ordercast("verify", files / "proof", "--key", key)
        assert (result.exit_code, result.output) == (0, "holds: ord_1, 5 events\n")
    piped = ordercast("verify", "-", "--key", KEY.public.text, input=(files / "proof").read_text())
    assert piped.exit_code == 0
    seen = ordercast(
        "verify", files / "proof", "--key", files / "key", "--witness", files / "witness"
    )
    assert seen.exit_code == 0


def test_it_does_not_hold(files: Path) -> None:
    """Exit status 1, and the reason."""
    result = ordercast("verify", files / "changed", "--key", files / "key")
    assert (result.exit_code, result.stdout) == (1, "")
    reason = "changed_event: event 2 does not have the hash of its content"
    assert result.stderr == f"does not hold\n  {reason}\n"


def test_as_json(files: Path) -> None:
    result = ordercast("verify", files / "changed", "--key", files / "key", "--json")
    assert result.exit_code == 1
    text = "event 2 does not have the hash of its content"
    assert json.loads(result.stdout) == {
        "holds": False,
        "orderId": "ord_1",
        "events": 5,
        "faults": [{"code": "changed_event", "detail": text, "seq": 2}],
        "notes": [],
    }


def test_the_keys_log_must_be_the_proofs(files: Path) -> None:
    keys = json.loads((files / "keys").read_text())
    (files / "keys").write_text(json.dumps({**keys, "log": "f" * 32}))
    result = ordercast("verify", files / "proof", "--key", files / "keys")
    assert (result.exit_code, "other_log" in result.stderr) == (1, True)


def test_another_key(files: Path) -> None:
    result = ordercast("verify", files / "proof", "--key", OTHER.public.text)
    assert (result.exit_code, "wrong_key" in result.stderr) == (1, True)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"text"', "\xff", "[" * 100_000])
def test_a_file_that_is_no_proof(tmp_path: Path, text: str) -> None:
    path = tmp_path / "proof"
    path.write_bytes(text.encode("latin-1"))
    result = ordercast("verify", path, "--key", KEY.public.text)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


def test_a_name_that_is_there_twice(files: Path) -> None:
    """Readers that take the first, and not the last, would see what nothing vouches for."""
    text = (files / "proof").read_text()
    told = '"status": "CONFIRMED"'
    (files / "proof").write_text(text.replace(told, f'"status": "CANCELLED", {told}', 1))
    result = ordercast("verify", files / "proof", "--key", files / "key")
    assert (result.exit_code, "status is there twice" in result.stderr) == (1, True)


def test_erased_contents_may_be_allowed(files: Path) -> None:
    proof = json.loads((files / "proof").read_text())
    del proof["events"][1]["reason"]
    proof["events"][1]["erased"] = True
    (files / "proof").write_text(json.dumps(proof))
    words = ("verify", files / "proof", "--key", files / "key")
    assert (ordercast(*words).exit_code, ordercast(*words, "--allow-erased").exit_code) == (1, 0)


def test_wrong_words(files: Path) -> None:
    """Exit status 2, as for every command line that is wrong."""
    for words in (
        ("verify", files / "proof"),
        ("verify", files / "proof", "--key", "nonsense"),
        ("verify", files / "proof", "--key", files / "proof"),
        ("verify", files / "nowhere", "--key", KEY.public.text),
        ("verify", files / "proof", "--key", KEY.public.text, "--witness", files / "key"),
    ):
        assert ordercast(*words).exit_code == 2, words


def test_a_witness_with_half_a_line(files: Path) -> None:
    """It is said, and the other lines count."""
    with (files / "witness").open("a") as file:
        file.write('{"log":\n')
    words = ("verify", files / "proof", "--key", files / "key", "--witness", files / "witness")
    result = ordercast(*words)
    assert result.exit_code == 0
    assert "line 3 is no head" in result.stderr


def test_what_may_be_allowed(files: Path) -> None:
    ledger, events = ledger_of(), events_of("ord_3", 3)
    ledger.add(*events[:2])
    ledger.sign()
    proof = ledger.proof(events)
    ledger.add(events[2])
    ledger.sign()
    (files / "proof").write_text(json.dumps(proof))
    (files / "witness").write_text("".join(json.dumps(each) + "\n" for each in ledger.heads))
    words = ("verify", files / "proof", "--key", files / "key")
    assert ordercast(*words).exit_code == 1
    allowed = ordercast(*words, "--allow-pending")
    assert (allowed.exit_code, "pending" in allowed.stdout) == (0, True)
    assert ordercast(*words, "--allow-pending", "--strict").exit_code == 1
    seen = (*words, "--allow-pending", "--witness", files / "witness")
    assert "old_head" in ordercast(*seen).stderr
    assert ordercast(*seen, "--allow-old").exit_code == 0


def test_the_command_needs_no_network(files: Path) -> None:
    """A process that cannot open a socket to anywhere."""
    code = (
        "import socket, sys; socket.socket.connect = socket.socket.connect_ex = None; "
        "from hub.cli import main; main()"
    )
    words = ("verify", str(files / "proof"), "--key", str(files / "keys"))
    done = subprocess.run([sys.executable, "-c", code, *words], check=False, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"holds: ord_1, 5 events\n")


# Keys


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """For its owner alone; the public one is what is printed."""
    first = ordercast("audit", "key", "--data-dir", tmp_path).stdout
    assert ordercast("audit", "key", "--data-dir", tmp_path).stdout == first
    path = tmp_path / "audit.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PublicKey(first).text + "\n" == first
    assert path.read_text() not in first


def test_a_worker_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(
        StartError, match=r"ORDERCAST_AUDIT_KEY: not set, and there is no .*audit.key"
    ):
        load_keys(Settings.load(data_dir=tmp_path))


def test_a_key_in_each_form(tmp_path: Path) -> None:
    raw = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
    (tmp_path / "pem").write_text(PEM)
    (tmp_path / "raw").write_text(raw + "\n")
    for told in (raw, PEM, str(tmp_path / "pem"), str(tmp_path / "raw")):
        keys = load_keys(Settings.load(audit_key=told, audit_key_previous=told))
        assert keys.present.public.text == KEY.public.text
        assert keys.previous is not None


@pytest.mark.parametrize(
    "told",
    [
        "c2VjcmV0LXdpdGgtYS10eXBvLXNlY3JldC13aXRo",
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----",
        "a\0b",
    ],
)
def test_what_is_no_key_is_never_shown(told: str) -> None:
    """It may be one with a typing error, and errors go to logs."""
    for name in ("audit_key", "audit_key_previous"):
        valid = {"audit_key": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"}
        with pytest.raises(StartError) as error:
            load_keys(Settings.load(**{**valid, name: told}))
        assert str(error.value).startswith(f"ORDERCAST_{name.upper()}: ")
        assert "\n" not in str(error.value)
        assert told not in str(error.value)


def test_a_file_that_holds_no_key(tmp_path: Path) -> None:
    (tmp_path / "audit.key").write_text("nonsense")
    with pytest.raises(StartError, match="ORDERCAST_AUDIT_KEY"):
        load_keys(Settings.load(data_dir=tmp_path), make=True)


# A hub beside a witness


@pytest.fixture
async def hub(store: EmbeddedStore) -> AsyncIterator[RunningHub]:
    async with hubs(store) as (hub,):
        yield hub


async def test_a_hub_stands_by_what_was_seen(
    hub: RunningHub, connection: Connection, tmp_path: Path
) -> None:
    """It holds as the log grows; not once the hub tells another past, or less of it."""
    auditors, path = Auditors(connection), tmp_path / "witness"
    one = auditors()
    for _ in range(2):
        await finished(hub.platform)
        await one.step()
    seen = (await hub.http().get("/v1/audit/heads")).json()["items"]
    path.write_text("".join(json.dumps(head) + "\n" for head in seen))

    async def check() -> Result:
        words = ("audit", "check", hub.url, "--key", KEY.public.text, "--witness", path)
        return await asyncio.to_thread(ordercast, *words)

    assert (await check()).output == "holds: up to head 2\n"
    await finished(hub.platform)
    await one.step()
    assert (await check()).output == "holds: up to head 3\n"
    changed = KEY.sign({**{k: v for k, v in seen[1].items() if k != "signature"}, "root": "0" * 64})
    path.write_text(json.dumps(seen[0]) + "\n" + json.dumps(changed) + "\n")
    assert "forked_head" in (await check()).stderr
    path.write_text("".join(json.dumps(head) + "\n" for head in seen))
    await connection.ask("LTRIM", "oc:{audit}:heads", 0, 0)
    gone = await check()
    assert (gone.exit_code, "old_head" in gone.stderr) == (1, True)
    await auditors.close()


async def test_a_hub_that_is_not_there(files: Path) -> None:
    words = ("audit", "check", "http://127.0.0.1:9", "--key", files / "key")
    result = await asyncio.to_thread(ordercast, *words, "--witness", files / "witness")
    assert (result.exit_code, "Error: http://127.0.0.1:9" in result.output) == (1, True)
