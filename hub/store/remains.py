"""Rewriting what the store keeps of a finished order: its state, its history, its webhooks, the
answers that are kept for those who ask twice, and the log.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgpack
import msgspec

from hub.core.orders.state import OrderState
from hub.core.warehouse import position_of
from hub.store.connection import Connection, Script
from hub.store.keys import once, once_of, order_keys, partition_of, tag
from hub.store.log import Log
from schemas.wire import dumps

__all__ = ["Remains"]

_ERASE: Final = Script("erase")
_ERASE_BOOK: Final = Script("erase_book")
_REPLACE: Final = Script("hash_replace")
_EVENT: Final = "e:"
_pack: Final = msgspec.msgpack.Encoder().encode


class Remains:
    """Raises UnavailableError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._log = Log(connection, "")

    async def replace(
        self,
        rev: int,
        state: OrderState,
        events: Sequence[Mapping[str, Any]],
        operations: Iterable[Mapping[str, Any]],
    ) -> bool:
        """False where the order has changed since `rev` was read."""
        keys = order_keys(state.order_id)
        told = [part for event in events for part in (event["seq"], dumps(event))]
        return bool(
            await self._connection.run(
                _ERASE,
                [keys.order, keys.events, keys.operations],
                rev,
                _pack(state),
                len(events),
                *told,
                *map(dumps, operations),
            )
        )

    async def rewrite_webhooks(self, order_id: str, rewrite: Callable[[bytes], bytes]) -> int:
        """Put what `rewrite` makes of them in the place of the payloads; answers how many
        deliveries still wait. The URL of the callbacks goes when none does.
        """
        key = f"{tag(partition_of(order_id))}book:{order_id}"
        flat = await self._connection.ask("HGETALL", key)
        fields = {
            name: rewrite(value) for name, value in flat.items() if name.startswith(_EVENT.encode())
        }
        changes = [part for pair in fields.items() for part in pair]
        return int(await self._connection.run(_ERASE_BOOK, [key], *changes))

    async def rewrite_answers(self, order_id: str, rewrite: Callable[[bytes], bytes]) -> None:
        """Those that are kept for their Idempotency-Keys."""
        digests = await self._connection.ask("SMEMBERS", once_of(order_id))
        for digest in digests:
            key = once("key", digest.decode())
            packed = await self._connection.ask("HGET", key, "answer")
            if packed:
                kept = msgpack.unpackb(packed)
                kept["body"] = rewrite(kept["body"])
                await self._connection.run(_REPLACE, [key], "answer", packed, msgpack.packb(kept))

    async def drop_entries(self, orders: Iterable[str]) -> bool:
        """Take the orders' entries out of the log; False where some are not read by all yet."""
        wanted = {order_id.encode() for order_id in orders}
        dropped = True
        for partition in {partition_of(order_id.decode()) for order_id in wanted}:
            dropped &= await self._drop_entries(partition, wanted)
        return dropped

    async def _drop_entries(self, partition: int, wanted: set[bytes]) -> bool:
        passed, ids = await self._log.passed(partition), []
        async for entries in self._log.pages(partition):
            ids += [entry_id for entry_id, fields in entries if fields.get(b"o") in wanted]
        done = [each for each in ids if passed and position_of(each) <= position_of(passed)]
        if done:
            await self._log.drop(partition, done)
        return len(done) == len(ids)
