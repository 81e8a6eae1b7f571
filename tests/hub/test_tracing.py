"""One trace from the request to the socket and the webhook, by OTLP to a collector; or nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgpack
import pytest
from aiohttp import web
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace.export import SpanExportResult

from hub import tracing
from hub.errors import StartError
from hub.store.connection import Connection
from hub.store.embedded import EmbeddedStore
from hub.store.keys import order_keys
from schemas.lifecycle import Role
from tests.hub.harness import PATIENCE, advance, hubs, order_body, place, status_body
from tests.hub.test_processes import command, environment, platform, watching

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = PARENT.removesuffix("01") + "00"


class Collector:
    """An OTLP collector that keeps the spans; and a partner that takes webhooks."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.url = ""
        self._news = asyncio.Condition()

    async def traces(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        async with self._news:
            for resource in told.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            self._news.notify_all()
        return web.Response()

    async def named(self, *names: str) -> dict[str, Span]:
        """The spans of these names, once all are there."""

        def found() -> dict[str, Span]:
            return {span.name: span for span in self.spans if span.name in names}

        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: found().keys() == set(names))
        return found()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()

    async def accept(request: web.Request) -> web.Response:
        return web.Response(status=202)

    app.router.add_post("/v1/traces", collector.traces)
    app.router.add_post("/{hook:hook.*}", accept)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield collector
    await runner.cleanup()


async def test_one_trace_from_the_request_to_the_socket_and_the_webhook(short_dir: Path) -> None:
    """In the caller's own trace; nothing that was not asked to be traced is."""
    async with collecting() as collector:
        traced = environment(tracing="true", webhook_allow="127.0.0.0/8")
        traced |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        }
        async with _up(short_dir, traced) as url, platform(url, short_dir) as client:
            body = order_body(notificationUrl=f"{collector.url}/hook")
            order = (await client.post("/v1/orders", json=body)).json()
            path = f"/v1/orders/{order['orderId']}/status"
            async with watching(url, order):
                headers = {"traceparent": PARENT}
                told = await client.post(path, json=status_body("CONFIRMED"), headers=headers)
                assert 200 == told.status_code
                route = "POST /v1/orders/{order_id}/status"
                spans = await collector.named(route, "tell", "webhook")
    _, trace_id, parent_id, _ = PARENT.split("-")
    assert {trace_id} == {span.trace_id.hex() for span in collector.spans}
    assert parent_id == spans[route].parent_span_id.hex()
    for name in ("tell", "webhook"):
        assert spans[route].span_id == spans[name].parent_span_id


@asynccontextmanager
async def _up(directory: Path, variables: dict[str, str]) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *command("up", "--port", "0", "--data-dir", str(directory)),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    ready = (await process.stdout.readline()).decode()
    try:
        yield ready.split()[-1]
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)


async def test_nothing_is_carried_while_off(shared_store: EmbeddedStore) -> None:
    """Not with the event, not in the log, whatever the caller sends."""
    async with hubs(shared_store) as (hub,):
        order = await place(hub.platform)
        client = hub.http(Role.PLATFORM, sub="traced")
        client.headers["traceparent"] = PARENT
        await advance(client, order, "CONFIRMED")
        assert {b"partner", b"url"} == await _in_the_log(shared_store, order["orderId"])


async def _in_the_log(store: EmbeddedStore, order_id: str) -> set[bytes]:
    connection = Connection(store.url)
    async with connection.mapped() as client:
        entries = await client.xrevrange(order_keys(order_id).log, count=1)
    await connection.close()
    (_, fields) = entries[0]
    return set(msgpack.unpackb(fields[b"w"], raw=True))


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tracing in this process, to nowhere."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "test")
    monkeypatch.setattr(OTLPSpanExporter, "export", lambda *spans: SpanExportResult.SUCCESS)
    tracing.start("test")
    yield
    tracing.stop()


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize(
    ("parent", "carried"), [(PARENT, PARENT[3:35]), (UNSAMPLED, ""), ("nonsense", None)]
)
def test_what_is_carried(parent: str, carried: str | None) -> None:
    """A sampled trace goes on; one that is not is not carried; nonsense begins a new one."""
    with tracing.span("here", parent):
        told = tracing.current()
    if carried is None:
        assert told
        assert PARENT[3:35] not in told
    else:
        assert carried == told[3:35]
    assert "" == tracing.current()


def test_off_is_nothing() -> None:
    """No span, no word."""
    with tracing.span("here", PARENT) as span:
        assert span is None
        assert "" == tracing.current()


def test_without_the_extra_the_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the setting's name."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(StartError, match="ORDERCAST_TRACING"):
        tracing.start("test")
