"""OpenTelemetry traces, where they are wanted: one from the request that changes an order to the
write on its watchers' sockets and to its webhooks.

Between processes a trace goes as a W3C `traceparent`, beside the event and never in it. Nothing is
done, carried or imported unless `start` was called; it needs the extra `otel`. Where traces go and
how many are taken, OpenTelemetry's own variables say (OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_TRACES_SAMPLER).
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from hub.errors import StartError

__all__ = ["current", "span", "start", "stop"]

_OFF: Final = nullcontext()
_HEADER: Final = "traceparent"
_SAMPLED: Final = 1


class _Tracing:
    """What OpenTelemetry gave us; None while off."""

    provider: Any = None
    tracer: Any = None
    propagator: Any = None


def start(service: str) -> None:
    """Trace from now on, as `service`. Raises StartError where the extra is missing."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    except ImportError:
        raise StartError("ORDERCAST_TRACING: needs the extra: ordercast[otel]") from None
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    resource = Resource.create({"service.namespace": "ordercast"})
    _Tracing.provider = TracerProvider(resource=resource)
    _Tracing.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _Tracing.tracer = _Tracing.provider.get_tracer("ordercast")
    _Tracing.propagator = TraceContextTextMapPropagator()


def stop() -> None:
    """Send what was gathered."""
    if _Tracing.provider is not None:
        _Tracing.provider.shutdown()
    _Tracing.provider = _Tracing.tracer = _Tracing.propagator = None


def current() -> str:
    """The `traceparent` of what is being done, empty where that is not traced."""
    if _Tracing.propagator is None:
        return ""
    carrier: dict[str, str] = {}
    _Tracing.propagator.inject(carrier)
    told = carrier.get(_HEADER, "")
    return told if told and int(told[-2:], 16) & _SAMPLED else ""


def span(
    name: str, parent: str | None = None, attributes: Mapping[str, str | int] | None = None
) -> AbstractContextManager[Any]:
    """A part of a trace, for as long as its body takes; of none, and nothing, while off.

    `parent` is a `traceparent`; what is malformed begins a trace of its own.
    """
    if _Tracing.tracer is None:
        return _OFF
    context = _Tracing.propagator.extract({_HEADER: parent or ""})
    told: AbstractContextManager[Any] = _Tracing.tracer.start_as_current_span(
        name, context=context, attributes=attributes
    )
    return told
