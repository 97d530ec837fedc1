"""`related`: the objects a person is related to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import StrictBool

from domain.condition_keys import RELATED, Keys
from domain.documents import Document, Reference
from domain.facts import Facts, Ref, RelatedFact
from domain.operators import Decision
from domain.subjects.base import Moment, Named, Subject
from domain.subjects.joining import all_hold, some_hold
from domain.wheres import Where


class _Body(Document):
    to: Reference
    object: Where | None = None
    relationship: Where | None = None
    inverse: StrictBool = False


@dataclass(frozen=True)
class Related(Subject):
    """Related to an object of the type `to` such that both Wheres hold on the same relationship (PPL-39).

    `inverse` is that there is no such relationship.
    """

    root: ClassVar[str] = "related"

    to: Ref
    object: Where | None = None
    relationship: Where | None = None
    inverse: bool = False

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The leaf of a body."""
        read = _Body.model_validate(body)
        return cls(read.to, read.object, read.relationship, read.inverse)

    def dump(self) -> Any:
        """The body without what is absent or default."""
        body: dict[str, Any] = {"to": self.to}
        body |= {at[1:]: where.dump() for at, where in self.wheres()}
        return {**body, "inverse": True} if self.inverse else body

    def decide(self, facts: Facts, moment: Moment) -> Decision:
        """Whether one relationship satisfies everything asked; a type that is none has no objects."""
        fitting = (self._fits(thing, facts, moment) for thing in self._of_type(facts))
        matched, flip = some_hold(fitting)
        return matched != self.inverse, flip

    def _of_type(self, facts: Facts) -> list[RelatedFact]:
        number = facts.directory.id_of("object_type", self.to)
        return [thing for thing in facts.related if thing.object_type_id == number]

    def _fits(self, thing: RelatedFact, facts: Facts, moment: Moment) -> Decision:
        asked = ((self.object, thing.object), (self.relationship, thing.relationship))
        return all_hold(where.decide(said, facts, moment.unix) for where, said in asked if where is not None)

    def look(self, facts: Facts, moment: Moment) -> tuple[Any, str]:
        """How many relationships fit."""
        things = self._of_type(facts)
        fitting = sum(self._fits(thing, facts, moment)[0] for thing in things)
        return fitting, f"{fitting} of {len(things)} relationships to {self.to} fit"

    def keys(self) -> Keys:
        """Relationships and their objects, the attributes that the Wheres look up, and the clock."""
        keys = Keys(records=frozenset({RELATED}))
        for _, where in self.wheres():
            keys |= Keys(where.customer_attributes, clock=where.clock)
        return keys

    def wheres(self) -> Iterator[tuple[str, Where]]:
        """What is asked of the object and of the relationship."""
        if self.object is not None:
            yield "/object", self.object
        if self.relationship is not None:
            yield "/relationship", self.relationship

    def references(self) -> Iterator[Named]:
        """The object type."""
        yield Named("object_type", self.to, "/to")

    def describe(self) -> str:
        """The leaf in words."""
        words = f"{'not ' if self.inverse else ''}related to {self.to}"
        for at, where in self.wheres():
            words += f" with {at[1:]} {where.describe()}"
        return words


__all__ = ["Related"]
