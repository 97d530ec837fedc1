"""Email addresses: a display name and a mailbox, as people write them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_ANGLE = re.compile(r"(?P<name>.*)<(?P<mailbox>[^<>]*)>", re.DOTALL)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_BRACKETED = re.compile(r"<[^<>]*>")
_BLANKS = re.compile(r"\s+")
_MARKS = re.compile(r'[",\\]')
MAX_DOMAIN: Final = 253
MAX_RECIPIENTS: Final = 15
"""How many addresses one email may go to, all kinds of copies included (CHN-05)."""


class Address(NamedTuple):
    """A mailbox as it goes over the wire (the domain in ASCII) and the name shown for it."""

    mailbox: str
    name: str = ""

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.mailbox.rpartition("@")[2]


@lru_cache(maxsize=4096)
def mailbox(text: str) -> str | None:
    """A mailbox in the form that servers understand, None where the text is none.

    An international domain is written in ASCII; a local part beyond ASCII needs servers that few have, and is none.
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or len(local) > 64 or len(domain) > MAX_DOMAIN or _LOCAL.fullmatch(local) is None:
        return None
    try:
        wire = domain.strip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = wire.split(".")
    if len(wire) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return f"{local}@{wire}"


def parse(text: str) -> Address | None:
    """The one address a text means: `ann@example.com` or `Ann <ann@example.com>`, the name quoted or not.

    A name may hold anything, commas included, because it often comes from a profile; but one with another address in angle
    brackets, unless it is quoted, is more than one address.
    """
    written = _BLANKS.sub(" ", text).strip()
    found = _ANGLE.fullmatch(written)
    name = "" if found is None else found["name"].strip()
    if "<" in name and _BRACKETED.search(name) is not None and _QUOTED.fullmatch(name) is None:
        return None
    box = mailbox(written if found is None else found["mailbox"])
    return None if box is None else Address(box, unquoted(name))


def unquoted(name: str) -> str:
    """A display name without the quotes it may be written in."""
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name


def parse_list(text: str) -> list[Address] | None:
    """The addresses of a list separated by commas, at most fifteen; None where one of them is none.

    A comma within a quoted name is part of the name.
    """
    parts = entries(text)
    found = [parse(part) for part in parts] if len(parts) <= MAX_RECIPIENTS else [None]
    if any(address is None for address in found):
        return None
    return [address for address in found if address is not None]


def entries(text: str) -> list[str]:
    """The parts of a list separated by commas, whatever they hold; in time that grows with the text and no faster.

    A quote that is never closed is a character like others.
    """
    found, begun, escaped, quoted = [], 0, -1, False
    for mark in _MARKS.finditer(text):
        at, what = mark.start(), mark.group()
        if at == escaped:
            continue
        if what == '"':
            quoted = not quoted
        elif what == "\\":
            escaped = at + 1 if quoted else escaped
        elif not quoted:
            found.append(text[begun:at])
            begun = at + 1
    rest = text[begun:]
    found += rest.split(",") if quoted else [rest]
    return [part for part in found if part.strip()]


def parse_recipients(text: str) -> list[Address] | None:
    """Whom an email that may go to several people is for; one whose name holds a comma without quotes is still one.

    A name that holds an address is none: it is a list of which something is wrong.
    """
    found = parse_list(text)
    if found:
        return found
    one = parse(text)
    return None if one is None or "@" in one.name else [one]


__all__ = ["MAX_RECIPIENTS", "Address", "entries", "mailbox", "parse", "parse_list", "parse_recipients", "unquoted"]
