"""Attachments of transactional emails: what may be attached, and how much of it (MSG-25)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from domain.sending.refusals import NO_FILE, TOO_LARGE, SendRefused
from domain.sending.values import Said, given

MOST_BYTES: Final = 2048 * 1024
"""All attachments of a call together, as the files are."""
FIELD: Final = "attachments"
FORBIDDEN: Final = (
    " bat bin chm com cpl crt exe hlp hta inf ins isp jse lnk mdb msc msi msp mst pcd pif reg scr sct shs vbe vba vbs "
    "wsf wsh wsl "
)
"""Extensions of files that run."""
_BLANKS: Final = str.maketrans("", "", " \r\n\t")


def attachments_of(said: Said) -> dict[str, str]:
    """The files of a call by their names, in base64 without line breaks; raises SendRefused."""
    written = given(said, FIELD)
    if not written:
        return {}
    if not isinstance(written, Mapping):
        raise SendRefused(NO_FILE, FIELD)
    found = {name: _checked(name, content) for name, content in written.items()}
    if sum(decoded_size(content) for content in found.values()) > MOST_BYTES:
        raise SendRefused(TOO_LARGE, FIELD, "attachments_too_large")
    return found


def decoded_size(content: str) -> int:
    """How large a file in base64 is."""
    return len(content) // 4 * 3 - content[-2:].count("=")


def decoded(attachments: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    """The files behind what was kept of a call."""
    return tuple((name, base64.b64decode(content)) for name, content in attachments.items())


def size_written(said: Any) -> int:
    """How much of a call is what its attachments hold, which does not count toward the size of a call (CHN-02)."""
    written = said.get(FIELD) if isinstance(said, Mapping) else None
    values = written.values() if isinstance(written, Mapping) else ()
    return sum(len(value.encode()) for value in values if isinstance(value, str))


def _checked(name: str, content: Any) -> str:
    extension = name.rpartition(".")[2] if "." in name.strip(". ") else ""
    if not extension.strip() or content is None or content == "":
        raise SendRefused(NO_FILE, FIELD)
    if any(ord(character) < 32 or character in "/\\" for character in name):
        raise SendRefused(NO_FILE, FIELD)
    if f" {extension.strip().lower()} " in FORBIDDEN:
        message = f'Forbidden file type {extension.strip().lower()} for attachment "{name}"'
        raise SendRefused(message, FIELD, "forbidden_file")
    packed = content.translate(_BLANKS) if isinstance(content, str) else ""
    try:
        whole = bool(base64.b64decode(packed, validate=True))
    except (binascii.Error, ValueError):
        whole = False
    if not whole:
        raise SendRefused(f'Attachment must be base64 encoded: "{name}"', FIELD)
    return packed


__all__ = ["FORBIDDEN", "MOST_BYTES", "attachments_of", "decoded", "decoded_size", "size_written"]
