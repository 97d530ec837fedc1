"""Which names of attributes and events facts bring, added up for the data index (PPL-51)."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

_TYPES = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object", list: "array"}


_OURS = ("attribute", "_last_visit")
"""An attribute that mostly comes with pages and screens and is nobody's to use (PPL-16): the index leaves it out."""


class Seen(NamedTuple):
    """A name as it was seen: `kind` says whose (`attribute`, `event`...), with the type of its value and the source."""

    kind: str
    name: str
    value_type: str
    source: str


class NamesSeen:
    """The names of one unit of work: how often each was seen, and how many people came to hold it or no longer do."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, type, str], int] = {}
        self._held: Counter[tuple[str, str]] = Counter()

    def note(self, kind: str, name: str, value: Any, source: str) -> None:
        """A name was seen with this value."""
        if (kind, name) == _OURS:
            return
        key = (kind, name, type(value), source)
        self._seen[key] = self._seen.get(key, 0) + 1

    def held(self, kind: str, name: str, amount: int) -> None:
        """So many more hold the name, or fewer. An id is no attribute that the index would list."""
        if name != "id" and (kind, name) != _OURS:
            self._held[kind, name] += amount

    def taken(self) -> list[tuple[Seen, int, int]]:
        """Everything with its counts (seen, holders); nothing is left."""
        seen: Counter[Seen] = Counter()
        for (kind, name, value_type, source), count in self._seen.items():
            seen[Seen(kind, name, _TYPES.get(value_type, ""), source)] += count
        rows = [(one, count, 0) for one, count in seen.items()]
        rows += [(Seen(kind, name, "", ""), 0, amount) for (kind, name), amount in self._held.items() if amount]
        self._seen.clear()
        self._held.clear()
        return rows


__all__ = ["NamesSeen", "Seen"]
