"""People, their names, events, memberships, and the log of what happened to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.types import bigint, blob, instant, json, text


class Person(SQLModel, table=True):
    """A recipient (PPL-01). `attribute_times` maps a name to microseconds, removed names included.

    `age_start` is the earlier of the instant the person was added and the earliest event (PPL-36). The row lock
    (`FOR NO KEY UPDATE`) guards everything conditions can see of the person.
    """

    __tablename__ = "people"
    workspace_id: int = Field(primary_key=True)
    person_id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    id: str | None = text(null=True)
    email: str | None = text(null=True)
    attributes: dict[str, Any] = json()
    attribute_times: dict[str, int] = json()
    created_at: datetime = instant()
    age_start: datetime = instant()


class MergedPerson(SQLModel, table=True):
    """Somebody who was merged into somebody else (PPL-07); `merged_into` is never merged itself."""

    __tablename__ = "merged_people"
    __table_args__ = (Index("merged_people_by_primary", "workspace_id", "merged_into"),)
    workspace_id: int = Field(primary_key=True)
    person_id: int = bigint(pk=True)
    merged_into: int = bigint()
    merged_at: datetime = instant()


class Suppression(SQLModel, table=True):
    """An identifier that must not come back (PPL-12), kept as a keyed hash only.

    Those of one person share `suppression_id`, so that lifting one lifts all.
    """

    __tablename__ = "suppressions"
    __table_args__ = (Index("suppressions_by_group", "workspace_id", "suppression_id"),)
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    value_hash: bytes = blob(pk=True)
    suppression_id: int = bigint()
    suppressed_at: datetime = instant()


class AnonymousFact(SQLModel, table=True):
    """Something of somebody not known yet (PPL-09): an event, or what a group call said; inert until bound.

    `received_at` is when the thirty days begin; `data` is an event's data, or the parked operation.
    """

    __tablename__ = "anonymous_facts"
    __table_args__ = (
        Index("anonymous_facts_by_receipt", "workspace_id", "received_at"),
        Index("anonymous_facts_in_order", "workspace_id", "seq"),
    )
    workspace_id: int = Field(primary_key=True)
    anonymous_id: str = text(pk=True)
    seq: int = bigint(pk=True)
    op: str = text()
    received_at: datetime = instant()
    at: datetime = instant()
    name: str | None = text(null=True)
    type: str | None = text(null=True)
    data: dict[str, Any] = json()
    event_id: str | None = text(null=True)


class AnonymousId(SQLModel, table=True):
    """An anonymous id that has become somebody's, and since when (PPL-10); it serves once."""

    __tablename__ = "anonymous_ids"
    __table_args__ = (Index("anonymous_ids_by_person", "workspace_id", "person_id"),)
    workspace_id: int = Field(primary_key=True)
    anonymous_id: str = text(pk=True)
    person_id: int = bigint()
    bound_at: datetime = instant()


class PersonIdentity(SQLModel, table=True):
    """A normalised identifier and whose it is."""

    __tablename__ = "identities"
    __table_args__ = (Index("identities_by_person", "workspace_id", "person_id"),)
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    value_key: str = text(pk=True)
    person_id: int = bigint()


class Event(SQLModel, table=True):
    """An event of a person, at its own timestamp, in log order (PPL-13)."""

    __tablename__ = "events"
    workspace_id: int = Field(primary_key=True)
    person_id: int = bigint(pk=True)
    at: datetime = instant(pk=True)
    seq: int = bigint(pk=True)
    name: str = text()
    name_key: str = text()
    type: str = text()
    data: dict[str, Any] = json()
    event_id: str | None = text(null=True)
    processed_at: datetime = instant()


class Membership(SQLModel, table=True):
    """Whether a person matches a segment (`kind` segment) or a campaign's trigger conditions (`kind` trigger).

    Kept while `member`, or while the clock alone may change the answer (`flips_at`).
    """

    __tablename__ = "memberships"
    __table_args__ = (
        Index("memberships_members", "workspace_id", "kind", "ref_id", "person_id", postgresql_where=sql("member")),
        Index("memberships_flips", "workspace_id", "flips_at", postgresql_where=sql("flips_at IS NOT NULL")),
    )
    workspace_id: int = Field(primary_key=True)
    person_id: int = bigint(pk=True)
    kind: str = text(pk=True)
    ref_id: int = Field(primary_key=True)
    member: bool
    since: datetime = instant()
    flips_at: datetime | None = instant(null=True)


class Activity(SQLModel, table=True):
    """One line of the activity log (PPL-18): what happened, to whom, when, and (failed facts) why not."""

    __tablename__ = "activities"
    __table_args__ = (
        Index("activities_by_person", "workspace_id", "person_id", "activity_id"),
        Index(
            "activities_of_segments",
            "workspace_id",
            sql("(data -> 'segment_id')"),
            "activity_id",
            postgresql_where=sql("type IN ('segment_enter', 'segment_leave')"),
        ),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )
    workspace_id: int = Field(primary_key=True)
    activity_id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    recorded_at: datetime = instant(pk=True)
    person_id: int | None = bigint(null=True)
    type: str = text()
    name: str | None = text(null=True)
    data: dict[str, Any] = json()
    at: datetime = instant()
    processed_at: datetime = instant()
    seq: int = bigint()
