"""Sends asked for by API: what a transactional call said, and the triggers of broadcasts with their frozen audience."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.types import bigint, blob, instant, json, text


class DeliveryRequest(SQLModel, table=True):
    """What a call asked for, by the delivery it made (CHN-02); gone when the delivery is over and nothing is to be kept."""

    __tablename__ = "delivery_requests"
    __table_args__ = ({"postgresql_partition_by": "RANGE (created_at)"},)
    workspace_id: int = Field(primary_key=True)
    delivery_id: str = text(pk=True)
    created_at: datetime = instant(pk=True)
    request: dict[str, Any] = json()


class IdempotentAnswer(SQLModel, table=True):
    """The answer of a call that named an idempotency key, given again to whoever repeats the call (real time)."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (Index("idempotent_answers_by_end", "expires_at"),)
    workspace_id: int = Field(primary_key=True)
    scope: str = text(pk=True)
    key_hash: bytes = blob(pk=True)
    request_hash: bytes = blob()
    answer: dict[str, Any] = json()
    expires_at: datetime = instant()


class BroadcastTrigger(SQLModel, table=True):
    """One trigger of a broadcast (CHN-20). `audience` is whom the call named, `position` the last recipient seen to.

    One that was not `accepted` was refused, and only its errors are of use. `next_at` is when the clock is to wake it,
    `rate_sent` how many were seen to since `rate_since` at the present rate. `progress` is how far its audience is known.
    """

    __tablename__ = "broadcast_triggers"
    __table_args__ = (
        Index(
            "broadcast_triggers_open",
            "workspace_id",
            "broadcast_id",
            "trigger_no",
            postgresql_where=sql("state IN ('queued', 'processing', 'sending')"),
        ),
    )
    workspace_id: int = Field(primary_key=True)
    broadcast_id: int = Field(primary_key=True)
    trigger_no: int = Field(primary_key=True)
    state: str = text()
    paused: bool
    accepted: bool
    created_at: datetime = instant()
    processed_at: datetime | None = instant(null=True)
    ended_at: datetime | None = instant(null=True)
    audience: dict[str, Any] = json()
    data: dict[str, Any] = json()
    recipients_count: int | None = Field(default=None)
    position: int
    progress: dict[str, Any] = json()
    data_bytes: int | None = bigint(null=True)
    error_count: int
    send_rate: dict[str, Any] | None = json(null=True)
    rate_since: datetime | None = instant(null=True)
    rate_sent: int
    next_at: datetime | None = instant(null=True)


class BroadcastClaims(SQLModel, table=True):
    """That pages of a trigger are in the hands of `owner`, and up to which recipient providers may have their messages.

    Committed before any of them is handed over, many at a time; gone when nothing is in hand.
    """

    __tablename__ = "broadcast_claims"
    workspace_id: int = Field(primary_key=True)
    broadcast_id: int = Field(primary_key=True)
    trigger_no: int = Field(primary_key=True)
    owner: str = text()
    position: int
    at: datetime = instant()


class BroadcastRecipient(SQLModel, table=True):
    """One place in the frozen audience of a trigger, with the data that was given for it alone."""

    __tablename__ = "broadcast_recipients"
    __table_args__ = (Index("broadcast_recipients_by_person", "workspace_id", "person_id"),)
    workspace_id: int = Field(primary_key=True)
    broadcast_id: int = Field(primary_key=True)
    trigger_no: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    person_id: int = bigint()
    data: dict[str, Any] | None = json(null=True)


class BroadcastError(SQLModel, table=True):
    """One line of the error report of a trigger."""

    __tablename__ = "broadcast_errors"
    workspace_id: int = Field(primary_key=True)
    broadcast_id: int = Field(primary_key=True)
    trigger_no: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    message: str = text()


class ContentId(SQLModel, table=True):
    """The number by which the App API knows what an owner says in a language; the default has no language."""

    __tablename__ = "content_ids"
    __table_args__ = (Index("content_ids_by_number", "workspace_id", "content_id", unique=True),)
    workspace_id: int = Field(primary_key=True)
    owner: str = text(pk=True)
    owner_id: int = Field(primary_key=True)
    language: str = text(pk=True)
    content_id: int
    created_at: datetime = instant()
    updated_at: datetime = instant()


class DomainCheck(SQLModel, table=True):
    """What the records of a sending domain said when they were looked at last (MSG-19)."""

    __tablename__ = "domain_checks"
    workspace_id: int = Field(primary_key=True)
    definition_id: int = Field(primary_key=True)
    status: str = text()
    records: list[dict[str, Any]] = json()
    checked_at: datetime = instant()


class SuppressedAddress(SQLModel, table=True):
    """An address that nothing is sent to, for one sending domain or (an empty one) for all (SUB-16)."""

    __tablename__ = "suppressed_addresses"
    __table_args__ = (Index("suppressed_addresses_by_category", "workspace_id", "category", "created_at"),)
    workspace_id: int = Field(primary_key=True)
    email_key: str = text(pk=True)
    category: str = text(pk=True)
    domain: str = text(pk=True)
    email: str = text()
    reason: str = text()
    status: str = text()
    delivery_id: str | None = text(null=True)
    created_at: datetime = instant()


class ProviderTurn(SQLModel, table=True):
    """A provider that could not be reached, and when it is tried again (SUB-21)."""

    __tablename__ = "provider_turns"
    workspace_id: int = Field(primary_key=True)
    provider: str = text(pk=True)
    failures: int
    next_at: datetime = instant()
    reason: str = text()
