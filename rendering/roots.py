"""Which variables a template cannot do without, found by reading it (MSG-05)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import Final

from rendering.liquid import variables

_BEGIN: Final = re.compile(r"\{[{%]")
_CONDITION: Final = re.compile(
    r"\{%-?\s*(?:if|elsif|unless|case|when)\b|\{%-?\s*liquid\b.*\b(?:if|unless|case)\b", re.DOTALL
)
_HARMLESS: Final = re.compile(r"\{%-?\s*(?:assign|capture)\b")
_DEFAULT: Final = re.compile(r"\|\s*default\b")


def demanded(source: str, roots: Collection[str]) -> str | None:
    """The first of these roots that the template uses as if it were always there; None where it does not.

    A root that a condition asks about is looked after, and so is one with a `default`; assigning what is missing fails
    nobody.
    """
    read, begins = variables(source), [found.start() for found in _BEGIN.finditer(source)]
    for root in sorted(roots):
        statements = [_statement(source, place, begins) for place in read.get(root, ())]
        if not any(map(_CONDITION.match, statements)) and any(map(_fails, statements)):
            return root
    return None


def _fails(statement: str) -> bool:
    return not _HARMLESS.match(statement) and not _DEFAULT.search(statement)


def _statement(source: str, place: int, begins: Sequence[int]) -> str:
    """The tag or the output statement around a place, given where statements begin."""
    before = bisect_left(begins, place)
    start = begins[before - 1] if before else 0
    end = source.find("}}" if source.startswith("{{", start) else "%}", place)
    return source[start:] if end < 0 else source[start : end + 2]


__all__ = ["demanded"]
