"""Object updated: attributes of an object begin journeys for the people related to it (CMP-07)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from domain.conditions import Condition
from domain.definitions.triggers.base import Mode, PlacedCondition, PlacedWhere, TriggerBase
from domain.documents import Reference, Refusal, refused
from domain.uses import Use
from domain.wheres import Where


def read_audience(value: Any, words: tuple[str, ...]) -> Any:
    """One of the words, or a condition; raises ValidationError."""
    if isinstance(value, Condition):
        return value
    if isinstance(value, str):
        if value in words:
            return value
        raise refused(Refusal("enum", f"An audience is {' or '.join(words)}, or a condition.", (), value))
    return Condition.parse(value)


def _read(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    return read_audience(value, ("everyone",))


class ObjectTrigger(TriggerBase):
    """Journeys for the related people when a targeted attribute of an object changes and all of `where` holds then."""

    modes: ClassVar[tuple[Mode, ...]] = ("every",)
    takes_current: ClassVar[bool] = True

    type: Literal["object"]
    object_type: Reference
    where: Where
    audience: Annotated[Literal["everyone"] | Condition, WrapValidator(_read)] = "everyone"

    def placed(self) -> Iterator[PlacedCondition]:
        """Whom of the related people it is for."""
        if isinstance(self.audience, Condition):
            yield PlacedCondition("/audience", self.audience, "audience")

    def wheres(self) -> Iterator[PlacedWhere]:
        """What is asked of the object."""
        yield PlacedWhere("/where", self.where, "object_where")

    def uses(self) -> Iterator[Use]:
        """The object type."""
        yield Use("object_type", self.object_type, "/object_type")
