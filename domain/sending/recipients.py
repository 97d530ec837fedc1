"""Whom a transactional call is about, and whom its message goes to (CHN-03, CHN-05)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from domain.addresses import MAX_RECIPIENTS, entries, parse, parse_list, parse_recipients
from domain.emails import bare_address
from domain.operations import Identifier, IdentifierKind
from domain.sending.refusals import NO_PHONE, TOO_MANY, SendRefused, malformed, missing, no_address
from domain.sending.values import Said, given, is_liquid, text

FIELD: Final = "identifiers"
KINDS: Final[tuple[IdentifierKind, ...]] = ("id", "email", "cio_id")
ID_BYTES: Final = 150
E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_COPIES: Final = ("to", "cc", "bcc")


def person_of(said: Said, *, by_email: bool) -> Identifier:
    """The one identifier that a call names its person by; `by_email` says whether an address may be it here."""
    identifiers = given(said, FIELD)
    if identifiers is None:
        raise missing(FIELD)
    if not isinstance(identifiers, Mapping):
        raise malformed(FIELD, "give an object.")
    named = {kind: value for kind in KINDS if (value := given(identifiers, kind)) is not None}
    if not named:
        raise missing(FIELD)
    if len(named) > 1:
        raise malformed(FIELD, "give exactly one of id, email and cio_id.")
    ((kind, value),) = named.items()
    if kind == "email" and not by_email:
        raise malformed(FIELD, "in this workspace an email names nobody.")
    written = _written(value)
    if written is None or (kind == "id" and len(written.encode()) > ID_BYTES):
        raise malformed(FIELD, f"the {kind} is none.")
    if kind == "email" and bare_address(written) is None:
        raise no_address(FIELD)
    if kind == "id":
        return Identifier(kind=kind, value=written)
    return Identifier(kind=kind, value=_without_prefix(written.strip()) if kind == "cio_id" else written.strip())


def check_recipients(said: Said) -> dict[str, str]:
    """`to`, `cc`, `bcc` and `reply_to` of an email, as far as they are given; raises SendRefused.

    What is Liquid shows whom it names when it is rendered.
    """
    found: dict[str, str] = {}
    count = 0
    for field in _COPIES:
        written = text(said, field)
        if written is None or not written.strip():
            continue
        count += 1 if is_liquid(written) else sum("@" in part for part in entries(written))
        if count > MAX_RECIPIENTS:
            raise SendRefused(TOO_MANY, field)
        names = parse_recipients if field == "to" else parse_list
        if not is_liquid(written) and not names(written):
            raise no_address(field)
        found[field] = written
    answers = text(said, "reply_to")
    if answers is not None and answers.strip():
        if not is_liquid(answers) and parse(answers) is None:
            raise no_address("reply_to")
        found["reply_to"] = answers
    return found


def phone_of(said: Said, field: str) -> str | None:
    """A telephone number, or the Liquid that gives one; None where there is none."""
    value = given(said, field)
    if value is None:
        return None
    if not isinstance(value, str) or not (is_liquid(value) or E164.fullmatch(value.strip())):
        raise SendRefused(NO_PHONE, field)
    return value.strip()


def _written(value: Any) -> str | None:
    """An identifier as a text; numbers become one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
    written = str(value) if isinstance(value, str | int | float) else ""
    return written if written.strip() else None


def _without_prefix(cio: str) -> str:
    """A cio_id may be written with `cio_` before it (APP-01)."""
    return cio[4:] if cio.casefold().startswith("cio_") else cio


__all__ = ["E164", "check_recipients", "person_of", "phone_of"]
