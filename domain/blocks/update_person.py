"""Create or update person: write attributes of the journey's person or another (ACT-24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.blocks.base import DataBlock
from domain.blocks.target import NOBODY, AnyTarget, targeted
from domain.data_values import Value
from domain.documents import NonEmpty, Refusal, refused
from domain.effects import Act

AttributeName = Annotated[str, StringConstraints(min_length=1)]


def refuse_names(changes: Mapping[str, Value] | None, remove: tuple[str, ...] | None) -> None:
    """Raise ValidationError for names that no block writes to people."""
    places: list[tuple[str, tuple[str | int, ...]]] = [(name, ("set", name)) for name in changes or {}]
    places += [(name, ("remove", i)) for i, name in enumerate(remove or ())]
    refusals = [refusal for name, at in places if (refusal := name_refusal(name, at)) is not None]
    if refusals:
        raise refused(*refusals)


def name_refusal(name: str, at: tuple[str | int, ...]) -> Refusal | None:
    """Why no block writes an attribute of that name, which stands at `at` in the block."""
    if name.startswith("_"):
        return Refusal("internal_attribute", f"The attribute '{name}' is internal: it starts with '_'.", at, name)
    return None if name else Refusal("length", "An attribute name cannot be empty.", at, name)


class UpdatePerson(DataBlock):
    """Attributes to set and to remove; dotted names nest, all values are computed from the state before the block."""

    person_at: ClassVar[tuple[str, ...]] = ("target",)

    type: Literal["update_person"]
    target: AnyTarget = "self"
    set_: Annotated[Mapping[str, Value], NonEmpty] | None = Field(default=None, alias="set")
    remove: Annotated[tuple[AttributeName, ...], NonEmpty] | None = None

    @model_validator(mode="after")
    def _something_to_write(self) -> UpdatePerson:
        if self.set_ is None and self.remove is None:
            raise refused(Refusal("required", "Give attributes to set, to remove, or both.", ("set",)))
        refuse_names(self.set_, self.remove)
        return self

    def values(self) -> Iterator[tuple[tuple[str | int, ...], Value]]:
        """What is set, and who is meant."""
        yield from targeted(self.target)
        for name, value in (self.set_ or {}).items():
            yield ("set", name), value

    def needs_person(self) -> str | None:
        """Whom it writes to has to be named where nobody is there."""
        return NOBODY if self.target == "self" else None

    def action(self) -> Act:
        """Update the person."""
        return Act(action="update_person")
