"""`/v1/riders/{riderId}/stream`: a rider's phone (contract 5), and its HTTP sibling."""

import time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.core.callers.claims import Claims
from hub.errors import BadRequestError, ForbiddenError, UnprocessableError
from hub.services.intake import Intake
from hub.services.rider import Rider
from hub.services.riders import Riders
from hub.transports.conversation import Conversation, Work
from hub.transports.exchange import answer, body_of, caller
from hub.transports.upgrade import Handshake, SocketRoute
from schemas import messages
from schemas.codes import CloseCode
from schemas.lifecycle import Role
from schemas.messages import Fixes, read_rider_message
from schemas.positions import MAX_FIXES
from schemas.telemetry import FixMessage, fix_reader
from schemas.wire import loads

__all__ = ["routes"]

_ACK_EVERY: Final = 1.0


class Uplink(Conversation):
    """One socket of a rider. It is the only one: an older one is superseded."""

    kind = "rider"
    __slots__ = (
        "_ack_due",
        "_acked",
        "_acked_at",
        "_binary",
        "_cadence",
        "_intake",
        "_read",
        "_rider",
        "_rider_id",
        "_riders",
        "_taken",
    )

    def __init__(self, handshake: Handshake) -> None:
        super().__init__(handshake, read_rider_message)
        self._riders: Riders = handshake.state.riders
        self._intake: Intake = handshake.state.intake
        self._read, self._binary = fix_reader[handshake.codec], self.session.binary
        self._rider_id = str(handshake.params["rider_id"])
        self._rider: Rider | None = None
        self._cadence: tuple[float, str] | None = None
        self._taken = self._acked = -1
        self._acked_at = 0.0
        self._ack_due = False

    def admits(self, claims: Claims) -> bool:
        return claims.role is Role.RIDER and claims.sub == self._rider_id

    async def admitted(self) -> None:
        self._rider = await self._riders.begin_session(
            self._rider_id, self._on_orders, self._on_cadence, self._on_superseded
        )
        if self.state.degraded:
            self.socket.say({"type": "notice", "code": "degraded"})
        self._on_orders()

    def refreshed(self) -> None:
        """The same rider as before: `admits` has seen to it."""

    def received(self, payload: bytes, binary: bool) -> None:
        """One good fix within the rate, the usual message, takes the short way."""
        rider = self._rider
        if rider is None or self._work is not None or binary is not self._binary:
            super().received(payload, binary)
            return
        now = time.time()
        try:
            fix = self._read(payload)
        except (ValueError, RecursionError):
            fix = None
        if type(fix) is not FixMessage or not rider.filter.take(now):
            super().received(payload, binary)
            return
        reason = self._intake.take_one(rider, fix, now)
        if reason is None:
            self._took(fix.seq, now)
        else:
            self.socket.say(_rejected(fix.seq, reason))

    def asked(self, message: messages.FixMessage | Fixes) -> Work | None:
        assert self._rider is not None
        raws = message.fixes if isinstance(message, Fixes) else [message.fix]
        _, highest, rejected = self._intake.take(self._rider, raws)
        for seq, reason in rejected:
            self.socket.say(_rejected(seq, reason))
        self._took(highest, time.time())
        return None

    def _took(self, seq: int, now: float) -> None:
        if seq > self._taken:
            self._taken = seq
            self._ack(now)

    def _ack(self, now: float) -> None:
        """At most once a second: at once if it is time, else when it will be."""
        if now - self._acked_at >= _ACK_EVERY:
            self._acked, self._acked_at = self._taken, now
            self.socket.say({"type": "ack", "seq": self._taken})
        elif not self._ack_due:
            self._ack_due = True
            self.socket.wake_at(self._acked_at + _ACK_EVERY)

    def overdue(self, now: float) -> None:
        if self._ack_due:
            self._ack_due = False
            if self._taken > self._acked:
                self._ack(now)
        super().overdue(now)

    def _on_orders(self) -> None:
        assert self._rider is not None
        self.socket.say({"type": "orders", "orders": self._rider.view()})
        self._on_cadence()

    def _on_cadence(self) -> None:
        assert self._rider is not None
        cadence = self._rider.cadence.told(bool(self._rider.held))
        if cadence != self._cadence:
            self._cadence = cadence
            seconds, reason = cadence
            self.socket.say({"type": "cadence", "seconds": seconds, "reason": reason})

    def _on_superseded(self) -> None:
        self.socket.say({"type": "superseded"})
        self.socket.close(CloseCode.SUPERSEDED, "the rider connected from elsewhere")

    def ended(self) -> None:
        if self._rider is not None:
            self._riders.end_session(self._rider, self._on_superseded)


def _rejected(seq: int | None, reason: Any) -> dict[str, Any]:
    message = {"type": "rejected", "reason": reason.value}
    return message if seq is None else {**message, "seq": seq}


async def positions(request: Request) -> Response:
    """One fix, or `{fixes: [...]}`; each is judged alone."""
    claims = await caller(request, Role.RIDER)
    if claims.sub != request.path_params["rider_id"]:
        raise ForbiddenError("a rider may send their own positions only")
    raws = await _fixes(request)
    riders: Riders = request.app.state.riders
    rider = await riders.on_duty(str(claims.sub))
    intake: Intake = request.app.state.intake
    taken, _, rejected = intake.take(rider, raws)
    return answer(
        {
            "taken": taken,
            "rejected": [{"seq": seq, "reason": reason.value} for seq, reason in rejected],
        }
    )


async def _fixes(request: Request) -> list[Any]:
    try:
        data = loads(await body_of(request))
    except ValueError as error:
        raise BadRequestError(f"the body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise UnprocessableError("the body must be a fix or {fixes: [...]}", [("#", "no object")])
    if "fixes" not in data:
        return [data]
    fixes = data["fixes"]
    if not isinstance(fixes, list) or not 1 <= len(fixes) <= MAX_FIXES:
        wrong = f"must be a list of 1 to {MAX_FIXES} fixes"
        raise UnprocessableError(f"fixes {wrong}", [("#/fixes", wrong)])
    return fixes


routes: Final[list[Route]] = [
    SocketRoute("/v1/riders/{rider_id}/stream", Uplink),
    Route("/v1/riders/{rider_id}/positions", positions, methods=["POST"]),
]
