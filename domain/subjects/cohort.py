"""`cohort`: the path that the journey took at a random cohort, or the arm of an A/B test (ACT-14, ACT-17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import StrictBool

from domain.condition_keys import Keys
from domain.documents import Document, Key
from domain.facts import Facts
from domain.operators import Decision
from domain.subjects.base import Moment, Subject


class _Body(Document):
    block: Key
    path: Key
    inverse: StrictBool = False


@dataclass(frozen=True)
class Cohort(Subject):
    """This very journey has taken that path; a block it has not come to has no path."""

    root: ClassVar[str] = "cohort"

    block: str
    path: str
    inverse: bool = False

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The leaf of a body."""
        read = _Body.model_validate(body)
        return cls(read.block, read.path, read.inverse)

    def dump(self) -> Any:
        """The body without what is default."""
        body: dict[str, Any] = {"block": self.block, "path": self.path}
        return {**body, "inverse": True} if self.inverse else body

    def decide(self, facts: Facts, _moment: Moment) -> Decision:
        """Whether the path was taken; the clock changes nothing of it."""
        return (self._taken(facts) == self.path) != self.inverse, None

    def look(self, facts: Facts, _moment: Moment) -> tuple[Any, str]:
        """The path that was taken."""
        taken = self._taken(facts)
        return taken, "" if taken is not None else f"the journey has taken no path of {self.block}"

    def keys(self) -> Keys:
        """Nothing that a fact could change."""
        return Keys()

    def describe(self) -> str:
        """The leaf in words."""
        return f"{'not ' if self.inverse else ''}on the path {self.path} of {self.block}"

    def _taken(self, facts: Facts) -> str | None:
        return facts.journey.paths.get(self.block) if facts.journey is not None else None
