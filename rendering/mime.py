"""An email on the wire: a skeleton per kind of message, built once, and the parts of one message put into it.

What `email.message` would make of the same message says the same to a reader; it is an order of magnitude slower.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from domain.addresses import Address
from rendering.attached import BOUNDARY_PREFIX, with_attachments
from rendering.headers import address_list, address_value, text_value

MAX_BODY_LINE: Final = 900
_BEYOND_ASCII: Final = bytes(range(128, 256))


@dataclass(frozen=True, slots=True)
class Mail:
    """One email before it is written out; `headers` come after ours, in order, `links` are header values used as they are.

    `attachments` are files by their names.
    """

    sender: Address
    recipients: tuple[Address, ...]
    subject: str
    date: datetime
    message_id: str
    text: str
    html: str
    amp: str | None = None
    cc: tuple[Address, ...] = ()
    reply_to: Address | None = None
    headers: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    attachments: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What all messages of one shape have in common: the names of their headers, and the lines between their parts."""

    names: tuple[bytes, ...]
    before: tuple[bytes, ...]
    ending: bytes

    def head(self, values: Sequence[bytes]) -> bytes:
        """The headers of one message, without the one that says what its parts are."""
        pieces: list[bytes] = []
        for name, value in zip(self.names, values, strict=True):
            pieces += (name, value)
        return b"".join(pieces)

    def body(self, parts: Sequence[bytes]) -> bytes:
        """The parts, each beginning with its transfer encoding, from the header that says what they are."""
        pieces: list[bytes] = []
        for before, part in zip(self.before, parts, strict=True):
            pieces += (before, part)
        return b"".join([*pieces, self.ending])


@lru_cache(maxsize=512)
def skeleton(names: tuple[str, ...], kinds: tuple[str, ...] = ("plain", "html")) -> Skeleton:
    """The skeleton of messages with these headers in this order, and parts of these kinds of text."""
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]
    boundary = f"{BOUNDARY_PREFIX}{digest}"
    first = f"MIME-Version: 1.0\r\n{names[0]}: "
    lines = [
        f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: ' for kind in kinds
    ]
    opening = f'\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n{lines[0]}'
    return Skeleton(
        names=(first.encode("ascii"), *(f"\r\n{name}: ".encode("ascii") for name in names[1:])),
        before=(opening.encode("ascii"), *(f"\r\n{line}".encode("ascii") for line in lines[1:])),
        ending=f"\r\n--{boundary}--\r\n".encode("ascii"),
    )


def build(mail: Mail) -> bytes:
    """The message as it is sent, every line ending in CRLF."""
    values = [
        address_value("From", mail.sender),
        address_list("To", mail.recipients),
        text_value("Subject", mail.subject),
        _date(mail.date.replace(microsecond=0)),
        mail.message_id.encode("ascii"),
    ]
    names = ["From", "To", "Subject", "Date", "Message-ID"]
    if mail.cc:
        names.append("Cc")
        values.append(address_list("Cc", mail.cc))
    if mail.reply_to is not None:
        names.append("Reply-To")
        values.append(address_value("Reply-To", mail.reply_to))
    for name, value in mail.links:
        names.append(name)
        values.append(value.encode("ascii"))
    for name, value in mail.headers:
        names.append(name)
        values.append(text_value(name, value))
    if mail.amp is None:
        shape = skeleton(tuple(names))
        parts = [_part(mail.text), _part(mail.html)]
    else:
        # Mail programs take the last part they know, and some know nothing of AMP that stands behind HTML.
        shape = skeleton(tuple(names), ("plain", "x-amp-html", "html"))
        parts = [_part(mail.text), _part(mail.amp), _part(mail.html)]
    head, body = shape.head(values), shape.body(parts)
    return with_attachments(head, body, mail.attachments) if mail.attachments else head + body


@lru_cache(maxsize=64)
def _date(second: datetime) -> bytes:
    return format_datetime(second).encode("ascii")


def _part(text: str) -> bytes:
    """A part from its transfer encoding on; readable wherever the text allows it."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    lines = whole.split("\n")
    if (
        whole.isascii()
        and max(map(len, lines)) <= MAX_BODY_LINE
        and BOUNDARY_PREFIX not in whole
        and "\x00" not in whole
    ):
        return b"7bit\r\n\r\n" + "\r\n".join(lines).encode("ascii")
    data = whole.encode("utf-8", "replace")
    beyond = len(data) - len(data.translate(None, _BEYOND_ASCII))
    if beyond * 6 < len(data):
        quoted = binascii.b2a_qp(data, istext=True)
        return b"quoted-printable\r\n\r\n" + quoted.replace(b"\n", b"\r\n")
    coded = base64.encodebytes(data.replace(b"\n", b"\r\n")).rstrip(b"\n")
    return b"base64\r\n\r\n" + coded.replace(b"\n", b"\r\n")


__all__ = ["Mail", "Skeleton", "build", "skeleton"]
