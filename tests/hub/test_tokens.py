"""Whose word counts: our own secret, and keys that a JWKS names (contract 8)."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from hub.cli import cli
from hub.errors import StartError, UnauthenticatedError
from hub.services.tokens import Tokens
from schemas.lifecycle import Role
from tests.hub.harness import SECRET


def private_keys() -> dict[str, Any]:
    return {
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "RS256": rsa.generate_private_key(65537, 2048),
    }


KEYS, FORMER, FOREIGN = private_keys(), private_keys(), private_keys()
ALGORITHMS = {"EdDSA": "OKPAlgorithm", "ES256": "ECAlgorithm", "RS256": "RSAAlgorithm"}


def key_set(private: dict[str, Any] = KEYS) -> dict[str, Any]:
    keys = []
    for name, key in private.items():
        algorithm = getattr(jwt.algorithms, ALGORITHMS[name])
        public = json.loads(algorithm.to_jwk(key.public_key()))
        keys.append({**public, "kid": name, "alg": name, "use": "sig"})
    return {"keys": keys}


@pytest.fixture
def jwks(tmp_path: Path) -> str:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(key_set()))
    return str(path)


def payload(**changes: Any) -> dict[str, Any]:
    whole = {"aud": "ordercast", "role": "rider", "sub": "r1", "exp": int(time.time()) + 60}
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def signed(algorithm: str, kid: str | None = None, **changes: Any) -> str:
    headers = {"kid": kid or algorithm}
    return jwt.encode(payload(**changes), KEYS[algorithm], algorithm=algorithm, headers=headers)


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_jwks_file_verifies(algorithm: str, jwks: str) -> None:
    """EdDSA, ES256 and RS256, by the key that the token names."""
    claims = await Tokens(None, jwks).verify(signed(algorithm))
    assert (Role.RIDER, "r1") == (claims.role, claims.sub)


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_token_that_names_no_key(algorithm: str, tmp_path: Path) -> None:
    """Every key of its algorithm is tried: during a rotation there are two."""
    keys = [*key_set(FORMER)["keys"], *key_set()["keys"]]
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": keys}))
    tokens = Tokens(None, str(tmp_path / "jwks.json"))
    unnamed = jwt.encode(payload(), KEYS[algorithm], algorithm=algorithm)
    assert "r1" == (await tokens.verify(unnamed)).sub
    foreign = jwt.encode(payload(), FOREIGN[algorithm], algorithm=algorithm)
    with pytest.raises(UnauthenticatedError, match="Signature verification failed"):
        await tokens.verify(foreign)


async def test_a_key_of_another_kind_is_said_in_words(jwks: str) -> None:
    with pytest.raises(UnauthenticatedError, match="no EdDSA key"):
        await Tokens(None, jwks).verify(signed("EdDSA", kid="ES256"))


@asynccontextmanager
async def served(told: dict[str, Any]) -> AsyncIterator[str]:
    """A JWKS by HTTP; its URL."""

    async def serve(request: web.Request) -> web.Response:
        return web.json_response(told)

    application = web.Application()
    application.router.add_get("/jwks", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    finally:
        await runner.cleanup()


async def test_a_jwks_url_verifies() -> None:
    """Fetched from where it is served. A name is nothing that a key must have (RFC 7517, 4.5)."""
    unnamed = jwt.encode(payload(), KEYS["ES256"], algorithm="ES256")
    async with served(key_set()) as url:
        assert "r1" == (await Tokens(None, url).verify(signed("EdDSA"))).sub
        assert "r1" == (await Tokens(None, url).verify(unnamed)).sub
    nameless = [{n: v for n, v in key.items() if n != "kid"} for key in key_set()["keys"]]
    async with served({"keys": nameless}) as url:
        assert "r1" == (await Tokens(None, url).verify(unnamed)).sub


async def test_a_jwks_that_cannot_be_fetched_refuses() -> None:
    """A token that cannot be checked is not taken, and nothing breaks."""
    with pytest.raises(UnauthenticatedError):
        await Tokens(SECRET, "http://127.0.0.1:1/jwks").verify(signed("EdDSA"))


async def test_our_own_secret_counts_beside_a_jwks(jwks: str) -> None:
    """HS256 is still taken when a secret is set, and only then."""
    ours = Tokens(SECRET).issue(Role.OPS, ttl=60)
    assert Role.OPS is (await Tokens(SECRET, jwks).verify(ours)).role
    with pytest.raises(UnauthenticatedError):
        await Tokens(None, jwks).verify(ours)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        jwt.encode(payload(), None, algorithm="none"),
        jwt.encode(payload(), "another secret, just as long as ours", algorithm="HS256"),
        jwt.encode(payload(), SECRET * 2, algorithm="HS512"),
        jwt.encode(payload(aud=None), SECRET, algorithm="HS256"),
        jwt.encode(payload(aud="elsewhere"), SECRET, algorithm="HS256"),
        jwt.encode(payload(exp=None), SECRET, algorithm="HS256"),
        jwt.encode(payload(exp=int(time.time()) - 31), SECRET, algorithm="HS256"),
        jwt.encode(payload(exp=float("inf")), SECRET, algorithm="HS256"),
        jwt.encode(payload(role=None), SECRET, algorithm="HS256"),
        jwt.encode(payload(role="king"), SECRET, algorithm="HS256"),
        jwt.encode(payload(role=["rider"]), SECRET, algorithm="HS256"),
        jwt.encode(payload(sub=None), SECRET, algorithm="HS256"),
        jwt.encode(payload(role="merchant"), SECRET, algorithm="HS256"),
        jwt.encode(payload(role="customer", sub=None), SECRET, algorithm="HS256"),
        jwt.encode(payload(role="customer", orders="ord_1"), SECRET, algorithm="HS256"),
        jwt.encode(payload(role="partner", partner=7), SECRET, algorithm="HS256"),
        signed("EdDSA", kid="ES256"),
        signed("EdDSA", kid="unknown"),
        signed("RS256", aud="elsewhere"),
    ],
)
async def test_anything_else_is_refused_in_words(token: str, jwks: str) -> None:
    """Whatever is wrong with a token, the answer is the same error with its reason."""
    with pytest.raises(UnauthenticatedError) as refused:
        await Tokens(SECRET, jwks).verify(token)
    assert refused.value.detail.startswith("the token")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": [{"kty": "OKP"}]}'])
def test_a_jwks_that_is_none_stops_the_start(text: str, tmp_path: Path) -> None:
    """Named as the setting that it is."""
    path = tmp_path / "jwks.json"
    path.write_text(text)
    with pytest.raises(StartError, match="ORDERCAST_JWKS"):
        Tokens(None, str(path))


@pytest.mark.parametrize("ttl", ["0", "0s", "20000d", "never"])
def test_how_long_a_token_is_good_for_has_bounds(ttl: str) -> None:
    """One that has expired already, or never will, is no token."""
    words = ["token", "--role", "platform", "--ttl", ttl]
    result = CliRunner().invoke(cli, words, env={"ORDERCAST_SECRET": SECRET})
    assert result.exit_code == 2
    assert "--ttl" in result.output


@pytest.mark.parametrize("words", [["schema", "openapi"], ["eta", "train", "x.csv"]])
def test_a_variable_that_names_no_setting_stops_every_command(words: list[str]) -> None:
    result = CliRunner().invoke(cli, words, env={"ORDERCAST_FOO": "1"})
    assert isinstance(result.exception, StartError)
    assert str(result.exception) == "ORDERCAST_FOO: there is no such setting"
