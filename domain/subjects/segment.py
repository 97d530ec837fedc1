"""`segment`: membership."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field, StrictBool, TypeAdapter, model_validator

from domain.condition_keys import Keys
from domain.documents import Document, Key, Reference, Refusal, refused
from domain.facts import Facts, Ref
from domain.operators import Decision
from domain.subjects.base import Moment, Named, Subject

_REF: TypeAdapter[Ref] = TypeAdapter(Reference)


class _Body(Document):
    id: int | None = Field(default=None, ge=1, strict=True)
    key: Key | None = None
    inverse: StrictBool = False

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.id is None) == (self.key is None):
            code = "required" if self.id is None else "type"
            raise refused(Refusal(code, "Name the segment by either its key or its id.", ()))
        return self


@dataclass(frozen=True)
class Segment(Subject):
    """Member now; `inverse` is everybody else, those included who never were (PPL-29)."""

    root: ClassVar[str] = "segment"

    ref: Ref
    inverse: bool = False

    @classmethod
    def parse(cls, body: Any) -> Self:
        """A key or id, or an object of one of them and `inverse`."""
        if isinstance(body, dict):
            read = _Body.model_validate(body)
            ref = read.key if read.id is None else read.id
            assert ref is not None, "the body names one"
            return cls(ref, read.inverse)
        return cls(_REF.validate_python(body))

    def dump(self) -> Any:
        """The object form; `inverse` only where it is true."""
        body: dict[str, Any] = {"id" if isinstance(self.ref, int) else "key": self.ref}
        return {**body, "inverse": True} if self.inverse else body

    def decide(self, facts: Facts, _moment: Moment) -> Decision:
        """Membership, which the clock does not change by itself: the segment's own flips do."""
        return facts.in_segment(self.ref) != self.inverse, None

    def look(self, facts: Facts, _moment: Moment) -> tuple[Any, str]:
        """Whether the person is a member."""
        member = facts.in_segment(self.ref)
        return member, "" if member else "not a member"

    def keys(self) -> Keys:
        """The segment."""
        return Keys(segments=frozenset((self.ref,)))

    def references(self) -> Iterator[Named]:
        """The segment."""
        yield Named("segment", self.ref, "")

    def describe(self) -> str:
        """In or not in the segment."""
        return f"{'not in' if self.inverse else 'in'} segment {self.ref}"
