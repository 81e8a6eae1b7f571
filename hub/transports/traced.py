"""Around each HTTP request, where traces are wanted: its span, in the caller's trace if any."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.tracing import span

__all__ = ["Traced"]


class Traced:
    """Pure ASGI. Named by the route, as OpenTelemetry's conventions for HTTP have it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with span(scope["method"], _parent(scope)) as current:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start" and current is not None:
                    current.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, send_and_note)
            if current is not None:
                route = getattr(scope.get("route"), "path", "other")
                current.update_name(f"{scope['method']} {route}")
                current.set_attribute("http.route", route)


def _parent(scope: Scope) -> str | None:
    found = (value for name, value in scope["headers"] if name == b"traceparent")
    return next((value.decode("latin-1") for value in found), None)
