"""How everything stands: orders, exceptions, webhooks, and the processes that live."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from hub.store.books import Books, Standing
from hub.store.bridges import Bridges
from hub.store.connection import Connection
from hub.store.endpoints import EndpointRecord, EndpointStore
from hub.store.index import LIVE, Census, OrderIndex
from hub.store.roster import Roster
from schemas.exceptions import ExceptionCode
from schemas.lifecycle import Status
from schemas.times import format_time
from schemas.webhooks import EndpointState

__all__ = ["Overview"]

_FRESH: Final = 1.0
_WEBHOOKS_FRESH: Final = 5.0
"""Seconds for which what was counted is told again, whoever asks: webhooks take longer to count."""

_REST: Final = 20
"""Times as long as counting took, at least: it has a twentieth of the store at most."""

_NAMED: Final = 100
_SILENCE: Final = 15.0
"""Seconds after which a bridge counts as gone; well over the four of the bridges themselves."""

View = dict[str, Any]
"""The wire form of a model of `schemas.overview`."""

T = TypeVar("T")


class _Kept(Generic[T]):
    """What `make` made, for some seconds; made once, however many ask at a time."""

    def __init__(self, make: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._kept: tuple[float, T] | None = None

    async def get(self) -> T:
        async with self._lock:
            if self._kept is None or self._kept[0] <= time.monotonic():
                start = time.monotonic()
                made = await self._make()
                took = time.monotonic() - start
                self._kept = start + took + max(self._seconds, _REST * took), made
            return self._kept[1]


class Overview:
    """Raises UnavailableError. `hubs` is where the hubs sign in."""

    def __init__(self, connection: Connection, index: OrderIndex, hubs: Roster) -> None:
        self._index = index
        self._hubs = hubs
        self._workers = Roster(connection, "worker")
        self._bridges = Bridges(connection)
        self._endpoints = EndpointStore(connection)
        self._books = Books(connection)
        self._webhooks = _Kept(self._webhook_health, _WEBHOOKS_FRESH)
        self._whole = _Kept(self._make, _FRESH)

    async def view(self) -> View:
        """The wire form of an `Overview`."""
        return await self._whole.get()

    async def _make(self) -> View:
        now = time.time()
        census, webhooks, hubs, workers, bridges = await asyncio.gather(
            self._index.census(now),
            self._webhooks.get(),
            self._hubs.living(now),
            self._workers.living(now),
            self._bridges.beat("", _SILENCE),
        )
        return {
            "at": format_time(now),
            "orders": _orders(census),
            "exceptions": _exceptions(census),
            "webhooks": {**webhooks, "unreached": sorted(bridges.circuits)},
            "hubs": hubs,
            "bridges": [{"bridge": name} for name in sorted(bridges.names)],
            "workers": workers,
        }

    async def _webhook_health(self) -> View:
        partners = await self._endpoints.partners()
        owned = await asyncio.gather(*map(self._endpoints.of, partners))
        records = [
            (partner, record)
            for partner, records in zip(partners, owned, strict=True)
            for record in records
        ]
        names = [*partners, *(record.endpoint_id for _, record in records)]
        callbacks, standings = await self._books.standings(names, time.time())
        rows = [_endpoint(*each, standings[each[1].endpoint_id]) for each in records]
        rows.sort(key=lambda row: (row["dead"], row["waiting"], row["held"]), reverse=True)
        aside = [standings[partner] for partner in partners]
        return {
            "registered": len(rows),
            "endpoints": rows[:_NAMED],
            "callbacks": {
                "waiting": callbacks.waiting,
                "retrying": callbacks.retrying,
                "dead": sum(each.dead for each in aside),
                "held": sum(each.held for each in aside),
            },
        }


def _orders(census: Census) -> View:
    return {
        "live": {status.value: census.live[status] for status in LIVE},
        "entered": {status.value: census.entered[status] for status in Status},
        "since": format_time(census.since),
    }


def _exceptions(census: Census) -> View:
    counts = {code.value: census.exceptions[code] for code in ExceptionCode}
    view: View = {
        "open": census.exceptions.total(),
        "byCode": {code: count for code, count in counts.items() if count},
    }
    if census.opened is not None:
        view["oldestAt"] = format_time(census.opened)
    return view


def _endpoint(partner: str, record: EndpointRecord, standing: Standing) -> View:
    url = urlsplit(record.url)
    return {
        "partner": partner,
        "endpointId": record.endpoint_id,
        "origin": f"{url.scheme}://{url.netloc}",
        "state": (EndpointState.ENABLED if record.enabled else EndpointState.DISABLED).value,
        "waiting": standing.waiting,
        "retrying": standing.retrying,
        "dead": standing.dead,
        "held": standing.held,
    }
