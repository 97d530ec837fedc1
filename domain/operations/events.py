"""Operations that record what happened: by somebody known, by somebody not known yet."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from domain.emails import bare_address
from domain.operations.base import ANONYMOUS, Identifier, Name, Operation

EventKind = Literal["event", "page", "screen"]


class TrackEvent(Operation):
    """Something a person did (PPL-13). `timestamp` in Unix seconds, None for the time of receipt; `event_id` dedupes.

    With `existing_only` (files) nobody is created. `depth` is how many campaigns have led to it, one by an event of the
    other (ACT-23).
    """

    op: Literal["event"] = "event"
    subject: Identifier
    name: str
    type: EventKind = "event"
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None
    event_id: str | None = None
    existing_only: bool = False
    depth: int = 0

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

    @property
    def invited(self) -> Identifier | None:
        """Whose event it is where the workspace takes invites: the recipient of one without an id (API-07)."""
        recipient = None if self.anonymous_id else self.data.get("recipient")
        if not isinstance(recipient, str) or bare_address(recipient) is None:
            return None
        return Identifier(kind="email", value=recipient.strip())

    def identifiers(self) -> list[Identifier]:
        """Who is invited."""
        return [self.invited] if self.invited is not None else []

    def names(self) -> list[Name]:
        """The anonymous id, or who is invited."""
        return [Name(ANONYMOUS, self.anonymous_id)] if self.anonymous_id else super().names()


__all__ = ["AnonymousEvent", "EventKind", "TrackEvent"]
