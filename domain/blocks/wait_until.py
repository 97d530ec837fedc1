"""Wait until: hold a person until one of several paths comes true (ACT-09, ACT-10, ACT-11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from domain.blocks.base import BranchBlock, PathBase, Placed, Planned, Visit, Way, content_hash, pointer_to, take
from domain.conditions import Condition, Keys, evaluate, keys_of
from domain.documents import Document, NonEmpty, Refusal, refused
from domain.durations import Duration
from domain.effects import Wait, WaitState
from domain.errors import Problem
from domain.facts import Facts, Position
from domain.paths import compile_path
from domain.timing import event_instant, shifted

_EVENT_TRIGGERS = frozenset({"event", "form"})


class EventTime(Document):
    """An instant read from the triggering event, shifted before or after (ACT-11)."""

    field: str = Field(min_length=1)
    before: Duration | None = None
    after: Duration | None = None

    @model_validator(mode="after")
    def _one_shift(self) -> EventTime:
        if self.before is not None and self.after is not None:
            raise refused(Refusal("type", "Shift either before or after the event's time, not both.", ("after",)))
        return self

    def target(self, facts: Facts) -> datetime | None:
        """When the path comes true; None where the property is missing or names no instant, so that it never does."""
        event = facts.journey.trigger_event if facts.journey is not None else None
        found = compile_path(self.field).read(event.data) if event is not None else ()
        at = event_instant(found[0]) if len(found) == 1 else None
        if at is None:
            return None
        if self.before is not None:
            return shifted(at, -self.before.delta)
        return shifted(at, self.after.delta) if self.after is not None else at


class WaitPath(PathBase):
    """One path: exactly one of conditions, an event time, a maximum time."""

    conditions: Condition | None = None
    event_time: EventTime | None = None
    max_time: Duration | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> WaitPath:
        given = {"conditions", "event_time", "max_time"} & self.model_fields_set
        if not given:
            raise refused(Refusal("required", "Give the path conditions, an event_time or a max_time."))
        if len(given) > 1:
            raise refused(Refusal("type", f"A path has only one of {', '.join(sorted(given))}."))
        return self

    def timer(self, arrived_at: Position, facts: Facts) -> datetime | None:
        """The instant at which the clock alone makes the path true, if it ever does."""
        if self.event_time is not None:
            return self.event_time.target(facts)
        return shifted(arrived_at.at, self.max_time.delta) if self.max_time is not None else None


class _Look(NamedTuple):
    """One look at the paths: the one to take with its reason, else when to look again."""

    taken: int | None
    reason: str
    due_at: datetime | None


class WaitUntil(BranchBlock):
    """A wait that the first true path ends: conditions in listed order, then event time, then maximum time."""

    waits_on: ClassVar[tuple[str, ...]] = ("paths",)

    type: Literal["wait_until"]
    paths: Annotated[tuple[WaitPath, ...], NonEmpty]

    def definition_hash(self) -> str:
        """A digest of what ends the wait, without where the paths lead or what they are called."""
        ends = {"paths": {"__all__": {"conditions", "event_time", "max_time"}}}
        return content_hash({"type": self.type, **self.model_dump(mode="json", include=ends)})

    def placed_conditions(self) -> list[Placed]:
        """The conditions of all paths."""
        listed = enumerate(self.paths)
        return [Placed(("paths", i, "conditions"), "wait", p.conditions) for i, p in listed if p.conditions is not None]

    def ways(self) -> list[Way]:
        """The paths, in listed order."""
        return [Way(path.next, ("paths", i, "next")) for i, path in enumerate(self.paths)]

    def check(self, pointer: str, trigger_type: str | None, /) -> Iterator[Problem]:
        """Path keys are unique; one event time, where there is an event, and one maximum time."""
        keys = [path.key for path in self.paths]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                at = pointer_to(pointer, "paths", i, "key")
                yield Problem(code="duplicate", pointer=at, message=f"Two paths have the key '{key}'.")
        events = [i for i, path in enumerate(self.paths) if path.event_time is not None]
        limits = [i for i, path in enumerate(self.paths) if path.max_time is not None]
        for indexes, what in ((events, "event time"), (limits, "maximum time")):
            if len(indexes) > 1:
                message = f"A wait has at most one {what}."
                yield Problem(code="duplicate_timer_path", pointer=pointer_to(pointer, "paths"), message=message)
        if events and trigger_type is not None and trigger_type not in _EVENT_TRIGGERS:
            message = "An event time needs an event or form trigger."
            yield Problem(
                code="event_time_not_allowed", pointer=pointer_to(pointer, "paths", events[0]), message=message
            )

    def decide(self, visit: Visit, /) -> Planned:
        """Take the path a fact has released, else the first true one, else wait for the nearest instant that may matter."""
        if visit.wait is not None and visit.wait.released is not None:
            for index, path in enumerate(self.paths):
                if path.key == visit.wait.released:
                    return take(path.next, index, path.key, "A fact made this path true while waiting.")
        look = self._look(visit.arrived_at, visit.now, visit.facts)
        if look.taken is not None:
            path = self.paths[look.taken]
            return take(path.next, look.taken, path.key, look.reason)
        state = WaitState(due_at=look.due_at, definition_hash=self.definition_hash())
        return Planned(effect=Wait(kind="wait", due_at=look.due_at), wait=state)

    def is_stuck(self, arrived_at: Position, facts: Facts) -> bool:
        """Whether no path can ever come true: nothing but an event time whose property names no instant (ACT-11)."""
        return not self.needs_conditions() and all(path.timer(arrived_at, facts) is None for path in self.paths)

    def _look(self, arrived_at: Position, now: datetime, facts: Facts) -> _Look:
        standing = _standing(facts, arrived_at)
        instants: list[datetime] = []
        for index, path in enumerate(self.paths):
            if path.conditions is None:
                continue
            verdict = evaluate(path.conditions, standing, now)
            if verdict.matched:
                return _Look(index, verdict.reason, None)
            if verdict.flips_at is not None:
                instants.append(verdict.flips_at)
        for index, path, reason in self._timers():
            target = path.timer(arrived_at, standing)
            if target is None:
                continue
            if now >= target:
                return _Look(index, reason, None)
            instants.append(target)
        return _Look(None, "", min((at for at in instants if at > now), default=None))

    def _timers(self) -> Iterator[tuple[int, WaitPath, str]]:
        """The timer paths: event time before maximum time, wherever they are listed."""
        listed = list(enumerate(self.paths))
        yield from ((i, path, "The event time was reached.") for i, path in listed if path.event_time is not None)
        yield from ((i, path, "The maximum time has passed.") for i, path in listed if path.max_time is not None)


def _standing(facts: Facts, arrived_at: Position) -> Facts:
    """The same facts, seen by somebody who has stood here since `arrived_at`."""
    if facts.journey is None or facts.journey.wait_started == arrived_at:
        return facts
    return replace(facts, journey=replace(facts.journey, wait_started=arrived_at))


def released_path(block: WaitUntil, arrived_at: Position, now: datetime, facts: Facts) -> str | None:
    """The key of the condition path that is true now, the first in listed order; timers release nobody by a fact."""
    standing = _standing(facts, arrived_at)
    for path in block.paths:
        if path.conditions is not None and evaluate(path.conditions, standing, now).matched:
            return path.key
    return None


def looks_again_at(block: WaitUntil, arrived_at: Position, now: datetime, facts: Facts) -> datetime | None:
    """The next instant at which the clock may make a condition path true, where none is true now; None if it never does."""
    standing = _standing(facts, arrived_at)
    verdicts = (evaluate(path.conditions, standing, now) for path in block.paths if path.conditions is not None)
    return min((verdict.flips_at for verdict in verdicts if verdict.flips_at is not None), default=None)


def wait_keys(block: WaitUntil) -> Keys:
    """What a fact has to touch to be able to end the wait."""
    return reduce(or_, (keys_of(condition) for condition in block.needs_conditions()), Keys())
