"""Relationship: being related to an object, or what is said of that, begins journeys (CMP-08)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ValidatorFunctionWrapHandler, WrapValidator, model_validator

from domain.conditions import Condition
from domain.definitions.triggers.base import Mode, PlacedCondition, PlacedWhere, TriggerBase
from domain.definitions.triggers.object import read_audience
from domain.documents import Reference, Refusal, refused
from domain.uses import Use
from domain.wheres import Where


def _read(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    return read_audience(value, ("person", "everyone"))


class RelationshipTrigger(TriggerBase):
    """Journeys when somebody is related to an object of the type, or their relationship comes to fit `where`.

    `audience` is the person whose relationship it is, everyone related to the object, or those who match a condition.
    """

    modes: ClassVar[tuple[Mode, ...]] = ("every",)
    takes_current: ClassVar[bool] = True

    type: Literal["relationship"]
    change: Literal["added", "changed"]
    object_type: Reference
    where: Where | None = None
    audience: Annotated[Literal["person", "everyone"] | Condition, WrapValidator(_read)] = "person"

    @model_validator(mode="after")
    def _says_what_changes(self) -> RelationshipTrigger:
        if self.change == "changed" and self.where is None:
            raise refused(Refusal("required", "Say which values the relationship has to come to.", ("where",)))
        return self

    def placed(self) -> Iterator[PlacedCondition]:
        """Whom of the related people it is for."""
        if isinstance(self.audience, Condition):
            yield PlacedCondition("/audience", self.audience, "audience")

    def wheres(self) -> Iterator[PlacedWhere]:
        """What is asked of the relationship."""
        if self.where is not None:
            yield PlacedWhere("/where", self.where, "object_where")

    def uses(self) -> Iterator[Use]:
        """The object type."""
        yield Use("object_type", self.object_type, "/object_type")
