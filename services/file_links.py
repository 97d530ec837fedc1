"""Links to files that need no key: signed, and good for a quarter of an hour (APP-13)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from domain.errors import DomainError
from domain.values import to_unix

LIFE = timedelta(minutes=15)
PURPOSE = b"sojourn/file-links"
_SIGNATURE = 18
_LONGEST = 200

FileKind = Literal["export", "report"]
_KINDS: dict[str, FileKind] = {"export": "export", "report": "report"}


class FileRef(NamedTuple):
    """The file of an export, or the report of an import."""

    kind: FileKind
    workspace_id: int
    number: int


class FileLinks:
    """Signs and reads links; `secret` is the deployment's, of which a key of its own is derived."""

    def __init__(self, secret: bytes, base_url: str) -> None:
        self._key = hmac.digest(secret, PURPOSE, hashlib.sha256)
        self._base = base_url.rstrip("/")

    def link(self, ref: FileRef, real_now: datetime) -> str:
        """Where the file can be fetched from now on for a while."""
        text = f"{ref.kind}.{ref.workspace_id}.{ref.number}.{to_unix(real_now + LIFE)}".encode()
        token = base64.urlsafe_b64encode(self._signature(text) + text).decode().rstrip("=")
        return f"{self._base}/v1/exports/files/{token}"

    def read(self, token: str, real_now: datetime) -> FileRef:
        """What a link is for; raises DomainError `not_found` for one that is not ours, or not good any more."""
        try:
            if len(token) > _LONGEST:
                raise _unknown()
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            raise _unknown() from None
        signature, text = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._signature(text)):
            raise _unknown()
        kind, workspace_id, number, until = text.decode().split(".")
        if int(until) < to_unix(real_now):
            raise _unknown()
        return FileRef(_KINDS[kind], int(workspace_id), int(number))

    def _signature(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, hashlib.sha256)[:_SIGNATURE]


def _unknown() -> DomainError:
    return DomainError("not_found", "There is no such file, or the link is not good any more; ask for a new one.")


__all__ = ["LIFE", "FileLinks", "FileRef"]
