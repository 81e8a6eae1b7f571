"""Auditors on a real store, and orders for them to find."""

import asyncio
from typing import Any

import httpx2

from hub.core.audit.heads import PublicKey, Signer
from hub.core.audit.proof import check_proof
from hub.core.audit.verdict import Verdict
from hub.store.audit import AuditStore
from hub.store.connection import Connection
from hub.store.log import Log
from hub.worker.audit import Auditor
from hub.worker.keys import Keys
from tests.core.proving import KEY
from tests.hub.harness import advance, place

__all__ = ["RETENTION", "Auditors", "checked", "finished", "proof_of"]

RETENTION = 3600


class Auditors:
    """Makes auditors that sign a head at every step that brings something new."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._logs: list[Log] = []

    def __call__(
        self, signer: Signer = KEY, previous: Signer | None = None, interval: float = 0.0
    ) -> Auditor:
        store = AuditStore(self._connection, RETENTION)
        self._logs.append(Log(self._connection, "audit"))
        return Auditor(self._logs[-1], store, Keys(signer, previous), interval)

    async def close(self) -> None:
        for log in self._logs:
            log.close()
        await asyncio.sleep(0)  # a transport ends in the next turn


async def finished(platform: httpx2.AsyncClient, **changes: Any) -> str:
    """The id of a new order that is COMPLETED: five events."""
    order = await place(platform, **changes)
    await advance(platform, order, "CONFIRMED", "PREPARING", "ON_DELIVERY", "COMPLETED")
    return str(order["orderId"])


async def proof_of(
    client: httpx2.AsyncClient, order_id: str, since: int | None = None
) -> dict[str, Any]:
    query = {} if since is None else {"from": since}
    answer = await client.get(f"/v1/orders/{order_id}/proof", params=query)
    assert answer.status_code == 200, answer.text
    proof: dict[str, Any] = answer.json()
    return proof


async def checked(
    client: httpx2.AsyncClient, order_id: str, key: PublicKey = KEY.public
) -> Verdict:
    return check_proof(await proof_of(client, order_id), key)
