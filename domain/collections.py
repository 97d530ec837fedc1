"""The rows of a collection: what they may be, how large, and how the same rows are recognised (PPL-27)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from domain.errors import InvalidInput, Problem

MOST_COLLECTIONS: Final = 50
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_ROW_BYTES: Final = 10 * 1024
MOST_REPORTED: Final = 20

Row = dict[str, Any]


@dataclass(frozen=True)
class Contents:
    """All rows of a collection, how many bytes of compact JSON they are, and every key in them."""

    rows: Sequence[Row]
    bytes: int
    columns: tuple[str, ...]


def measured(rows: Any, pointer: str = "") -> Contents:
    """The contents that a JSON value means, which stands at `pointer`; raises InvalidInput."""
    problems = list(problems_of(rows, pointer))
    if problems:
        raise InvalidInput(problems)
    return Contents(rows, _bytes(rows), tuple(dict.fromkeys(name for row in rows for name in row)))


def problems_of(rows: Any, pointer: str = "") -> Iterator[Problem]:
    """What is wrong with rows, the first few of it."""
    if not isinstance(rows, list | tuple):
        yield Problem(code="type", pointer=pointer, message="Give a list of rows.")
        return
    found = 0
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            yield Problem(code="type", pointer=f"{pointer}/{index}", message="A row is an object.")
        elif (size := len(to_json(row))) > MOST_ROW_BYTES:
            message = f"A row has at most {MOST_ROW_BYTES} bytes; this one has {size}."
            yield Problem(code="length", pointer=f"{pointer}/{index}", message=message)
        else:
            continue
        found += 1
        if found >= MOST_REPORTED:
            return
    if not found and (size := _bytes(rows)) > MOST_BYTES:
        message = f"A collection has at most {MOST_BYTES} bytes; this one has {size}."
        yield Problem(code="length", pointer=pointer, message=message)


def digest(rows: Sequence[Row]) -> str:
    """The same text for the same rows, in whatever order the keys of a row are written."""
    plain = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _bytes(rows: Sequence[Row]) -> int:
    return len(to_json(rows))


__all__ = [
    "MOST_BYTES",
    "MOST_COLLECTIONS",
    "MOST_ROW_BYTES",
    "Contents",
    "Row",
    "digest",
    "measured",
    "problems_of",
]
