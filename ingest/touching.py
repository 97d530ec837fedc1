"""Which of many conditions a change can concern, found without asking each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

from domain.condition_keys import Keys
from domain.facts import EventFact

MOST_NAMES = 10_000
"""How many event names are remembered; callers may send as many as they like."""


class KeyIndex:
    """The places in a list of keys that `Keys.touched_by` would say yes to."""

    def __init__(self, keys: Sequence[Keys], segment_ids: Mapping[str, int]) -> None:
        by_attribute: dict[str, set[int]] = defaultdict(set)
        self._aged = {place for place, one in enumerate(keys) if one.age}
        self._matches = [(place, match) for place, one in enumerate(keys) for match in one.events]
        self._by_event: dict[tuple[str, str], frozenset[int]] = {}
        for place, one in enumerate(keys):
            for name in one.attributes:
                by_attribute[name].add(place)
        self._by_attribute = dict(by_attribute)
        self._segments = {
            place: frozenset(segment_ids.get(ref, -1) if isinstance(ref, str) else ref for ref in one.segments)
            for place, one in enumerate(keys)
            if one.segments
        }

    def touched(self, attributes: Collection[str], event: EventFact | None, *, aged: bool) -> set[int]:
        """The places that a change of these attributes, this event, or an earlier age start can concern."""
        found: set[int] = set()
        for name in attributes:
            found |= self._by_attribute.get(name, frozenset())
        if event is not None:
            found |= self.of_event(event)
        if aged:
            found |= self._aged
        return found

    def of_event(self, event: EventFact) -> frozenset[int]:
        """The places that mention events of this type and name."""
        key = (event.type, event.name)
        found = self._by_event.get(key)
        if found is None:
            if len(self._by_event) >= MOST_NAMES:
                self._by_event.clear()
            names = (place for place, match in self._matches if match.type == event.type and match.matches(event.name))
            found = self._by_event[key] = frozenset(names)
        return found

    @property
    def mentions_segments(self) -> bool:
        """Whether any of the keys names segments."""
        return bool(self._segments)

    def names_one_of(self, place: int, segments: AbstractSet[int]) -> bool:
        """Whether the keys at this place name one of these segments."""
        return bool(segments) and not self._segments.get(place, frozenset()).isdisjoint(segments)


__all__ = ["KeyIndex"]
