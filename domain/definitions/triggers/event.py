"""Event: something that a person does begins a journey with its data (CMP-04)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, field_validator, model_validator

from domain.condition_keys import EventMatch
from domain.definitions.triggers.base import Mode, PlacedWhere, TriggerBase
from domain.documents import NonEmptyText, Refusal, refused
from domain.facts import EventType
from domain.wheres import Where

_SOURCES: Final[tuple[EventType, ...]] = ("event", "page", "screen")
INBOUND_SMS: Final = "inbound_sms"
"""The event by which a reply to a text message is known (CMP-10)."""


class EventTrigger(TriggerBase):
    """One journey per event of this name that fits `where`, while the campaign runs."""

    modes: ClassVar[tuple[Mode, ...]] = ("every", "once", "once_per")

    type: Literal["event"]
    event: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    page: NonEmptyText | None = None
    screen: NonEmptyText | None = None
    inbound_sms: Literal[True] | None = None
    where: Where | None = None

    @field_validator("inbound_sms", mode="before")
    @classmethod
    def _true_or_nothing(cls, value: Any) -> Any:
        if value is not True:
            raise refused(Refusal("enum", "Write true, or leave it out.", (), value))
        return value

    @model_validator(mode="after")
    def _one_source(self) -> EventTrigger:
        named = [source for source in (*_SOURCES, "inbound_sms") if getattr(self, source) is not None]
        if not named:
            raise refused(Refusal("required", "Name the event, the page or the screen.", ("event",)))
        if len(named) > 1:
            raise refused(Refusal("type", f"Name only one of {', '.join(named)}."))
        return self

    @cached_property
    def match(self) -> EventMatch:
        """The events that start a journey, `where` apart."""
        if self.inbound_sms:
            return EventMatch("event", INBOUND_SMS)
        source = next(source for source in _SOURCES if getattr(self, source) is not None)
        return EventMatch(source, getattr(self, source))

    def wheres(self) -> Iterator[PlacedWhere]:
        """What is asked of the event's data."""
        if self.where is not None:
            yield PlacedWhere("/where", self.where, "trigger_where")
