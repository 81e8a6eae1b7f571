"""The load generator's sockets: as cheap as can be, since what they cost is not what is measured.

picows reads and writes the frames, on a core of the generator's own; a payload is searched for
its stamp and not decoded.
"""

import asyncio
import contextlib
import gc
import resource
from collections.abc import AsyncIterator, Callable, Mapping
from time import perf_counter
from typing import Any, Final

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.target import MARK, Dial, Step

__all__ = [
    "Line",
    "UnreachableError",
    "age",
    "open_all",
    "quiet_collector",
    "raise_file_limit",
    "stamp",
]

CIRCLE: Final = 360.0
_AT_ONCE: Final = 32
_OPEN_WITHIN: Final = 30.0


class UnreachableError(Exception):
    """A socket did not open."""


def stamp() -> str:
    """Now, as the messages carry it."""
    return f"{perf_counter() % CIRCLE:.6f}"


def age(payload: bytes) -> float | None:
    """Seconds since the payload was stamped; None if it carries no stamp."""
    start = payload.find(MARK)
    if start < 0:
        return None
    start += len(MARK)
    end = payload.find(b",", start)
    text = payload[start:] if end < 0 else payload[start:end]
    return (perf_counter() - float(text.rstrip(b"}"))) % CIRCLE


class Line(WSListener):
    """One socket. `heard` is called with each payload once its opening is done."""

    def __init__(
        self, steps: tuple[Step, ...], answers: Mapping[bytes, bytes], heard: Callable[[bytes], Any]
    ) -> None:
        self.ready: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.lost = False
        self.took = 0.0
        """Seconds from the dialling until it was ready."""
        self.heard = heard
        self._steps = list(steps)
        self._answers = answers
        self._transport: WSTransport

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._step(b"")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            if frame.msg_type == WSMsgType.CLOSE:
                transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        if self._answers and payload in self._answers:
            self.send(self._answers[payload])
        elif self._steps:
            self._step(payload)
        else:
            self.heard(payload)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(UnreachableError("closed while it was opened"))

    def _step(self, payload: bytes) -> None:
        while self._steps and self._steps[0].wait in payload:
            step = self._steps.pop(0)
            if step.say is not None:
                self.send(step.say)
            if step.wait:
                break
        if not self._steps and not self.ready.done():
            self.ready.set_result(payload)

    def send(self, payload: bytes) -> None:
        self._transport.send(WSMsgType.TEXT, payload)

    def close(self) -> None:
        self._transport.disconnect()


async def _open(dial: Dial, answers: Mapping[bytes, bytes], heard: Callable[[bytes], Any]) -> Line:
    start = perf_counter()
    try:
        async with asyncio.timeout(_OPEN_WITHIN):
            _, line = await ws_connect(
                lambda: Line(tuple(dial.steps), answers, heard),
                f"ws://127.0.0.1:{dial.port}{dial.path}",
                extra_headers=dict(dial.headers),
            )
            await line.ready
            line.took = perf_counter() - start
    except (OSError, TimeoutError) as error:
        raise UnreachableError(f"{dial.path}: {error or 'no answer'}") from error
    return line


async def open_all(
    dials: list[tuple[Dial, Callable[[bytes], Any]]],
    answers: Mapping[bytes, bytes],
    at_once: int = _AT_ONCE,
) -> list[Line]:
    """Open them, so many at once. Raises UnreachableError."""
    gate = asyncio.Semaphore(at_once)

    async def one(dial: Dial, heard: Callable[[bytes], Any]) -> Line:
        async with gate:
            return await _open(dial, answers, heard)

    return list(await asyncio.gather(*(one(dial, heard) for dial, heard in dials)))


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.asynccontextmanager
async def quiet_collector() -> AsyncIterator[None]:
    """No garbage collection meanwhile: its pauses would look like the servers' lag."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
