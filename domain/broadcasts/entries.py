"""One recipient with data of their own, as `per_user_data` and the lines of a data file name them (CHN-19)."""

from __future__ import annotations

from typing import Any, Final

from domain.values import text_form

KINDS: Final = ("id", "email")


def name_of(value: Any) -> str | None:
    """The id or address that a value is: a text, or a number as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return text_form(value)


def read_entry(raw: Any) -> dict[str, Any] | None:
    """The entry `{"id"|"email", "data"}` with the name as text; None where it is none."""
    if not isinstance(raw, dict) or not set(raw) <= {*KINDS, "data"}:
        return None
    named = [kind for kind in KINDS if raw.get(kind) is not None]
    data = raw.get("data")
    if len(named) != 1 or not (data is None or isinstance(data, dict)):
        return None
    name = name_of(raw[named[0]])
    return None if name is None else {named[0]: name, "data": data or {}}


def bad_line(number: int) -> str:
    """What the error report says of an entry that is none."""
    return f"line {number}: couldn't parse json data"


__all__ = ["bad_line", "name_of", "read_entry"]
