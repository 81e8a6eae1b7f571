"""What partners do: register for webhooks and read their secret (contract 6)."""

from typing import Final

from schemas.documents.routes.route import (
    SEEN,
    WRITE,
    Answer,
    Route,
)
from schemas.lifecycle import Role

__all__ = ["PARTNERS"]

_PARTNER: Final = (Role.PARTNER,)

PARTNERS: Final = (
    Route(
        "post",
        "/v1/endpoints",
        "createEndpoint",
        "webhooks",
        "Register an endpoint for webhooks",
        _PARTNER,
        (Answer(201, "Registered; `secret` is told once.", "Endpoint", ("Location",)),),
        (400, 401, 403, 413, 422, 503),
        request=("EndpointRequest",),
        description="A URL that is not https, or leads to a non-global address, is refused (422).",
    ),
    Route(
        "get",
        "/v1/endpoints",
        "listEndpoints",
        "webhooks",
        "List the partner's endpoints",
        _PARTNER,
        (Answer(200, "One page.", "EndpointList"),),
        (401, 403, 422, 503),
        ("limit", "cursor"),
    ),
    Route(
        "get",
        "/v1/endpoints/{endpointId}",
        "getEndpoint",
        "webhooks",
        "Show an endpoint",
        _PARTNER,
        (Answer(200, "The endpoint, without its secret.", "Endpoint"),),
        SEEN,
    ),
    Route(
        "patch",
        "/v1/endpoints/{endpointId}",
        "updateEndpoint",
        "webhooks",
        "Change an endpoint, or switch it on or off",
        _PARTNER,
        (Answer(200, "Changed.", "Endpoint"),),
        WRITE,
        request=("EndpointPatch",),
    ),
    Route(
        "delete",
        "/v1/endpoints/{endpointId}",
        "deleteEndpoint",
        "webhooks",
        "Forget an endpoint",
        _PARTNER,
        (Answer(204, "Gone; nothing more is sent to it."),),
        SEEN,
    ),
    Route(
        "post",
        "/v1/endpoints/{endpointId}/rotate",
        "rotateEndpointSecret",
        "webhooks",
        "Make a new secret",
        _PARTNER,
        (Answer(200, "The new `secret`, told once; both sign for a while.", "Endpoint"),),
        SEEN,
    ),
    Route(
        "get",
        "/v1/partner",
        "getPartner",
        "webhooks",
        "Show the secret that signs callbacks to `notificationUrl`",
        _PARTNER,
        (Answer(200, "The partner of the token.", "PartnerSecret"),),
        (401, 403, 503),
    ),
)
