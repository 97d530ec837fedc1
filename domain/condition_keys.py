"""What a condition looks at, so that only the changes that can matter evaluate it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from domain.facts import EventType, Ref
from domain.patterns import compile_name

DEVICES = "device"
RELATED = "related"
MESSAGES = "message"
OBJECTS = "objects"
"""The newest related objects as templates list them; no condition looks at these."""


def messages_that(status: str) -> str:
    """The word in `Keys.records` for messages of which this has become."""
    return f"{MESSAGES}/{status}"


def kind_of_records(word: str) -> str:
    """`device`, `related`, `message` or `objects`: the kind of records that a word of `Keys.records` is about."""
    return word.partition("/")[0]


class NamedEvent(Protocol):
    """As much of an event as its name and kind."""

    @property
    def type(self) -> EventType:
        """Event, page or screen."""

    @property
    def name(self) -> str:
        """The name as received."""


@dataclass(frozen=True, slots=True)
class EventMatch:
    """Events of one type whose name fits a pattern: case and surrounding space ignored, `*` and `|` (PPL-35)."""

    type: EventType
    pattern: str

    def matches(self, name: str) -> bool:
        """Whether an event of the type with this name counts."""
        return compile_name(self.pattern).matches(name)

    def exact_names(self) -> list[str] | None:
        """The trimmed, casefolded names that can match, None where the pattern holds a `*`."""
        compiled = compile_name(self.pattern)
        return None if compiled.searches else sorted(compiled.names)


@dataclass(frozen=True, slots=True)
class Keys:
    """The attributes, events, segments and other records a condition mentions.

    `attributes` are exact keys and top-level names: `a.b` gives both. `clock` says that time alone can turn the answer,
    `age` that it depends on how long the person has been known (PPL-36). `records` are words: `device`, `related`,
    `objects` and `message/<status>`.
    """

    attributes: frozenset[str] = frozenset()
    events: tuple[EventMatch, ...] = ()
    segments: frozenset[Ref] = frozenset()
    clock: bool = False
    age: bool = False
    records: frozenset[str] = frozenset()

    def __or__(self, other: Keys) -> Keys:
        """What both together look at."""
        return Keys(
            self.attributes | other.attributes,
            tuple(dict.fromkeys((*self.events, *other.events))),
            self.segments | other.segments,
            self.clock or other.clock,
            self.age or other.age,
            self.records | other.records,
        )

    @property
    def record_kinds(self) -> frozenset[str]:
        """The kinds of records that have to be read."""
        return frozenset(map(kind_of_records, self.records))

    def touched_by(
        self,
        attributes: AbstractSet[str],
        events: Sequence[NamedEvent],
        segments: AbstractSet[int],
        segment_ids: Mapping[str, int],
        *,
        aged: bool | None = None,
        records: AbstractSet[str] = frozenset(),
    ) -> bool:
        """Whether a change of these attributes, events, memberships or records can change the answer.

        `aged` says whether the person's age start moved; None means unknown, then any event may have moved it.
        """
        if not self.attributes.isdisjoint(attributes) or not self.records.isdisjoint(records):
            return True
        if self.age and (bool(events) if aged is None else aged):
            return True
        if segments and any(
            (segment_ids.get(ref) if isinstance(ref, str) else ref) in segments for ref in self.segments
        ):
            return True
        return any(match.type == event.type and match.matches(event.name) for event in events for match in self.events)
