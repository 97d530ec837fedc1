"""What a condition or a block may look at: one person's facts, loaded before and independent of any store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from domain.values import to_unix

EventType = Literal["event", "page", "screen"]
Ref = str | int


class Position(NamedTuple):
    """Where something stands in a person's order of facts: its instant, then its log sequence.

    "Later than", "since" and "latest" compare positions, never bare instants, because in a sandbox many facts share one instant.
    """

    at: datetime
    seq: int


def is_later(one: Position, mark: Position) -> bool:
    """Whether something comes after a mark: in a later second, or in the same one and accepted later.

    Callers give whole seconds, our own instants have microseconds: within a second only the order of acceptance tells.
    What nobody reported (sequence 0) is later by its instant alone.
    """
    if not one.seq:
        return one.at > mark.at
    return (to_unix(one.at), one.seq) > (to_unix(mark.at), mark.seq)


@dataclass(frozen=True, slots=True)
class EventFact:
    """One event of a person; `name` as received (trimmed), `at` the event's own timestamp, `seq` its log sequence (PPL-13)."""

    name: str
    at: datetime
    seq: int
    data: Mapping[str, Any]
    type: EventType = "event"
    event_id: str | None = None
    depth: int = 0
    """How many campaigns have led to it, one by an event of the other; known of what has just come in only (ACT-23)."""

    @property
    def position(self) -> Position:
        """Instant and order of acceptance."""
        return Position(self.at, self.seq)


@dataclass(frozen=True, slots=True)
class JourneyFacts:
    """What only exists inside a journey: attributes, trigger, and the positions that `since` and `is` compare with.

    `trigger` is the data of the trigger as Liquid sees it: a payload, or the object, relationship and person of then.
    """

    journey_id: str
    started: Position
    attributes: Mapping[str, Any] = field(default_factory=dict)
    trigger_event: EventFact | None = None
    trigger: Mapping[str, Any] | None = None
    wait_started: Position | None = None
    """Set while a wait-until block is evaluated: its arrival."""
    campaign_id: int | None = None
    """The campaign whose workflow it is."""
    object: Mapping[str, Any] | None = None
    """The triggering object as it is now; None where there is none, or no more (CMP-07)."""
    relationship: Mapping[str, Any] | None = None
    """What is said now of the person's relationship to the triggering object (CMP-08)."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """The path that the journey took at each branch, and the arm at each test, by block key; known to plans only."""


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """One device of a person (PPL-19); `last_used` in Unix seconds, `last_status` empty where no push was sent yet."""

    platform: str
    last_used: int
    last_status: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RelatedFact:
    """One object a person is related to, its identifiers among its attributes, and what is said of the relationship (PPL-26)."""

    object_type_id: int
    object: Mapping[str, Any]
    relationship: Mapping[str, Any] = field(default_factory=dict)
    object_no: int = 0


class Happening(NamedTuple):
    """Something that became of a message: a metric, when, whether by a person (`human`), by which link or button.

    What we ourselves noted and nobody reported has the sequence 0.
    """

    metric: str
    position: Position
    human: bool = True
    link: str | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True)
class MessageFact:
    """One message to a person, drafts apart: where it comes from and everything that became of it (SUB-20)."""

    channel: str
    campaign_id: int | None
    action_id: int | None
    happenings: Sequence[Happening] = ()
    transactional_id: int | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """What references of conditions mean: numbers of definitions by kind and key, action numbers by campaign and block."""

    ids: Mapping[tuple[str, str], int] = field(default_factory=dict)
    actions: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    def id_of(self, kind: str, ref: Ref) -> int | None:
        """The number that a reference means; None where a key names nothing."""
        return ref if isinstance(ref, int) else self.ids.get((kind, ref))


NOWHERE = Directory()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the conditions of one evaluation may look at.

    `attributes` include the identifiers `id`, `email`, `cio_id` and `_created_in_customerio_at` (Unix seconds).
    `events` hold at least every event whose name the evaluated conditions mention, in any order.
    `age_start` is the earlier of the instant the person was added and their earliest event (PPL-36).
    `segments` are the ids of the segments the person is in; `segment_ids` maps segment keys to ids.
    `devices`, `related` and `messages` hold everything there is of their kind, where a condition mentions the kind at all.
    """

    attributes: Mapping[str, Any]
    age_start: datetime
    events: Sequence[EventFact] = ()
    segments: frozenset[int] = frozenset()
    segment_ids: Mapping[str, int] = field(default_factory=dict)
    journey: JourneyFacts | None = None
    devices: Sequence[DeviceFact] = ()
    related: Sequence[RelatedFact] = ()
    messages: Sequence[MessageFact] = ()
    directory: Directory = NOWHERE
    customer: Mapping[str, Any] | None = None
    """Whose attributes `{"from": "customer..."}` reads, where that is not the person being tested (ACT-26)."""

    def in_segment(self, ref: Ref) -> bool:
        """Whether the person is a member of the segment now; a reference that names nothing is nobody's segment."""
        segment_id = ref if isinstance(ref, int) else self.segment_ids.get(ref)
        return segment_id is not None and segment_id in self.segments
