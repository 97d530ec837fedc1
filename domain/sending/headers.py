"""Headers of a transactional email, in any of the forms that libraries send (CHN-05)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from domain.content import RESERVED_HEADERS
from domain.sending.refusals import NOT_ASCII, SendRefused, malformed
from domain.sending.values import Said, given, json_within

MOST: Final = 10
FIELD: Final = "headers"
_NAME = re.compile(r"[!-9;-~]+")


def headers_of(said: Said) -> list[dict[str, str]]:
    """The headers of a call as a message has them; raises SendRefused."""
    written = given(said, FIELD)
    if isinstance(written, str):
        try:
            written = json_within(written)
        except ValueError:
            raise malformed(FIELD, "the text is not JSON.") from None
    if not written:
        return []
    found = [{"name": name, "value": value} for name, value in map(_checked, _pairs(written))]
    if len(found) > MOST:
        raise malformed(FIELD, f"at most {MOST} headers are allowed.")
    return found


def _pairs(written: Any) -> Iterator[tuple[Any, Any]]:
    """Name and value of each: of an object, of a list of `{"name", "value"}`, or of a list of objects."""
    if isinstance(written, Mapping):
        yield from written.items()
        return
    if not isinstance(written, list):
        raise malformed(FIELD, "give an object.")
    for entry in written:
        if not isinstance(entry, Mapping):
            raise malformed(FIELD, "give an object.")
        if "name" in entry and set(entry) <= {"name", "value"}:
            yield entry["name"], entry.get("value")
        else:
            yield from entry.items()


def _checked(pair: tuple[Any, Any]) -> tuple[str, str]:
    name, value = pair
    if isinstance(name, str) and name.strip().lower() in RESERVED_HEADERS:
        raise SendRefused(f'"{name}" is a reserved header.', FIELD)
    written = "" if value is None else value
    if not isinstance(name, str) or not isinstance(written, str) or not written.isascii():
        raise SendRefused(NOT_ASCII, FIELD)
    if _NAME.fullmatch(name) is None:
        raise SendRefused(NOT_ASCII, FIELD)
    if "\r" in written or "\n" in written:
        raise malformed(FIELD, "a value must not contain line breaks.")
    return name, written


__all__ = ["headers_of"]
