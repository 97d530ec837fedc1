"""Which of many conditions a change can concern, found without asking each of them, and what these then look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple

from domain.condition_keys import Keys, NamedEvent
from domain.facts import EventType

MOST_NAMES = 10_000
"""How many event names are remembered; callers may send as many as they like."""
MOST_NEEDS = 1_024
"""For how many sets of watchers it is remembered what they look at together."""


_Touch = tuple[frozenset[str], tuple[str, str] | None, bool, frozenset[str]]


class KeyIndex:
    """The places in a list of keys that `Keys.touched_by` would say yes to."""

    def __init__(self, keys: Sequence[Keys], segment_ids: Mapping[str, int]) -> None:
        by_attribute: dict[str, set[int]] = defaultdict(set)
        self._aged = {place for place, one in enumerate(keys) if one.age}
        self._matches = [(place, match) for place, one in enumerate(keys) for match in one.events]
        self._by_event: dict[tuple[str, str], frozenset[int]] = {}
        self._in_order: dict[_Touch, tuple[int, ...]] = {}
        by_record: dict[str, set[int]] = defaultdict(set)
        for place, one in enumerate(keys):
            for name in one.attributes:
                by_attribute[name].add(place)
            for word in one.records:
                by_record[word].add(place)
        self._by_attribute = dict(by_attribute)
        self._by_record = dict(by_record)
        self._segments = {
            place: frozenset(segment_ids.get(ref, -1) if isinstance(ref, str) else ref for ref in one.segments)
            for place, one in enumerate(keys)
            if one.segments
        }

    def touched(
        self,
        attributes: Collection[str],
        event: NamedEvent | None,
        *,
        aged: bool,
        records: Collection[str] = (),
    ) -> set[int]:
        """The places that a change of these attributes or records, this event, or an earlier age start can concern."""
        found: set[int] = set()
        for name in attributes:
            found |= self._by_attribute.get(name, frozenset())
        for word in records:
            found |= self._by_record.get(word, frozenset())
        if event is not None:
            found |= self.of_event(event)
        if aged:
            found |= self._aged
        return found

    def in_order(
        self,
        attributes: frozenset[str],
        event: NamedEvent | None,
        *,
        aged: bool,
        records: frozenset[str] = frozenset(),
    ) -> tuple[int, ...]:
        """`touched`, ascending; most changes are like one before, for which it was found out already."""
        touch = (attributes, None if event is None else (event.type, event.name), aged, records)
        found = self._in_order.get(touch)
        if found is None:
            if len(self._in_order) >= MOST_NAMES:
                self._in_order.clear()
            places = self.touched(attributes, event, aged=aged, records=records)
            found = self._in_order[touch] = tuple(sorted(places))
        return found

    def of_event(self, event: NamedEvent) -> frozenset[int]:
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


class EventName(NamedTuple):
    """What is known of an event before it is anybody's: its kind and name."""

    type: EventType
    name: str


class Coming(NamedTuple):
    """What some facts can touch: attributes, events, memberships to look at whatever was touched, and other records."""

    attributes: frozenset[str]
    events: frozenset[EventName]
    refs: frozenset[tuple[str, int]]
    records: frozenset[str] = frozenset()


class Watcher(NamedTuple):
    """Something that is asked when what it watches is touched, or for the sake of its membership `ref`.

    It then looks at `needs`; where the answer moves a segment, those who watch that are asked too.
    """

    watches: Keys
    needs: Keys
    ref: tuple[str, int] | None = None


class Watchers:
    """Everything that applying a fact may ask, and how little of it some facts can lead to."""

    def __init__(self, watchers: Iterable[Watcher], segment_ids: Mapping[str, int]) -> None:
        self._all = tuple(watchers)
        self._index = KeyIndex([watcher.watches for watcher in self._all], segment_ids)
        self._together = lru_cache(maxsize=MOST_NEEDS)(self._needs)

    def needs(self, coming: Coming) -> Keys:
        """What everything that these facts can lead to looks at. Any event may be somebody's earliest and age them."""
        index = self._index
        places = index.touched(coming.attributes, None, aged=bool(coming.events), records=coming.records)
        for event in coming.events:
            places |= index.of_event(event)
        if coming.refs:
            places |= {place for place, one in enumerate(self._all) if one.ref in coming.refs}
        return self._together(frozenset(self._with_what_follows(places)))

    def _with_what_follows(self, places: set[int]) -> set[int]:
        """These, those who watch a segment that one of them moves, those who watch a segment that these move, and so on."""
        if not self._index.mentions_segments:
            return places
        latest = places
        while latest:
            refs = (self._all[place].ref for place in latest)
            moved = {ref[1] for ref in refs if ref is not None and ref[0] == "segment"}
            followers = (place for place in range(len(self._all)) if self._index.names_one_of(place, moved))
            latest = set(followers) - places
            places = places | latest
        return places

    def _needs(self, places: frozenset[int]) -> Keys:
        return reduce(or_, (self._all[place].needs for place in sorted(places)), Keys())


__all__ = ["Coming", "EventName", "KeyIndex", "Watcher", "Watchers"]
