"""The keys of the audit log: the operator's secret, the same for all workers of a store.

A key is never kept in the store: whoever can change events there must not be able to sign them.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hub.core.audit.heads import Signer
from hub.errors import StartError
from hub.private import make_private
from hub.settings import Settings

__all__ = ["Keys", "load_keys"]

_FILE: Final = "audit.key"

Head = Mapping[str, Any]


class Keys:
    """The key that signs, and the one before it while it hands over."""

    def __init__(self, present: Signer, previous: Signer | None = None) -> None:
        self.present = present
        self.previous = previous

    def next_after(self, head: Head | None) -> tuple[Signer, str | None] | None:
        """Who signs the head after this one, and the key that it names as the next; None where
        ours may not follow it.
        """
        if head is None or self.present.public.signed(head):
            return self.present, None
        if self.previous is None or not self.previous.public.signed(head):
            return None
        successor = self.present.public.text
        if head.get("nextKey") == successor:
            return self.present, None
        return self.previous, successor


def load_keys(settings: Settings, *, make: bool = False) -> Keys:
    """The keys that the settings name, or that of the data directory; `make` one if there is none.

    Raises StartError.
    """
    previous = settings.audit_key_previous
    return Keys(
        _present(settings, make),
        _signer("ORDERCAST_AUDIT_KEY_PREVIOUS", previous) if previous else None,
    )


def _present(settings: Settings, make: bool) -> Signer:
    if settings.audit_key is not None:
        return _signer("ORDERCAST_AUDIT_KEY", settings.audit_key)
    path = settings.data_dir / _FILE
    if not path.exists():
        if not make:
            raise StartError(
                f"ORDERCAST_AUDIT_KEY: not set, and there is no {path}; `ordercast audit key` "
                "makes one, which all workers must have"
            )
        make_private(path, urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))
    return _signer("ORDERCAST_AUDIT_KEY", str(path))


def _signer(setting: str, told: str) -> Signer:
    """From a key itself, or the path of a file with one."""
    try:
        return Signer.read(told)
    except ValueError:
        pass
    try:
        text = Path(told).read_text(encoding="utf-8")
    except (OSError, ValueError):  # never tell what was given: it may be a key with a typing error
        raise StartError(f"{setting}: is no Ed25519 key, nor a file that can be read") from None
    try:
        return Signer.read(text)
    except ValueError as error:
        raise StartError(f"{setting}: the file {told} {error}") from None
