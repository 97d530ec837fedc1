"""JSON values as the product sees them: what may be stored, when two are the same, and how comparisons read them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.errors import DomainError

MAX_NESTING = 64
LEAST_WHOLE = -(2**63)
MOST_WHOLE = 2**64 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIRST_TIMESTAMP = 100_000_000
LAST_TIMESTAMP = 100_000_000_000
_NUMBER = re.compile(r"-?[0-9]{1,300}(?:\.[0-9]{1,300})?")
_DIGITS = re.compile(r"[0-9]{1,20}")


def read_json(text: str) -> Any:
    """The value of a JSON text; whole numbers over 64 bit become floats. Raises ValueError where it is none."""
    return json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_finite)


def _whole(text: str) -> int | float:
    value = int(text)
    return value if LEAST_WHOLE <= value <= MOST_WHOLE else _finite(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        msg = f"{text[:20]} is no finite number"
        raise ValueError(msg)
    return value


def check_json(value: Any) -> None:
    """Refuse (`invalid_json`) what JSON text can say but the database cannot keep.

    That is: U+0000 and lone surrogates in any string or key, numbers that are not finite, whole ones over 64 bit, more
    than 64 levels.
    """
    _check(value, 0)


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str:
        _check_text(value)
    elif kind is dict:
        _check_depth(depth)
        for key, item in value.items():
            if type(key) is not str:
                raise DomainError("invalid_json", "The keys of an object must be strings.")
            _check_text(key)
            _check(item, depth + 1)
    elif kind is list:
        _check_depth(depth)
        for item in value:
            _check(item, depth + 1)
    elif kind is float and not math.isfinite(value):
        raise DomainError("invalid_json", "Numbers must be finite.")
    elif kind is int and not LEAST_WHOLE <= value <= MOST_WHOLE:
        raise DomainError("invalid_json", "Whole numbers have at most 64 bits.")


def _check_depth(depth: int) -> None:
    if depth >= MAX_NESTING:
        raise DomainError("invalid_json", f"The document is nested more than {MAX_NESTING} levels deep.")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise DomainError("invalid_json", "Strings must not contain the character U+0000.")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise DomainError("invalid_json", "Strings must not contain lone surrogates.")


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: numbers by value (1 and 1.0), booleans never equal to numbers."""
    if type(a) is str or type(b) is str:
        return bool(a == b)
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(item, b[key]) for key, item in a.items())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def is_blank(value: Any) -> bool:
    """Whether a value counts as absent: null and the empty string (PPL-31)."""
    return value is None or value == ""


def text_form(value: Any) -> str:
    """What comparisons see: strings as they are, `5.0` as `5`, `true` and `false`, everything else as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False, sort_keys=True, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def as_number(value: Any) -> float | None:
    """The number behind a number or a numeric text (`"5"`, `"-5.0"`), exact for whole ones; None for all else, booleans too."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        if found is None:
            return None
        whole, _, fraction = value.partition(".")
        value = float(value) if fraction.strip("0") else int(whole)
    return value if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)) else None


def as_timestamp(value: Any) -> int | None:
    """Unix seconds where the value is a timestamp to conditions: whole seconds or digits, 10^8 < v < 10^11 (PPL-33)."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            return None
        value = int(value)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not FIRST_TIMESTAMP < value < LAST_TIMESTAMP:
        return None
    return int(value) if value == int(value) else None


def is_unsubscribed(value: Any) -> bool:
    """Whether the attribute `unsubscribed` switches messages off: true, "true" in any case, 1 and "1" (SUB-01)."""
    if isinstance(value, str):
        return value == "1" or value.casefold() == "true"
    return isinstance(value, int | float) and value == 1


def stable_fraction(*parts: str) -> float:
    """A fraction in [0, 1) that looks drawn by chance and is always the same for the same ids."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def from_unix(seconds: float) -> datetime:
    """The aware UTC instant of a number of Unix seconds; OverflowError beyond the years 1 to 9999."""
    return EPOCH + timedelta(seconds=seconds)


def to_unix(instant: datetime) -> int:
    """Whole Unix seconds of an aware instant, rounded down."""
    return (instant - EPOCH) // SECOND


def to_unix_ceiling(instant: datetime) -> int:
    """The first whole Unix second at or after an aware instant."""
    return -((EPOCH - instant) // SECOND)
