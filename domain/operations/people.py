"""Operations on people: identify, merge, delete, suppress, bind an anonymous id, membership of a manual segment."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from domain.operations.base import ANONYMOUS, Identifier, IdentifierKind, Name, Operation, identifier

_KINDS: tuple[IdentifierKind, ...] = ("id", "email", "cio_id")


class Identify(Operation):
    """Add a person or update their attributes (PPL-03). `attributes` are as received, control keys removed.

    `timestamp` (Unix seconds, `_timestamp`) orders concurrent updates; `update_only` never creates, `create_only` never
    changes somebody who exists. `dotted` names with dots mean members (ACT-24), as they never do in calls.
    `merge_preferences` keeps subscriptions that are not named (API-20). `all_or_nothing` (files) writes nothing where
    a part of it is refused, and lets only calls by cio_id change an identifier that is set (PPL-46).
    """

    op: Literal["identify"] = "identify"
    subject: Identifier
    attributes: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None
    update_only: bool = False
    create_only: bool = False
    dotted: bool = False
    merge_preferences: bool = False
    all_or_nothing: bool = False

    def identifiers(self) -> list[Identifier]:
        """The subject and the identifiers among the attributes."""
        found = [self.subject]
        for kind in _KINDS:
            value = self.attributes.get(kind)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
                found.append(identifier(kind, str(value)))
        return found


class BindAnonymous(Operation):
    """Make what an anonymous id did somebody's (PPL-10); nobody is created by it."""

    op: Literal["bind_anonymous"] = "bind_anonymous"
    subject: Identifier
    anonymous_id: str

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]

    def names(self) -> list[Name]:
        """The person and the anonymous id."""
        return [*super().names(), Name(ANONYMOUS, self.anonymous_id)]


class DeletePerson(Operation):
    """Remove a person and everything of theirs (PPL-11)."""

    op: Literal["delete"] = "delete"
    subject: Identifier

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]


class SuppressPerson(Operation):
    """Delete a person and never take their identifiers again (PPL-12)."""

    op: Literal["suppress"] = "suppress"
    subject: Identifier

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]


class UnsuppressPerson(Operation):
    """Let identifiers be taken again that were suppressed together; nothing comes back (PPL-12)."""

    op: Literal["unsuppress"] = "unsuppress"
    subject: Identifier

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]


class MergePeople(Operation):
    """Make one person of two; the secondary is gone afterwards (PPL-07).

    With `bind_unknown` a secondary that nobody is means an anonymous id (API-24).
    """

    op: Literal["merge"] = "merge"
    primary: Identifier
    secondary: Identifier
    bind_unknown: bool = False

    def identifiers(self) -> list[Identifier]:
        """Both."""
        return [self.primary, self.secondary]

    def names(self) -> list[Name]:
        """Both, and the anonymous id that the secondary may be."""
        anonymous = [Name(ANONYMOUS, self.secondary.value)] if self.bind_unknown else []
        return [*super().names(), *anonymous]


class SegmentMember(Operation):
    """Put a person into a manual segment or take them out (API-11); `segment_id` is the segment's number."""

    op: Literal["segment_member"] = "segment_member"
    subject: Identifier
    segment_id: int
    member: bool = True

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]


__all__ = [
    "BindAnonymous",
    "DeletePerson",
    "Identify",
    "MergePeople",
    "SegmentMember",
    "SuppressPerson",
    "UnsuppressPerson",
]
