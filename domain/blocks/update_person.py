"""Create or update person: write attributes of the journey's person or another (ACT-24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.blocks.base import DataBlock
from domain.blocks.target import NOBODY, AnyTarget, targeted
from domain.data_values import Value
from domain.documents import NonEmpty, Refusal, refused
from domain.effects import Act

AttributeName = Annotated[str, StringConstraints(min_length=1)]


class UpdatePerson(DataBlock):
    """Attributes to set and to remove; dotted names nest, all values are computed from the state before the block."""

    type: Literal["update_person"]
    target: AnyTarget = "self"
    set_: Annotated[Mapping[str, Value], NonEmpty] | None = Field(default=None, alias="set")
    remove: Annotated[tuple[AttributeName, ...], NonEmpty] | None = None

    @model_validator(mode="after")
    def _something_to_write(self) -> UpdatePerson:
        if self.set_ is None and self.remove is None:
            raise refused(Refusal("required", "Give attributes to set, to remove, or both.", ("set",)))
        places: list[tuple[str, tuple[str | int, ...]]] = [(name, ("set", name)) for name in self.set_ or {}]
        places += [(name, ("remove", i)) for i, name in enumerate(self.remove or ())]
        refusals = [
            Refusal("internal_attribute", f"The attribute '{name}' is internal: it starts with '_'.", at, name)
            for name, at in places
            if name.startswith("_")
        ]
        refusals += [
            Refusal("length", "An attribute name cannot be empty.", at, name) for name, at in places if not name
        ]
        if refusals:
            raise refused(*refusals)
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
