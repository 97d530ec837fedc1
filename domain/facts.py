"""What a condition or a block may look at: one person's facts, loaded before and independent of any store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

EventType = Literal["event", "page", "screen"]
Ref = str | int


class Position(NamedTuple):
    """Where something stands in a person's order of facts: its instant, then its log sequence.

    "Later than", "since" and "latest" compare positions, never bare instants, because in a sandbox many facts share one instant.
    """

    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class EventFact:
    """One event of a person; `name` as received (trimmed), `at` the event's own timestamp, `seq` its log sequence (PPL-13)."""

    name: str
    at: datetime
    seq: int
    data: Mapping[str, Any]
    type: EventType = "event"
    event_id: str | None = None

    @property
    def position(self) -> Position:
        """Instant and order of acceptance."""
        return Position(self.at, self.seq)


@dataclass(frozen=True, slots=True)
class JourneyFacts:
    """What only exists inside a journey: attributes, trigger, and the positions that `since` and `is` compare with."""

    journey_id: str
    started: Position
    attributes: Mapping[str, Any] = field(default_factory=dict)
    trigger_event: EventFact | None = None
    trigger: Mapping[str, Any] | None = None
    wait_started: Position | None = None
    """Set while a wait-until block is evaluated: its arrival."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the conditions of one evaluation may look at.

    `attributes` include the identifiers `id`, `email`, `cio_id` and `_created_in_customerio_at` (Unix seconds).
    `events` hold at least every event whose name the evaluated conditions mention, in any order.
    `age_start` is the earlier of the instant the person was added and their earliest event (PPL-36).
    `segments` are the ids of the segments the person is in; `segment_ids` maps segment keys to ids.
    """

    attributes: Mapping[str, Any]
    age_start: datetime
    events: Sequence[EventFact] = ()
    segments: frozenset[int] = frozenset()
    segment_ids: Mapping[str, int] = field(default_factory=dict)
    journey: JourneyFacts | None = None

    def in_segment(self, ref: Ref) -> bool:
        """Whether the person is a member of the segment now; a reference that names nothing is nobody's segment."""
        segment_id = ref if isinstance(ref, int) else self.segment_ids.get(ref)
        return segment_id is not None and segment_id in self.segments
