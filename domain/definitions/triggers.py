"""What starts journeys: conditions that come true, or an event (CMP-02, CMP-04)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool, ValidatorFunctionWrapHandler, WrapValidator, field_validator, model_validator

from domain.condition_keys import EventMatch
from domain.conditions import Condition
from domain.definitions.base import NonEmptyText
from domain.documents import Document, Refusal, refused
from domain.facts import EventType
from domain.wheres import Where

_SOURCES: Final[tuple[EventType, ...]] = ("event", "page", "screen")


class SegmentTrigger(Document):
    """Entry the moment the conditions hold, however old the data (CMP-02)."""

    type: Literal["segment"]
    conditions: Condition
    legacy: StrictBool = False

    @field_validator("legacy")
    @classmethod
    def _modern(cls, legacy: bool) -> bool:
        if legacy:
            raise refused(
                Refusal("legacy_not_creatable", "Campaigns with match-time semantics cannot be made.", (), legacy)
            )
        return legacy


class EventTrigger(Document):
    """One journey per event of this name that fits `where`, while the campaign runs (CMP-04)."""

    type: Literal["event"]
    event: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    page: NonEmptyText | None = None
    screen: NonEmptyText | None = None
    inbound_sms: Any = None
    where: Where | None = None

    @field_validator("inbound_sms")
    @classmethod
    def _no_sms(cls, value: Any) -> Any:
        raise refused(Refusal("not_applicable", "Inbound SMS is not in this version.", (), value))

    @model_validator(mode="after")
    def _one_source(self) -> EventTrigger:
        named = [source for source in _SOURCES if getattr(self, source) is not None]
        if not named:
            raise refused(Refusal("required", "Name the event, the page or the screen.", ("event",)))
        if len(named) > 1:
            raise refused(Refusal("type", f"Name only one of {', '.join(named)}."))
        return self

    @cached_property
    def match(self) -> EventMatch:
        """The events that start a journey, `where` apart."""
        source = next(source for source in _SOURCES if getattr(self, source) is not None)
        return EventMatch(source, getattr(self, source))


_TYPES: Final[Mapping[str, type[SegmentTrigger | EventTrigger]]] = {"segment": SegmentTrigger, "event": EventTrigger}


def _read_trigger(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    """Choose by `type`, so that errors point into the trigger as it was written."""
    if isinstance(value, Document):
        return value
    if not isinstance(value, dict):
        raise refused(Refusal("type", "A trigger is an object with a type.", (), value))
    if "type" not in value:
        raise refused(Refusal("required", "Give the trigger a type.", ("type",)))
    chosen = _TYPES.get(value["type"]) if isinstance(value["type"], str) else None
    if chosen is None:
        message = f"Not a trigger of this version; known are {', '.join(_TYPES)}."
        raise refused(Refusal("enum", message, ("type",), value["type"]))
    return chosen.model_validate(value)


Trigger = Annotated[SegmentTrigger | EventTrigger, Field(discriminator="type"), WrapValidator(_read_trigger)]
"""What starts a journey, told apart by `type`."""
