"""Operations that record what happened: by somebody known, by somebody not known yet."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from domain.operations.base import ANONYMOUS, Identifier, Name, Operation

EventKind = Literal["event", "page", "screen"]


class TrackEvent(Operation):
    """Something a person did (PPL-13). `timestamp` in Unix seconds, None for the time of receipt; `event_id` dedupes.

    With `existing_only` (files) nobody is created.
    """

    op: Literal["event"] = "event"
    subject: Identifier
    name: str
    type: EventKind = "event"
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None
    event_id: str | None = None
    existing_only: bool = False

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]


class AnonymousEvent(Operation):
    """Something somebody did who is not known yet (PPL-09); without an anonymous id nobody will ever be."""

    op: Literal["anonymous_event"] = "anonymous_event"
    anonymous_id: str = ""
    name: str
    type: EventKind = "event"
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None
    event_id: str | None = None

    def names(self) -> list[Name]:
        """The anonymous id."""
        return [Name(ANONYMOUS, self.anonymous_id)] if self.anonymous_id else []


__all__ = ["AnonymousEvent", "EventKind", "TrackEvent"]
