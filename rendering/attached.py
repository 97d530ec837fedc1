"""Files beside the text of an email: their types, their names on the wire, their place in the message (MSG-25)."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from rendering.headers import one_line

BOUNDARY_PREFIX: Final = "=_sojourn_"
OCTETS: Final = "application/octet-stream"
_TYPES: Final[Mapping[str, str]] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eps": "application/postscript",
    "gz": "application/gzip",
    "heic": "image/heic",
    "ics": "text/calendar",
    "md": "text/markdown",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "pkpass": "application/vnd.apple.pkpass",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "vcf": "text/vcard",
    "webp": "image/webp",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "yaml": "application/yaml",
}
_KNOWN: Final = mimetypes.MimeTypes()
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9 !#$&'()+,.;=@\[\]^_`{}~-]+")
_MOST_OF_A_NAME: Final = 60
_PIECE: Final = 54


def content_type(name: str) -> str:
    """The type of a file by the extension of its name; what is in it is not looked at."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    known = _TYPES.get(extension) or _KNOWN.types_map[True].get(f".{extension}", OCTETS)
    # A message within a message must not be written in base64, as attachments are.
    return OCTETS if known.startswith(("message/", "multipart/")) else known


def described(attachments: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Attachments as people read of them: name, type, size."""
    return [
        {"filename": name, "content_type": content_type(name), "bytes": len(content)} for name, content in attachments
    ]


def with_attachments(head: bytes, body: bytes, attachments: Sequence[tuple[str, bytes]]) -> bytes:
    """A message of a head and a body, which begins with the header of its type, with files behind the body."""
    boundary = BOUNDARY_PREFIX + "files_" + hashlib.sha256(head).hexdigest()[:24]
    line = f"--{boundary}".encode("ascii")
    opening = f'\r\nContent-Type: multipart/mixed;\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    pieces = [head, opening, line, body]
    for name, content in attachments:
        pieces += (line, _part_head(name), base64.encodebytes(content).replace(b"\n", b"\r\n"))
    return b"".join([*pieces, line, b"--\r\n"])


def _part_head(name: str) -> bytes:
    shown = one_line(name).replace("/", "_").replace("\\", "_") or "attachment"
    return (
        f"\r\nContent-Type: {content_type(shown)}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;{_filename(shown)}\r\n\r\n"
    ).encode("ascii")


def _filename(name: str) -> str:
    """The name as a parameter; one that is long or beyond ASCII in the way of RFC 2231, in pieces where need be."""
    if len(name) <= _MOST_OF_A_NAME and _PLAIN_NAME.fullmatch(name):
        return f'\r\n filename="{name}"'
    coded = quote(name.encode("utf-8", "replace"), safe="")
    if len(coded) <= _MOST_OF_A_NAME:
        return f"\r\n filename*=utf-8''{coded}"
    pieces = [""]
    for character in name:
        word = quote(character.encode("utf-8", "replace"), safe="")
        if len(pieces[-1]) + len(word) > _PIECE:
            # Some programs decode every piece by itself: no character is cut.
            pieces.append("")
        pieces[-1] += word
    charset = "utf-8''"
    return ";".join(
        f"\r\n filename*{number}*={'' if number else charset}{piece}" for number, piece in enumerate(pieces)
    )


__all__ = ["BOUNDARY_PREFIX", "content_type", "described", "with_attachments"]
