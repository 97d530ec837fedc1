"""Email addresses: a display name and a mailbox, as people write them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_ANGLE = re.compile(r"(?P<name>.*)<(?P<mailbox>[^<>]*)>", re.DOTALL)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_BLANKS = re.compile(r"\s+")
_PARTS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^,])+', re.DOTALL)
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
    if not at or len(local) > 64 or _LOCAL.fullmatch(local) is None:
        return None
    try:
        wire = domain.strip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = wire.split(".")
    if len(wire) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return f"{local}@{wire}"


def parse(text: str) -> Address | None:
    """The one address a text means: `ann@example.com` or `Ann <ann@example.com>`, the name quoted or not.

    A name may hold anything, commas included, because it often comes from a profile.
    """
    written = _BLANKS.sub(" ", text).strip()
    found = _ANGLE.fullmatch(written)
    name = "" if found is None else found["name"].strip()
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
    found = [parse(part) for part in _PARTS.findall(text) if part.strip()]
    if len(found) > MAX_RECIPIENTS or any(address is None for address in found):
        return None
    return [address for address in found if address is not None]


def parse_recipients(text: str) -> list[Address] | None:
    """Whom an email that may go to several people is for; one whose name holds a comma without quotes is still one."""
    found = parse_list(text)
    if found:
        return found
    one = parse(text)
    return None if one is None else [one]


__all__ = ["MAX_RECIPIENTS", "Address", "mailbox", "parse", "parse_list", "parse_recipients", "unquoted"]
