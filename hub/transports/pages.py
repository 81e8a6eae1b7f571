"""HTTP: the web pages, as `make pages` builds them from `clients/js/pages` into `hub/pages`.

A page is an HTML file there, whose scripts and styles have their digest in their names: those are
kept for ever, and the page is asked for anew each time. A further page is a row of `_PAGES` and
one in `schemas/documents/routes/pages.py`.
"""

import asyncio
import gzip
import html
import mimetypes
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.maptiles import tiles_source
from hub.errors import NotFoundError
from hub.transports.orders import matches
from schemas.wire import dumps

__all__ = ["BUILT", "Pages", "routes"]

BUILT: Final = Path(__file__).parent.parent / "pages"

_PAGES: Final = {
    "track": "/track/{order_id}",
    "ride": "/ride",
    "desk": "/desk",
    "docs": "/docs",
    "sockets": "/docs/sockets",
}
_STYLED_INLINE: Final = frozenset({"docs", "sockets"})
"""Pages that libraries draw, which write styles into elements. Their scripts are ours alone too."""

_WORKERS: Final = {"ride-worker.js": "ride"}
"""Scripts of service workers, whose addresses must not change, and the page that each keeps."""

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_HAS_DIGEST: Final = re.compile(r".+-[A-Za-z0-9_-]{8}\.\w+")
_PLACE_OF_CONFIG: Final = b'<meta name="ordercast" content="">'
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_WORTH_ZIPPING: Final = re.compile(r"text/|application/json|image/svg")
_ALL: Final = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
_OF_PAGES: Final = {
    **_ALL,
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding, Host",
    # The token stands in the fragment, which no referrer has; the order's id does not.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=()",
}


@dataclass(frozen=True)
class _File:
    body: bytes
    media: str

    @cached_property
    def digest(self) -> str:
        return f'"{sha256(self.body).hexdigest()[:16]}"'

    @cached_property
    def zipped(self) -> bytes | None:
        """When it is first asked for: the documents' scripts take a tenth of a second."""
        return gzip.compress(self.body, mtime=0) if _WORTH_ZIPPING.match(self.media) else None


class Pages:
    """The built files, in memory. `tiles` is what pages are told of the map, `url` among it."""

    def __init__(self, directory: Path, tiles: dict[str, str] | None) -> None:
        config = html.escape(dumps({} if tiles is None else {"tiles": tiles}).decode())
        self._meta = _PLACE_OF_CONFIG.replace(b'""', f'"{config}"'.encode())
        self._tiles = None if tiles is None else tiles_source(tiles["url"])
        self._files = {
            path.name: self._read(path) for path in sorted(directory.glob("*")) if path.is_file()
        }

    def _read(self, path: Path) -> _File:
        body = path.read_bytes()
        media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if media == "text/html":
            body = body.replace(_PLACE_OF_CONFIG, self._meta)
        return _File(body, media)

    def file(self, name: str) -> _File:
        """Raises NotFoundError, which says what to do where nothing was built."""
        if not self._files:
            raise NotFoundError(
                "the web pages are not built here: `make pages` builds them, with Node 20 or later"
            )
        if name not in self._files:
            raise NotFoundError("there is no such file; reload the page")
        return self._files[name]

    def policy(self, name: str, host: str) -> str:
        """A page's content security policy. Not every browser counts our sockets as 'self'."""
        inline = " 'unsafe-inline'" if name in _STYLED_INLINE else ""
        sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
        worker = "'self'" if name in _WORKERS.values() else "'none'"
        tiles = f" {self._tiles}" if self._tiles else ""
        return "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                f"style-src 'self'{inline}",
                f"img-src 'self' data:{tiles}",
                f"connect-src 'self'{sockets}",
                "manifest-src 'self'",
                f"worker-src {worker}",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            )
        )


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


async def _sent(request: Request, file: _File, headers: dict[str, str]) -> Response:
    accepted = request.headers.get("accept-encoding", "")
    zipped = await asyncio.to_thread(lambda: file.zipped) if "gzip" in accepted else None
    if zipped is None:
        return Response(file.body, headers=headers, media_type=file.media)
    headers = {**headers, "Content-Encoding": "gzip"}
    return Response(zipped, headers=headers, media_type=file.media)


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        file = _pages(request).file(f"{name}.html")
        policy = _pages(request).policy(name, request.headers.get("host", ""))
        headers = {
            **_OF_PAGES,
            "ETag": f"W/{file.digest}",
            "Content-Security-Policy": policy,
        }
        if matches(request.headers.get("if-none-match"), file.digest):
            return Response(status_code=304, headers=headers)
        return await _sent(request, file, headers)

    return page


async def _asset(request: Request) -> Response:
    name = request.path_params["file"]
    file = _pages(request).file(name)
    kept = _FOR_EVER if _HAS_DIGEST.fullmatch(name) else "no-cache"
    headers = {**_ALL, "Cache-Control": kept, "Vary": "Accept-Encoding", **_of_worker(name)}
    return await _sent(request, file, headers)


def _of_worker(name: str) -> dict[str, str]:
    """It stands beside the other files; of its page alone it may answer requests."""
    if name not in _WORKERS:
        return {}
    return {
        "Service-Worker-Allowed": _PAGES[_WORKERS[name]],
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
    }


routes: Final[list[Any]] = [
    *(Route(path, _page(name), methods=["GET"]) for name, path in _PAGES.items()),
    Route("/pages/{file}", _asset, methods=["GET"]),
]
