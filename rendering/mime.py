"""An email on the wire: a skeleton per kind of message, built once, and the parts of one message put into it.

What `email.message` would make of the same message says the same to a reader; it is an order of magnitude slower.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from domain.addresses import Address
from rendering.headers import address_value, text_value

MAX_BODY_LINE: Final = 900
_BOUNDARY_PREFIX: Final = "=_sojourn_"


@dataclass(frozen=True, slots=True)
class Mail:
    """One email before it is written out; `headers` come after ours, in order, `links` are header values used as they are."""

    sender: Address
    recipient: Address
    subject: str
    date: datetime
    message_id: str
    text: str
    html: str
    reply_to: Address | None = None
    headers: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What all messages of one shape have in common: the names of their headers, and the lines between their parts."""

    names: tuple[bytes, ...]
    before_text: bytes
    before_html: bytes
    ending: bytes

    def fill(self, values: list[bytes], text: bytes, html: bytes) -> bytes:
        """One message: the values of the headers, and the two parts with their transfer encodings."""
        pieces: list[bytes] = []
        for name, value in zip(self.names, values, strict=True):
            pieces += (name, value)
        return b"".join([*pieces, self.before_text, text, self.before_html, html, self.ending])


@lru_cache(maxsize=512)
def skeleton(names: tuple[str, ...]) -> Skeleton:
    """The skeleton of messages with these headers in this order."""
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]
    boundary = f"{_BOUNDARY_PREFIX}{digest}"
    first = f"MIME-Version: 1.0\r\n{names[0]}: "
    part = f'--{boundary}\r\nContent-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: '
    return Skeleton(
        names=(first.encode("ascii"), *(f"\r\n{name}: ".encode("ascii") for name in names[1:])),
        before_text=(
            f'\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n{part % "plain"}'
        ).encode("ascii"),
        before_html=f"\r\n{part % 'html'}".encode("ascii"),
        ending=f"\r\n--{boundary}--\r\n".encode("ascii"),
    )


def build(mail: Mail) -> bytes:
    """The message as it is sent, every line ending in CRLF."""
    values = [
        address_value("From", mail.sender),
        address_value("To", mail.recipient),
        text_value("Subject", mail.subject),
        format_datetime(mail.date).encode("ascii"),
        mail.message_id.encode("ascii"),
    ]
    names = ["From", "To", "Subject", "Date", "Message-ID"]
    if mail.reply_to is not None:
        names.append("Reply-To")
        values.append(address_value("Reply-To", mail.reply_to))
    for name, value in mail.links:
        names.append(name)
        values.append(value.encode("ascii"))
    for name, value in mail.headers:
        names.append(name)
        values.append(text_value(name, value))
    shape = skeleton(tuple(names))
    return shape.fill(values, _part(mail.text), _part(mail.html))


def _part(text: str) -> bytes:
    """A part from its transfer encoding on; readable wherever the text allows it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if lines.isascii() and _short_lines(lines) and _BOUNDARY_PREFIX not in lines and "\x00" not in lines:
        return b"7bit\r\n\r\n" + lines.replace("\n", "\r\n").encode("ascii")
    data = lines.encode("utf-8", "replace")
    beyond = len(data) - len(data.translate(None, _BEYOND_ASCII))
    if beyond * 6 < len(data):
        quoted = binascii.b2a_qp(data, istext=True)
        return b"quoted-printable\r\n\r\n" + quoted.replace(b"\n", b"\r\n")
    coded = base64.encodebytes(data.replace(b"\n", b"\r\n")).rstrip(b"\n")
    return b"base64\r\n\r\n" + coded.replace(b"\n", b"\r\n")


_BEYOND_ASCII: Final = bytes(range(128, 256))


def _short_lines(text: str) -> bool:
    return len(text) <= MAX_BODY_LINE or max(map(len, text.split("\n"))) <= MAX_BODY_LINE


__all__ = ["Mail", "Skeleton", "build", "skeleton"]
