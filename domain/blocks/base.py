"""What every workflow block is: an authored model that plans, and never acts (ACT-02)."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from domain.condition_rules import ConditionPlace, WherePlace
from domain.conditions import Condition, Where, evaluate
from domain.data_values import Value
from domain.documents import Document, Key, Refusal, refused
from domain.effects import AnyEffect, Deliver, Goto, Wait, WaitState
from domain.errors import Problem
from domain.facts import Facts, Position

SendingState = Literal["automatic", "draft", "off"]
BlockName = Annotated[str, StringConstraints(min_length=1, max_length=190)]


class Planned(BaseModel):
    """What a block asks for, and the state to store when that is to wait."""

    model_config = ConfigDict(frozen=True)

    effect: AnyEffect
    wait: WaitState | None = None


class Way(NamedTuple):
    """One way out of a block: where it leads (None: nowhere of its own) and its field, as path segments in the block."""

    next: str | None
    field: tuple[str | int, ...]


def pointer_to(base: str, *segments: str | int) -> str:
    """A JSON Pointer below `base`."""
    escaped = (str(s).replace("~", "~0").replace("/", "~1") for s in segments)
    return "/".join([base, *escaped])


def content_hash(content: Mapping[str, Any]) -> str:
    """A short digest of JSON content, equal for equal content whatever its order of fields."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Placed(NamedTuple):
    """One condition of a block: its field, as path segments in the block, and what kind of place that is."""

    field: tuple[str | int, ...]
    place: ConditionPlace
    condition: Condition


class Visit(NamedTuple):
    """One look at somebody standing in a block: all that a plan may depend on, besides the block itself."""

    key: str
    arrived_at: Position
    now: datetime
    wait: WaitState | None
    facts: Facts


class BlockBase(Document):
    """The fields common to all blocks."""

    type: str
    name: BlockName | None = None
    note: str | None = None
    renamed_from: Key | None = None


class Block(BlockBase):
    """A block: its ways out and its plan. Planning is pure: the same arguments give the same effect."""

    waits_on: ClassVar[tuple[str, ...]] = ()
    """The fields that decide how long somebody stands here; a change of anything else moves nobody."""
    provides: ClassVar[frozenset[str]] = frozenset()
    """The roots that its own values can read besides those of the trigger."""
    person_at: ClassVar[tuple[str, ...]] = ()
    """The field that says whose data it changes, where the author may name somebody."""

    @classmethod
    def type_name(cls) -> str:
        """The word of the `type` field."""
        (word,) = cls.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
        return str(word)

    def label(self, key: str) -> str:
        """What logs call the block."""
        return self.name or key

    @property
    def is_branch(self) -> bool:
        """Whether the block's ways are paths that come together at a join."""
        return False

    @property
    def join_key(self) -> str | None:
        """The block at which the paths of a branch come together, where it names one."""
        return None

    def placed_conditions(self) -> list[Placed]:
        """The conditions with where they stand."""
        return []

    def needs_conditions(self) -> list[Condition]:
        """Every condition that `plan` may evaluate."""
        return [placed.condition for placed in self.placed_conditions()]

    @abstractmethod
    def ways(self) -> list[Way]:
        """The ways out, in document order; a branch's join is not one of them."""

    def successors(self) -> list[str]:
        """The block keys the ways out name."""
        return [way.next for way in self.ways() if way.next is not None]

    def definition_hash(self) -> str:
        """A digest of what matters for standing here; it differs when a wait has to be reckoned anew (CMP-25)."""
        return content_hash({"type": self.type, **self.model_dump(mode="json", include=set(self.waits_on))})

    def values(self) -> Iterator[tuple[tuple[str | int, ...], Value]]:
        """The values that the block computes, each with its path in the block."""
        yield from ()

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The Liquid templates besides those of values, each with its path in the block."""
        yield from ()

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """The documents that the block names besides those of its conditions: path in the block, kind, key or id."""
        yield from ()

    def addresses(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The addresses that the block calls, templates as they are, each with its path in the block."""
        yield from ()

    def wheres(self) -> Iterator[tuple[tuple[str | int, ...], WherePlace, Where]]:
        """The comparisons on records: path in the block, what kind of place, themselves."""
        yield from ()

    def needs_person(self) -> str | None:
        """Why the block cannot stand where there is no person, None where it can (ACT-01)."""
        return None

    def check(self, _pointer: str, _trigger_type: str | None, /) -> Iterator[Problem]:
        """What is wrong with the block in a campaign of that trigger type (None: not known), beyond its own shape."""
        yield from ()

    def plan(self, key: str, arrived_at: Position, now: datetime, wait: WaitState | None, facts: Facts) -> Planned:
        """What should happen to somebody standing here.

        `wait` is None on arrival, later the state stored when the wait began; `now` and `arrived_at` are aware.
        """
        return self.decide(Visit(key, arrived_at, now, wait, facts))

    @abstractmethod
    def decide(self, visit: Visit, /) -> Planned:
        """The plan itself, for one visit."""


class StepBlock(Block):
    """A block with one successor and action conditions: unmet on arrival, it is skipped, never left for good (ACT-03)."""

    nullable: ClassVar[frozenset[str]] = frozenset({"next"})

    next: Key | None = None
    conditions: Condition | None = None

    def ways(self) -> list[Way]:
        """The one way on."""
        return [Way(self.next, ("next",))]

    def placed_conditions(self) -> list[Placed]:
        """The action conditions."""
        return [] if self.conditions is None else [Placed(("conditions",), "block", self.conditions)]

    def go_on(self, outcome: Literal["done", "skipped", "failed"] = "done", explanation: str | None = None) -> Planned:
        """Leave for the next block."""
        return Planned(effect=Goto(next=self.next, outcome=outcome, explanation=explanation))

    def decide(self, visit: Visit, /) -> Planned:
        """Skip where the action conditions are unmet on arrival, else do what the block is for."""
        if visit.wait is None and self.conditions is not None:
            verdict = evaluate(self.conditions, visit.facts, visit.now)
            if not verdict.matched:
                return self.go_on("skipped", f"Action conditions {verdict.reason}")
        return self.perform(visit)

    @abstractmethod
    def perform(self, visit: Visit, /) -> Planned:
        """What the block is for, once its action conditions held."""


class ActionBlock(StepBlock):
    """A block that sends or changes something, and so has a sending behaviour (CMP-27)."""

    sending_state: SendingState

    def perform(self, _visit: Visit, /) -> Planned:
        """Skip where sending is off, else act; whether it is drafted is for the hands that act."""
        if self.sending_state == "off":
            return self.go_on("skipped", "The sending behaviour is off.")
        return Planned(effect=self.action())

    @abstractmethod
    def action(self) -> AnyEffect:
        """The effect that does it."""


class DeliveringBlock(ActionBlock):
    """A block whose turn makes a delivery: a message, or a call to somebody's endpoint; drafted unless said otherwise."""

    to_people: ClassVar[bool] = True
    """Whether it is addressed to the journey's person, and so subject to their subscription."""
    sending_state: SendingState = "draft"

    @property
    def waits(self) -> bool:
        """Whether the journey stands here until the delivery has come to its end, retries included (ACT-31)."""
        return False

    @property
    def leaving(self) -> frozenset[SendingState]:
        """How what it makes is sent, where it is sent at all."""
        return frozenset((self.sending_state,))

    def needs_person(self) -> str | None:
        """A message to a person needs one."""
        return "There is no person to write to." if self.to_people else None

    def perform(self, visit: Visit, /) -> Planned:
        """Deliver; who waits for the outcome of a delivery that is made stands here until it is known."""
        if visit.wait is None:
            return super().perform(visit)
        if visit.wait.released is None:
            return Planned(effect=Wait(kind="answer", due_at=None), wait=visit.wait)
        return self.go_on("failed" if visit.wait.released == "failed" else "done", visit.wait.told)

    def action(self) -> Deliver:
        """Deliver it."""
        return Deliver(channel=self.type)


class DataBlock(ActionBlock):
    """A change of data; carried out unless the author says otherwise."""

    sending_state: SendingState = "automatic"
    calls_out: ClassVar[bool] = False
    """Whether it speaks to the outside, so that it is carried out by the activity that may take its time."""


class PathBase(Document):
    """One path of a branch, named by a key."""

    nullable: ClassVar[frozenset[str]] = frozenset({"next"})

    key: Key
    name: str | None = None
    next: Key | None = None


def paths_counted(least: int, most: int) -> AfterValidator:
    """For the paths of a branch, of which there are so many."""

    def counted(paths: tuple[Any, ...]) -> tuple[Any, ...]:
        if not least <= len(paths) <= most:
            raise refused(Refusal("length", f"A branch of this kind has {least} to {most} paths.", (), len(paths)))
        return paths

    return AfterValidator(counted)


def same_keys(paths: Sequence[PathBase], pointer: str) -> Iterator[Problem]:
    """The keys of a branch's paths that are taken by one before; `pointer` is where the branch stands."""
    keys = [path.key for path in paths]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            at = pointer_to(pointer, "paths", index, "key")
            yield Problem(code="duplicate", pointer=at, message=f"Another path has the key '{key}' already.")


class BranchBlock(Block):
    """A block whose paths come together at `join`, or end like the path it stands in (ACT-01)."""

    nullable: ClassVar[frozenset[str]] = frozenset({"join"})

    join: Key | None = Field(default=None)

    @property
    def is_branch(self) -> bool:
        """A branch has paths."""
        return True

    @property
    def join_key(self) -> str | None:
        """The named join."""
        return self.join


def take(way: str | None, index: int, path: str, explanation: str | None = None) -> Planned:
    """Leave a branch by one of its paths."""
    return Planned(effect=Goto(next=way, outcome="branched", path=path, branch_index=index, explanation=explanation))
