"""What every leaf of a condition is: something to look at, and a test."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple, Self

from domain.condition_keys import Keys
from domain.facts import Facts, Ref
from domain.operators import Decision, Operator, parse_comparison
from domain.values import from_unix, to_unix
from domain.wheres import Where


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant of an evaluation: `now` as it is, its whole Unix seconds, and the instant of these."""

    now: datetime
    unix: int
    whole: datetime

    @classmethod
    def of(cls, now: datetime) -> Moment:
        """The moment of an aware instant."""
        return _moment(now, now.tzinfo)


@lru_cache(maxsize=64)
def _moment(now: datetime, _zone: tzinfo | None) -> Moment:
    """Thousands of conditions are evaluated at the same instant; equal instants of other zones are kept apart."""
    unix = to_unix(now)
    return Moment(now, unix, now if now.microsecond == 0 else from_unix(unix))


class Named(NamedTuple):
    """A definition that a leaf names: its kind, key or id, where below the leaf that stands, and the block of it meant.

    Without `ref` it is the campaign in whose workflow the leaf stands.
    """

    kind: str
    ref: Ref | None
    at: str
    block: Ref | None = None


class Subject(ABC):
    """One leaf: `{"<root>": body}`. Subclasses are immutable."""

    root: ClassVar[str]

    @classmethod
    @abstractmethod
    def parse(cls, body: Any) -> Self:
        """The leaf a wire body means; raises ValidationError located within the body."""

    @abstractmethod
    def dump(self) -> Any:
        """The canonical wire body."""

    @abstractmethod
    def decide(self, facts: Facts, moment: Moment) -> Decision:
        """Whether the leaf holds, and the Unix second before which the clock alone cannot change that."""

    def prepared(self) -> Callable[[Facts, Moment], Decision]:
        """`decide`, made ready to be asked about many people."""
        return self.decide

    @abstractmethod
    def look(self, facts: Facts, moment: Moment) -> tuple[Any, str]:
        """What the leaf saw, for explanations: the actual value and a note."""

    @abstractmethod
    def keys(self) -> Keys:
        """What the leaf looks at."""

    def references(self) -> Iterator[Named]:
        """The definitions that the leaf names."""
        yield from ()

    def wheres(self) -> Iterator[tuple[str, Where]]:
        """The comparisons on records of their own, each with where it stands below the leaf."""
        yield from ()

    @abstractmethod
    def describe(self) -> str:
        """The leaf in words."""

    @cached_property
    def words(self) -> str:
        """`describe()`, composed once."""
        return self.describe()


@dataclass(frozen=True)
class RecordSubject(Subject):
    """A leaf that is one comparison on one record."""

    comparison: Operator

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The leaf of a comparison."""
        return cls(parse_comparison(body))

    def dump(self) -> Any:
        """The comparison."""
        return self.comparison.model_dump(mode="json")

    @abstractmethod
    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The record to compare on; empty where there is none."""

    def decide(self, facts: Facts, moment: Moment) -> Decision:
        """The comparison on the record."""
        return self.comparison.decide(self.record(facts), facts, moment.unix)

    def look(self, facts: Facts, _moment: Moment) -> tuple[Any, str]:
        """The value at the path, a list where there are several."""
        found = list(self.comparison.path.read(self.record(facts)))
        if not found:
            return None, f"{self.comparison.field} is missing"
        return (found[0] if len(found) == 1 else found), ""

    def keys(self) -> Keys:
        """The attributes that operands are looked up in."""
        keys = Keys(clock=self.comparison.clock)
        for lookup in self.comparison.lookups:
            if lookup.root == "customer":
                keys |= Keys(attributes=lookup.path.keys)
        return keys

    def describe(self) -> str:
        """The root and the comparison."""
        return f"{self.root} {self.comparison.words}"
