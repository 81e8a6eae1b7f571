"""Endpoints as their partner manages them: the use case, and its HTTP side."""

from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from hub.bridge.addresses import AddressGuard
from hub.core.callers.claims import Claims
from hub.errors import ConflictError, NotFoundError, UnprocessableError
from hub.services.endpoints import MAX_ENDPOINTS, Endpoints
from hub.store.connection import Connection
from hub.store.endpoints import EndpointStore
from hub.transports.exchange import error_handlers
from hub.transports.partners import routes
from schemas.lifecycle import EventType, Role
from schemas.webhooks import EndpointPatch, EndpointRequest, EndpointState

URL = "https://8.8.8.8/hook"


async def test_made_and_shown(endpoints: Endpoints) -> None:
    """The secret is told once; what is shown later is the rest."""
    made = await endpoints.create("acme", EndpointRequest(url=URL))
    assert made.secret
    assert made.secret.startswith("whsec_")
    shown = await endpoints.get("acme", made.endpoint_id)
    assert {**made.dump(), "secret": None} == {**shown.dump(), "secret": None}
    assert shown.secret is None
    assert ([shown], None) == await endpoints.list("acme")


async def test_another_partner_s(endpoints: Endpoints) -> None:
    """Another partner's endpoint looks like none."""
    made = await endpoints.create("acme", EndpointRequest(url=URL))
    assert await endpoints.list("other") == ([], None)
    for call in (
        endpoints.get("other", made.endpoint_id),
        endpoints.patch("other", made.endpoint_id, EndpointPatch()),
        endpoints.patch("other", made.endpoint_id, EndpointPatch(url="http://x/")),
        endpoints.rotate("other", made.endpoint_id),
        endpoints.delete("other", made.endpoint_id),
    ):
        with pytest.raises(NotFoundError):
            await call


async def test_patch(endpoints: Endpoints) -> None:
    """What is named changes, the rest stays."""
    made = await endpoints.create("acme", EndpointRequest(url=URL))
    patch = EndpointPatch(state=EndpointState.DISABLED, event_types=[EventType.READY] * 2)
    changed = await endpoints.patch("acme", made.endpoint_id, patch)
    assert changed == await endpoints.get("acme", made.endpoint_id)
    assert (changed.url, changed.state) == (URL, EndpointState.DISABLED)
    assert changed.event_types == [EventType.READY]
    cleared = await endpoints.patch("acme", made.endpoint_id, EndpointPatch(event_types=[]))
    assert (cleared.event_types, cleared.state) == ([], EndpointState.DISABLED)


async def test_bad_urls(endpoints: Endpoints) -> None:
    """A URL that may not be used is named in the problem, and nothing is changed."""
    with pytest.raises(UnprocessableError) as refused:
        await endpoints.create("acme", EndpointRequest(url="https://10.0.0.1/"))
    assert [each["pointer"] for each in refused.value.members["errors"]] == ["#/url"]
    assert await endpoints.list("acme") == ([], None)
    made = await endpoints.create("acme", EndpointRequest(url=URL))
    with pytest.raises(UnprocessableError):
        await endpoints.patch("acme", made.endpoint_id, EndpointPatch(url="http://8.8.8.8"))
    assert (await endpoints.get("acme", made.endpoint_id)).url == URL


async def test_rotate(endpoints: Endpoints, connection: Connection) -> None:
    """Each secret signs for a day beside the one that came after it."""
    made = await endpoints.create("acme", EndpointRequest(url=URL))
    second = await endpoints.rotate("acme", made.endpoint_id)
    third = await endpoints.rotate("acme", made.endpoint_id)
    record = await EndpointStore(connection).find("acme", made.endpoint_id)
    assert record is not None
    (_, until), (_, sooner) = record.older
    assert [third.secret, second.secret, made.secret] == record.secrets(sooner - 1)
    assert [third.secret, second.secret] == record.secrets(until - 0.000_1)
    assert [third.secret] == record.secrets(until)
    assert pytest.approx(until - record.created, abs=60) == 86_400
    for _ in range(20):
        await endpoints.rotate("acme", made.endpoint_id)
    record = await EndpointStore(connection).find("acme", made.endpoint_id)
    assert record is not None
    assert len(record.secrets(0.0)) == 5


async def test_pages(endpoints: Endpoints) -> None:
    """Oldest first, in pages that join."""
    made = [await endpoints.create("acme", EndpointRequest(url=f"{URL}/{n}")) for n in range(5)]
    seen, after = [], None
    while True:
        page, after = await endpoints.list("acme", limit=2, after=after)
        seen += [each.endpoint_id for each in page]
        if after is None:
            break
    assert sorted(each.endpoint_id for each in made) == seen


async def test_not_without_end(endpoints: Endpoints) -> None:
    """A partner has a hundred endpoints at most."""
    for number in range(MAX_ENDPOINTS):
        await endpoints.create("acme", EndpointRequest(url=f"{URL}/{number}"))
    with pytest.raises(ConflictError):
        await endpoints.create("acme", EndpointRequest(url=URL))


async def test_partner_secret(endpoints: Endpoints) -> None:
    """Made when first asked for, and the same ever after."""
    first = await endpoints.partner_secret("acme")
    assert first == await endpoints.partner_secret("acme")
    assert first.secret != (await endpoints.partner_secret("other")).secret


class Tokens:
    """Takes the token's text for the partner's name; `platform` is another role."""

    async def verify(self, token: str) -> Claims:
        role = Role.PLATFORM if token == "platform" else Role.PARTNER
        return Claims(role=role, expires=0.0, partner=token)


@pytest.fixture
def http(connection: Connection) -> httpx2.AsyncClient:
    app = Starlette(routes=routes, exception_handlers=dict(error_handlers))
    app.state = SimpleNamespace(  # type: ignore[assignment]
        tokens=Tokens(), endpoints=Endpoints(connection, AddressGuard())
    )
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://hub",
        headers={"Authorization": "Bearer acme"},
    )


async def test_over_http(http: httpx2.AsyncClient) -> None:
    """An endpoint's life, request by request."""
    made = await http.post("/v1/endpoints", json={"url": URL, "eventTypes": ["order.completed"]})
    where = made.headers["location"]
    shown: dict[str, Any] = {**made.json()}
    secret = shown.pop("secret")
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert {
        "endpointId": where.rpartition("/")[2],
        "url": URL,
        "eventTypes": ["order.completed"],
        "mode": "all",
        "state": "enabled",
    } == shown
    assert shown == (await http.get(where)).json()
    assert {"items": [shown], "next": None} == (await http.get("/v1/endpoints")).json()
    changed = await http.patch(where, json={"state": "disabled"})
    assert (200, {**shown, "state": "disabled"}) == (changed.status_code, changed.json())
    rotated = await http.post(f"{where}/rotate")
    assert rotated.status_code == 200
    assert secret != rotated.json()["secret"]
    assert ((gone := await http.delete(where)).status_code, gone.content) == (204, b"")
    assert (await http.get(where)).status_code == 404
    partner = (await http.get("/v1/partner")).json()
    assert partner["partner"] == "acme"
    assert partner == (await http.get("/v1/partner")).json()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/endpoints", b"{", 400),
        ("POST", "/v1/endpoints", b"{}", 422),
        ("POST", "/v1/endpoints", b'{"url": "http://8.8.8.8"}', 422),
        ("POST", "/v1/endpoints", b'{"url": "https://8.8.8.8", "eventTypes": ["x"]}', 422),
        ("GET", "/v1/endpoints?limit=0", b"", 422),
        ("GET", "/v1/endpoints?limit=501", b"", 422),
        ("PATCH", "/v1/endpoints/ep_1", b'{"state": "off"}', 422),
        ("PATCH", "/v1/endpoints/ep_1", b"{}", 404),
        ("POST", "/v1/endpoints/ep_1/rotate", b"", 404),
        ("PUT", "/v1/endpoints/ep_1", b"", 405),
    ],
)
async def test_refusals_over_http(
    http: httpx2.AsyncClient, method: str, path: str, body: bytes, status: int
) -> None:
    """Each refusal is a problem with its status."""
    answer = await http.request(method, path, content=body)
    assert status == answer.status_code
    if status != 405:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_roles_over_http(http: httpx2.AsyncClient) -> None:
    """Only a partner comes in."""
    for path in ("/v1/endpoints", "/v1/endpoints/ep_1", "/v1/partner"):
        foreign = await http.get(path, headers={"Authorization": "Bearer platform"})
        nobody = await http.get(path, headers={"Authorization": ""})
        assert (foreign.status_code, nobody.status_code) == (403, 401)
