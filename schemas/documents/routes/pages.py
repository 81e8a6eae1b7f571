"""The web pages, for people."""

from typing import Final

from schemas.documents.routes.route import CACHED, NOT_MODIFIED, Answer, Route

__all__ = ["PAGES"]

_NOT_BUILT: Final = "404 where the hub was installed without its pages."


def _page(path: str, operation: str, summary: str, description: str) -> Route:
    answers = (Answer(200, "The page.", headers=CACHED, media="text/html"), NOT_MODIFIED)
    return Route(
        "get",
        path,
        operation,
        "pages",
        summary,
        (),
        answers,
        (404,),
        ("ifNoneMatch",),
        description=f"{description} {_NOT_BUILT}".strip(),
    )


PAGES: Final = (
    _page(
        "/track/{orderId}",
        "showTrackPage",
        "A customer's page: one order, live",
        "The order's `streamToken` goes into the fragment, which no server sees: "
        "`/track/ord_98765#TOKEN`. The page is the same for every order.",
    ),
    _page(
        "/ride",
        "showRidePage",
        "A rider's page: orders, and the phone's position",
        "The rider's token goes into the fragment: `/ride#TOKEN`.",
    ),
    _page(
        "/desk",
        "showDeskPage",
        "The dispatchers' page: orders, exceptions, webhooks and hubs, live",
        "A token of role platform is asked for, or goes into the fragment: `/desk#TOKEN`.",
    ),
    _page("/docs", "showHttpDocs", "The OpenAPI document, to read and to try", ""),
    _page("/docs/sockets", "showSocketDocs", "The AsyncAPI document, to read", ""),
    Route(
        "get",
        "/pages/{file}",
        "getPageFile",
        "pages",
        "A script, style or picture of the pages",
        (),
        (
            Answer(
                200, "The file; its name has its digest.", headers=("Cache-Control",), media="*/*"
            ),
        ),
        (404,),
    ),
)
