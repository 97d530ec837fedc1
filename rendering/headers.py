"""Header values as they go over the wire: ASCII, folded, and without any way to begin a new line (RFC 5322, RFC 2047)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from domain.addresses import Address

MAX_LINE: Final = 76
MAX_TOKEN: Final = 900
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0080-\u009f\u2028\u2029]+")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_OVERHEAD: Final = len("=?utf-8?b??=")
_WORD_BYTES: Final = 45
_LEAST_BYTES: Final = 9


def one_line(text: str) -> str:
    """The text with every run of line ends and other control characters turned into a space."""
    return (text if text.isascii() and text.isprintable() else _CONTROL.sub(" ", text)).strip()


def text_value(name: str, text: str) -> bytes:
    """The value of a header that is plain text, such as a subject."""
    line = one_line(text)
    used = len(name) + 2
    if line.isascii() and "=?" not in line:
        if used + len(line) <= MAX_LINE:
            return line.encode("ascii")
        if "  " not in line and max(map(len, line.split(" "))) <= MAX_TOKEN:
            return _folded(line, MAX_LINE - used).encode("ascii")
    return _words(line, used).encode("ascii")


@lru_cache(maxsize=1024)
def address_value(name: str, address: Address) -> bytes:
    """The value of a header that names one mailbox."""
    shown = one_line(address.name)
    used = len(name) + 2
    if not shown:
        return address.mailbox.encode("ascii")
    if not shown.isascii() or "=?" in shown or len(shown) > MAX_LINE - used - 2:
        phrase = _words(shown, used)
    elif _ATOMS.fullmatch(shown):
        phrase = shown
    else:
        phrase = '"' + re.sub(r'(["\\])', r"\\\1", shown) + '"'
    last = phrase.rpartition("\n")[2]
    room = len(last) + len(address.mailbox) + 3 + (used if last is phrase else 0)
    between = " " if room <= MAX_LINE else "\r\n "
    return f"{phrase}{between}<{address.mailbox}>".encode("ascii")


def address_list(name: str, addresses: Sequence[Address]) -> bytes:
    """The value of a header that names some mailboxes, each on a line of its own."""
    if len(addresses) == 1:
        return address_value(name, addresses[0])
    return b",\r\n ".join(address_value(name, address) for address in addresses)


def with_email_id(value: str, delivery_id: str) -> str | None:
    """The value of `X-SMTPAPI` with the id of the delivery among its unique arguments; None where it is no such value (MSG-20)."""
    try:
        told = json.loads(value) if value.strip() else {}
    except (ValueError, RecursionError):
        return None
    arguments = told.get("unique_args", {}) if isinstance(told, dict) else None
    if not isinstance(arguments, dict):
        return None
    return json.dumps({**told, "unique_args": {**arguments, "email_id": delivery_id}})


def _folded(line: str, room: int) -> str:
    """The line broken at spaces, which stay, so that unfolding gives it back."""
    out: list[str] = []
    while len(line) > room:
        cut = line.rfind(" ", 1, max(room, 1) + 1)
        if cut < 0:
            cut = line.find(" ", 1)
        if cut < 0:
            break
        out.append(line[:cut])
        line, room = line[cut:], MAX_LINE
    return "\r\n".join([*out, line])


def _words(line: str, used: int) -> str:
    """The text as encoded words of at most 75 characters, never cut within a character."""
    room = (MAX_LINE - used - _OVERHEAD) // 4 * 3
    out: list[str] = []
    if room < _LEAST_BYTES:
        out.append("")
        room = _WORD_BYTES
    room = min(room, _WORD_BYTES)
    data = line.encode()
    while data:
        cut = min(room, len(data))
        while cut < len(data) and data[cut] & 0xC0 == 0x80:
            cut -= 1
        out.append(f"=?utf-8?b?{base64.b64encode(data[:cut]).decode('ascii')}?=")
        data, room = data[cut:], _WORD_BYTES
    return "\r\n ".join(out)


__all__ = ["address_list", "address_value", "one_line", "text_value", "with_email_id"]
