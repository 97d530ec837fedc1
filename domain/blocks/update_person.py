"""Create or update person: write attributes of the journey's person or another (ACT-24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from domain.blocks.base import DataBlock, pointer_to
from domain.condition_rules import allowed_lookups
from domain.data_values import Value, roots_of
from domain.documents import Document, NonEmpty, Refusal, refused
from domain.effects import Act
from domain.errors import Problem

AttributeName = Annotated[str, StringConstraints(min_length=1)]


class Target(Document):
    """Somebody named by one identifier; created where unknown."""

    id: Value = None
    email: Value = None
    cio_id: Value = None

    @model_validator(mode="after")
    def _one_identifier(self) -> Target:
        if len(self.model_fields_set) != 1:
            raise refused(Refusal("required", "Name exactly one of id, email and cio_id."))
        return self

    @property
    def identifier(self) -> tuple[str, Value]:
        """The kind of identifier and its value, as authored."""
        (name,) = self.model_fields_set
        return name, getattr(self, name)


def _read_target(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str):
        if value == "self":
            return value
        raise refused(Refusal("enum", "A target is 'self' or an object naming an identifier.", (), value))
    return value if isinstance(value, Target) else Target.model_validate(value)


class UpdatePerson(DataBlock):
    """Attributes to set and to remove; dotted names nest, all values are computed from the state before the block."""

    type: Literal["update_person"]
    target: Annotated[Literal["self"] | Target, WrapValidator(_read_target)] = "self"
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

    def check(self, pointer: str, trigger_type: str | None, /) -> Iterator[Problem]:
        """Paths may start only where the trigger provides something."""
        values = [(("set", name), root) for name, root in roots_of(self.set_ or {})]
        if isinstance(self.target, Target):
            name, value = self.target.identifier
            values += [(("target", name), root) for _, root in roots_of({name: value})]
        # While the trigger is not known, whatever some trigger provides is let through.
        readable = allowed_lookups("block", trigger_type or "event") | ({"trigger"} if trigger_type is None else set())
        for at, root in values:
            if root not in readable:
                message = f"There is no '{root}' to read in a block of this campaign."
                yield Problem(code="root_not_allowed", pointer=pointer_to(pointer, *at, "from"), message=message)

    def action(self) -> Act:
        """Update the person."""
        return Act(action="update_person")
