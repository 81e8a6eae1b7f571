"""The connection to the store: one client, its scripts, and its errors mapped at the border."""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Literal

from hiredis import ReplyError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from hub.errors import StartError, UnavailableError
from hub.store.link import Address, address_of_url
from hub.store.pipes import Pipes

__all__ = ["Connection", "Durability", "Script"]

Durability = Literal["everysec", "fsync", "replica"]

CONNECT_TIMEOUT = 1.0
COMMAND_TIMEOUT = 4.0
START_TIMEOUT = 3.0
POOL = 32

_SCHEMES = ("redis://", "rediss://", "unix://", "redis+cluster://", "rediss+cluster://")


def _without_password(url: str) -> str:
    return re.sub(r"://[^@/]*@", "://***@", url)


class Script:
    """One atomic script, `scripts/<name>.lua`, called by its digest. `after`: a script with what
    several have in common, put before it.

    Scripts rather than a function library: during a rolling upgrade two versions of a hub share
    one store, and each calls its own text.
    """

    def __init__(self, name: str, after: str | None = None) -> None:
        self.name = name
        folder = files("hub.store").joinpath("scripts")
        names = filter(None, (after, name))
        self.text = "\n".join(folder.joinpath(f"{each}.lua").read_text() for each in names)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class Connection:
    """Commands to a server or a cluster.

    Every method raises UnavailableError when the store cannot be reached, is loading, or is read
    only; then nothing was written, or what was written is found by asking again.
    """

    def __init__(self, url: str, durability: Durability = "everysec") -> None:
        self.url = url
        self.durability = durability
        self.cluster = url.startswith(("redis+cluster://", "rediss+cluster://"))
        if self.cluster and durability != "everysec":
            raise StartError(
                f"ORDERCAST_DURABILITY: {durability} is not available on a cluster; "
                "set appendfsync on its nodes"
            )
        self._client = self._connect(url)
        self.home, self.credentials = address_of_url(url)
        self.pipes = Pipes(self.credentials)

    def _connect(self, url: str) -> Any:
        if not url.lower().startswith(_SCHEMES):
            raise StartError(f"ORDERCAST_REDIS_URL: must begin with {', '.join(_SCHEMES)}")
        options: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_TIMEOUT,
            "socket_timeout": COMMAND_TIMEOUT,
        }
        try:
            if self.cluster:
                return RedisCluster.from_url(url.replace("+cluster", ""), **options)
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=POOL,
                timeout=COMMAND_TIMEOUT,
                retry=Retry(NoBackoff(), 0),
                **options,
            )
            return Redis.from_pool(pool)
        except (ValueError, RedisClusterException) as error:
            said = str(error).partition("\n")[0]
            raise StartError(f"ORDERCAST_REDIS_URL: {said}") from None

    @property
    def client(self) -> Any:
        """The redis-py client, for commands that need no script. Use inside `mapped()`."""
        return self._client

    @asynccontextmanager
    async def mapped(self) -> AsyncIterator[Any]:
        """The client, with its errors turned into ours."""
        try:
            yield self._client
        except (RedisConnectionError, RedisTimeoutError, RedisClusterException, OSError) as error:
            raise UnavailableError(str(error)) from error
        except ResponseError as error:
            if str(error).startswith(
                (
                    "LOADING",
                    "READONLY",
                    "MASTERDOWN",
                    "CLUSTERDOWN",
                    "OOM",
                    "MISCONF",
                    "NOREPLICAS",
                    "TRYAGAIN",
                    "UNKILLABLE",
                    "BUSY",
                )
            ):
                raise UnavailableError(str(error)) from error
            raise

    def address(self, key: str) -> Address:
        """The server that holds `key`. On a cluster, the one that redis-py knows of."""
        if not self.cluster:
            return self.home
        node = self._client.get_node_from_key(key)
        return (self.home[0], node.host, str(node.port))

    async def ask(self, *command: Any) -> Any:
        """A command whose first argument is its key, sent with all others of this tick.

        An error is asked for again by redis-py, which knows what to do about it: it follows a
        slot that moved, or says what is wrong.
        """
        reply = await self._ask(command[1], *command)
        if isinstance(reply, ReplyError):
            async with self.mapped() as client:
                return await client.execute_command(*command)
        return reply

    async def run(self, script: Script, keys: Sequence[str], *args: Any) -> Any:
        """Run a script; as `ask` otherwise."""
        reply = await self._ask(keys[0], "EVALSHA", script.digest, len(keys), *keys, *args)
        if isinstance(reply, ReplyError):
            return await self._run_by_client(script, keys, *args)
        return reply

    async def _ask(self, key: str, *command: Any) -> Any:
        if self.cluster:
            async with self.mapped() as client:
                await client.initialize()  # at once, but for the first time
        return await self.pipes.ask(self.address(key), *command)

    async def _run_by_client(self, script: Script, keys: Sequence[str], *args: Any) -> Any:
        """Load the script first where the server does not know it (yet, or any more)."""
        async with self.mapped() as client:
            try:
                return await client.evalsha(script.digest, len(keys), *keys, *args)
            except NoScriptError:
                return await client.eval(script.text, len(keys), *keys, *args)

    async def commit(self, script: Script, keys: Sequence[str], *args: Any) -> Any:
        """Run a script whose effect must be as durable as the settings ask before it is told.

        `everysec`: in the append-only file when the answer comes. `fsync`, `replica`: also on
        the disk of the server, in the file of a replica (WAITAOF, Redis 7.2).
        """
        if self.durability == "everysec":
            return await self.run(script, keys, *args)
        local, replicas = (1, 0) if self.durability == "fsync" else (0, 1)
        async with self.mapped() as client:
            # WAITAOF waits for the writes of its own connection, hence one pipeline; a pipeline
            # cannot load a script half way, hence the text instead of the digest.
            pipeline = client.pipeline(transaction=False)
            pipeline.eval(script.text, len(keys), *keys, *args)
            pipeline.execute_command("WAITAOF", local, replicas, int(COMMAND_TIMEOUT * 500))
            answer, (done, copies) = await pipeline.execute()
        if done < local or copies < replicas:
            raise UnavailableError(f"the store did not confirm {self.durability} in time")
        return answer

    async def check(self) -> None:
        """Reach the store, which may be starting beside us, and see that it is new enough.

        Raises StartError with one line that says what is wrong.
        """
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                info = await self._info()
                break
            except (UnavailableError, RedisError) as error:
                if time.monotonic() > deadline or not isinstance(error, UnavailableError):
                    named = f"ORDERCAST_REDIS_URL: cannot use {_without_password(self.url)}"
                    raise StartError(f"{named}: {error}") from None
            await asyncio.sleep(0.1)
        version = str(info.get("redis_version", "0"))
        if int(version.split(".")[0]) < 7:
            raise StartError(f"ORDERCAST_REDIS_URL: Redis {version} is too old, 7.0 is needed")

    async def _info(self) -> dict[str, Any]:
        async with self.mapped() as client:
            if not self.cluster:
                return dict(await client.info("server"))
            await client.initialize()
            return dict(await client.info(target_nodes=client.get_random_node()))

    async def ping(self) -> None:
        """Raises UnavailableError."""
        async with self.mapped() as client:
            await client.ping()

    async def close(self) -> None:
        self.pipes.close()
        await self._client.aclose()
