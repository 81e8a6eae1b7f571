"""Tokens: JWTs of our own secret, or of keys that a JWKS names (contract 8)."""

import asyncio
import base64
import json
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jwt
from jwt import PyJWK, PyJWKClient, PyJWKSet

from hub.core.callers.claims import Claims
from hub.core.callers.device import make_device, read_device
from hub.core.callers.plain_token import AUDIENCE, read_plain
from hub.core.watchers.session import LEEWAY
from hub.errors import StartError, UnauthenticatedError
from schemas.lifecycle import Role

__all__ = ["Tokens"]

_ASYMMETRIC: Final = ("EdDSA", "ES256", "RS256")
_STREAM_TOKEN_TTL: Final = 24 * 3600
_REMEMBERED: Final = 4096
"""Tokens that need not be checked again before they expire: those of callers, mostly."""

_FAULTS: Final = (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError)


class Tokens:
    """Issues and verifies. `jwks` is a URL or a file; its keys verify EdDSA, ES256 and RS256."""

    def __init__(self, secret: str | None, jwks: str | None = None) -> None:
        self._secret = secret
        self._key = None if secret is None else _symmetric(secret)
        self._known = lru_cache(maxsize=_REMEMBERED)(self._of_our_own)
        self._file: PyJWKSet | None = None
        self._remote: PyJWKClient | None = None
        if jwks is None:
            return
        if jwks.startswith(("https://", "http://")):
            self._remote = PyJWKClient(jwks, cache_keys=True, lifespan=300, timeout=5)
            return
        try:
            self._file = PyJWKSet.from_dict(json.loads(Path(jwks).read_text()))
        except (OSError, ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
            raise StartError(f"ORDERCAST_JWKS: {error}") from None

    def issue(self, role: Role, *, ttl: float, **claims: Any) -> str:
        """A signed token; `claims` that are None are left out."""
        assert self._secret is not None
        now = int(time.time())
        payload = {"aud": AUDIENCE, "role": role.value, "iat": now, "exp": int(now + ttl)}
        payload |= {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(payload, self._secret, algorithm="HS256")

    def stream_token(self, order_id: str) -> str:
        """A customer's token for this one order."""
        return self.issue(Role.CUSTOMER, ttl=_STREAM_TOKEN_TTL, orders=[order_id])

    def device(self, rider_id: str, ttl: float | None = None) -> str:
        """A device id for the rider's app, good for `ttl` seconds or for as long as the secret.

        Raises ValueError for a rider or a time that it cannot hold.
        """
        assert self._secret is not None
        expires = None if ttl is None else time.time() + ttl
        return make_device(rider_id, self._secret.encode(), expires)

    def rider_of(self, device: str) -> str:
        """The rider whose device id this is. Raises UnauthenticatedError."""
        if self._secret is None:
            raise UnauthenticatedError("device ids are not taken here")
        try:
            return read_device(device, self._secret.encode(), time.time())
        except ValueError as error:
            raise UnauthenticatedError(f"the device id {error}") from None

    async def verify(self, token: str) -> Claims:
        """What a token says. Raises UnauthenticatedError, whatever is wrong with it."""
        claims = self.verify_own(token)
        if claims is not None:
            return claims
        try:
            algorithm = jwt.get_unverified_header(token).get("alg")
            if algorithm in _ASYMMETRIC and (self._file or self._remote):
                return self._by_one_of(await self._public_keys(token, algorithm), token, algorithm)
        except _FAULTS as error:
            raise UnauthenticatedError(f"the token is not valid: {error}") from None
        raise UnauthenticatedError("the token's algorithm is not accepted")

    def verify_own(self, token: str) -> Claims | None:
        """`verify` for tokens of our secret; None for those that another key may have signed."""
        if self._key is None:
            return None
        try:
            claims = self._known(token)
            if claims.expires + LEEWAY <= time.time():
                raise jwt.ExpiredSignatureError("Signature has expired")
        except jwt.InvalidAlgorithmError:
            return None
        except _FAULTS as error:
            raise UnauthenticatedError(f"the token is not valid: {error}") from None
        return claims

    def _of_our_own(self, token: str) -> Claims:
        """Raises InvalidAlgorithmError for a token by another kind of key."""
        assert self._secret is not None
        payload = read_plain(token, self._secret.encode(), time.time())
        if payload is not None:
            return _claims(payload)
        return self._decode(token, self._key, ("HS256",))

    async def _public_keys(self, token: str, algorithm: str) -> list[PyJWK]:
        """Those that may have signed it: for signatures of its algorithm, and of the name that it
        gives, if it gives one. Raises jwt.PyJWTError if there is none.
        """
        wanted = jwt.get_unverified_header(token).get("kid")
        fits = [
            key
            for key in await self._named(wanted)
            if key.algorithm_name == algorithm
            and key.public_key_use in ("sig", None)
            and wanted in (key.key_id, None)
        ]
        if not fits:
            raise jwt.InvalidKeyError(f"no {algorithm} key of the JWKS can have signed it")
        return fits

    async def _named(self, wanted: str | None) -> list[PyJWK]:
        """The keys to choose from; PyJWKClient fetches with blocking I/O, and anew for a name."""
        if self._remote is None:
            assert self._file is not None
            return self._file.keys
        if wanted is None:
            return (await asyncio.to_thread(self._remote.get_jwk_set)).keys  # nameless ones too
        return [await asyncio.to_thread(self._remote.get_signing_key, wanted)]

    def _by_one_of(self, keys: list[PyJWK], token: str, algorithm: str) -> Claims:
        *others, last = keys
        for key in others:
            with suppress(jwt.InvalidSignatureError):
                return self._decode(token, key.key, (algorithm,))
        return self._decode(token, last.key, (algorithm,))

    def _decode(self, token: str, key: Any, algorithms: tuple[str, ...]) -> Claims:
        payload = jwt.decode(
            token,
            key,
            algorithms=list(algorithms),
            audience=AUDIENCE,
            leeway=LEEWAY,
            options={"require": ["exp", "aud", "role"]},
        )
        return _claims(payload)


def _symmetric(secret: str) -> PyJWK:
    """As a JWK, a key is looked at once, not for each token anew."""
    octets = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    return PyJWK({"kty": "oct", "k": octets}, "HS256")


def _text(payload: dict[str, Any], name: str) -> str | None:
    value = payload.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError(f"`{name}` must be a string")
    if value is not None:
        value.encode()  # half a surrogate pair is in no key of the store
    return value


def _claims(payload: dict[str, Any]) -> Claims:
    role = Role(payload["role"])
    if not isinstance(payload["exp"], int | float):
        raise ValueError("`exp` must be a number")
    orders = payload.get("orders", [])
    if not isinstance(orders, list) or not all(isinstance(order, str) for order in orders):
        raise ValueError("`orders` must be a list of order ids")
    claims = Claims(
        role=role,
        expires=float(payload["exp"]),
        sub=_text(payload, "sub"),
        orders=frozenset(orders),
        restaurant=_text(payload, "restaurant"),
        partner=_text(payload, "partner") or "default",
    )
    if role is Role.MERCHANT and claims.restaurant is None:
        raise ValueError("a merchant's token must name its `restaurant`")
    if role is Role.RIDER and claims.sub is None:
        raise ValueError("a rider's token must name its `sub`")
    if role is Role.CUSTOMER and claims.sub is None and not claims.orders:
        raise ValueError("a customer's token must name its `orders` or its `sub`")
    return claims
