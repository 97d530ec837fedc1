"""One person as a transaction knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.condition_keys import MESSAGES
from domain.data_paths import without
from domain.facts import EventFact, Facts
from domain.ids import cio_id
from domain.operations import Identifier, IdentifierKind, Name
from domain.values import EPOCH, to_unix
from ingest.records import NO_RECORDS, Records
from store.entry_retries import EntryRetry
from store.journeys import JourneyRow
from store.people import Kept, PersonRow, ReadPerson

_MICROSECOND = timedelta(microseconds=1)
Membership = tuple[str, int]
NOT_KEPT = Kept(member=False, flips_at=None)
NAMES: tuple[IdentifierKind, ...] = ("id", "email")


class Erased(NamedTuple):
    """Somebody whom this transaction has removed: their numbers, those merged into them included, and ordering keys."""

    people: frozenset[int]
    keys: frozenset[int]


class Thing(NamedTuple):
    """The object that triggered a journey, as it is now; `relationship` is None where the person is not related to it."""

    object: Mapping[str, Any]
    relationship: Mapping[str, Any] | None


@dataclass(slots=True, eq=False)
class Person:
    """One person as this transaction knows them; `fresh` until the first settling of somebody it has made.

    `read` are the kinds of records that are known of them, `retries` the occurrences that wait, by campaign and entry.
    `things` are the objects that triggered their journeys, by internal number, `objects` the newest they are related to, as
    templates list them; None where nothing asks for these.
    """

    row: PersonRow
    memberships: dict[Membership, Kept] = field(default_factory=dict)
    segments: set[int] = field(default_factory=set)
    journeys: list[JourneyRow] = field(default_factory=list)
    events: list[EventFact] = field(default_factory=list)
    records: Records = NO_RECORDS
    retries: dict[tuple[int, str], EntryRetry] = field(default_factory=dict)
    read: frozenset[str] = frozenset()
    things: dict[int, Thing] = field(default_factory=dict)
    objects: dict[str, list[dict[str, Any]]] | None = None
    last_seq: int = 0
    is_new: bool = False
    fresh: bool = False
    changed: bool = False
    facts: Facts | None = None
    seen: Mapping[str, Any] | None = None

    @property
    def person_id(self) -> int:
        """The internal number."""
        return self.row.person_id

    @property
    def id(self) -> str | None:
        """The caller's own id."""
        return self.row.id

    @property
    def email(self) -> str | None:
        """The address, as written."""
        return self.row.email

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes without identifiers."""
        return self.row.attributes

    @property
    def names(self) -> dict[Name, int | None]:
        """The names the person has, as a unit keeps them."""
        own: dict[IdentifierKind, str | None] = {kind: getattr(self.row, kind) for kind in NAMES}
        return {Identifier(kind=k, value=value).name: self.person_id for k, value in own.items() if value is not None}

    @property
    def kinds(self) -> list[IdentifierKind]:
        """Which names the person has, `cio_id` apart."""
        return [kind for kind in NAMES if getattr(self.row, kind) is not None]

    @property
    def cio_id(self) -> str:
        """The public form of the internal number."""
        return cio_id(self.row.person_id)

    @property
    def profile(self) -> dict[str, Any]:
        """Everything a template or a condition reads of the person: attributes and identifiers."""
        return profile_of(self.row)

    def touch(self) -> None:
        """Forget what was derived: attributes or names have changed."""
        self.facts = None
        self.seen = None

    def take(self, found: Records, kinds: frozenset[str]) -> None:
        """Know these kinds of records as they have just been read."""
        self.records = self.records.renewed(found, kinds)
        self.read |= kinds
        if MESSAGES in kinds:
            reported = (happening.position.seq for message in found.messages for happening in message.happenings)
            self.last_seq = max(self.last_seq, max(reported, default=0))
        self.touch_history()

    def drop_tombstones(self, oldest: int) -> None:
        """Forget the times of attributes that were removed before that instant."""
        old = [name for name, at in self.row.attribute_times.items() if at < oldest] if self.changed else ()
        names = set(old).difference(self.row.attributes, self.kinds) if old else ()
        if names:
            self.row.attribute_times = without(self.row.attribute_times, names)

    def touch_history(self) -> None:
        """Forget what was derived of events and memberships: one has been added or taken away."""
        self.facts = None


def profile_of(row: PersonRow | ReadPerson) -> dict[str, Any]:
    """Attributes and identifiers together, as templates and conditions read them."""
    found = {
        **row.attributes,
        "cio_id": cio_id(row.person_id),
        "_created_in_customerio_at": to_unix(row.created_at),
    }
    if row.id is not None:
        found["id"] = row.id
    if row.email is not None:
        found["email"] = row.email
    return found


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (instant - EPOCH) // _MICROSECOND


__all__ = ["NAMES", "NOT_KEPT", "Erased", "Membership", "Person", "Thing", "microseconds", "profile_of"]
