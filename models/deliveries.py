"""Messages: the delivery, its content, its attempts, and the mailbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.types import bigint, blob, derived, instant, json, text, texts


class Delivery(SQLModel, table=True):
    """One message to one person (SUB-20). `metrics` maps a metric to the microsecond instant of its first occurrence.

    `handed_over_at` is committed right before the provider may take the message; a delivery found with it and without an
    outcome after a crash is `ambiguous`. `variant` is the arm of an A/B test, `a` or `b`; a `holdout` is counted and never
    sent; the content of an `edited` draft was changed by hand. One of a broadcast has the number of its trigger and of its
    recipient, one of a transactional send that of its template; of a `forgotten` one nothing that it says is kept.
    `traceparent` is the trace in which it was asked for, where that is recorded.

    No index asks for the status, so that an outcome is written into none. `in_hand` and `as_draft` follow from it instead;
    the former is said of no delivery of a broadcast: `broadcast_claims` says it of all of a trigger.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_in_order", "workspace_id", "created_at", "delivery_id"),
        Index("deliveries_by_person", "workspace_id", "person_id", "created_at"),
        Index("deliveries_by_campaign", "workspace_id", "campaign_id", "created_at"),
        Index("deliveries_by_journey", "workspace_id", "journey_id", postgresql_where=sql("journey_id IS NOT NULL")),
        Index(
            "deliveries_by_transactional",
            "workspace_id",
            "transactional_id",
            "created_at",
            postgresql_where=sql("transactional_id IS NOT NULL"),
        ),
        Index(
            "deliveries_by_trigger",
            "workspace_id",
            "campaign_id",
            "trigger_no",
            "recipient_no",
            postgresql_where=sql("trigger_no IS NOT NULL"),
        ),
        Index(
            "deliveries_in_hand",
            "workspace_id",
            "delivery_id",
            postgresql_where=sql("in_hand"),
        ),
        Index(
            "deliveries_drafted",
            "workspace_id",
            "created_at",
            "delivery_id",
            postgresql_where=sql("as_draft"),
        ),
    )
    workspace_id: int = Field(primary_key=True)
    delivery_id: str = text(pk=True)
    channel: str = text()
    status: str = text()
    person_id: int | None = bigint(null=True)
    journey_id: str | None = text(null=True)
    campaign_id: int | None = Field(default=None)
    action_id: int | None = Field(default=None)
    block: str | None = text(null=True)
    trigger_event_id: str | None = text(null=True)
    recipient: str | None = text(null=True)
    subject: str | None = text(null=True)
    failure_message: str | None = text(null=True)
    metrics: dict[str, int] = json()
    provider: str | None = text(null=True)
    provider_ref: str | None = text(null=True)
    attempts: int
    first_attempt_at: datetime | None = instant(null=True)
    handed_over_at: datetime | None = instant(null=True)
    held_until: datetime | None = instant(null=True)
    ambiguous: bool
    draft: bool
    variant: str | None = text(null=True)
    holdout: bool
    edited: bool
    transactional_id: int | None = Field(default=None)
    trigger_no: int | None = Field(default=None)
    recipient_no: int | None = Field(default=None)
    language: str | None = text(null=True)
    content_id: int | None = Field(default=None)
    forgotten: bool
    traceparent: str | None = text(null=True)
    created_at: datetime = instant()
    in_hand: bool = derived("status = 'queued' AND NOT draft AND trigger_no IS NULL")
    as_draft: bool = derived("draft AND status = 'drafted'")


class DeliveryContent(SQLModel, table=True):
    """What was rendered: written once, dropped by the month."""

    __tablename__ = "delivery_contents"
    __table_args__ = ({"postgresql_partition_by": "RANGE (created_at)"},)
    workspace_id: int = Field(primary_key=True)
    delivery_id: str = text(pk=True)
    created_at: datetime = instant(pk=True)
    rendered: dict[str, Any] = json()
    raw: bytes | None = blob(null=True)


class DeliveryAttempt(SQLModel, table=True):
    """One hand-over to a provider and what it answered."""

    __tablename__ = "delivery_attempts"
    workspace_id: int = Field(primary_key=True)
    delivery_id: str = text(pk=True)
    attempt: int = Field(primary_key=True)
    at: datetime = instant()
    provider: str = text()
    outcome: str = text()
    answer: str | None = text(null=True)


class MessageEvent(SQLModel, table=True):
    """Something reported of a delivery, each time anew (PPL-37).

    `seq` is the fact that reported it, `human` says whether a person did it, `link` or `response` what was clicked.
    """

    __tablename__ = "message_events"
    workspace_id: int = Field(primary_key=True)
    delivery_id: str = text(pk=True)
    seq: int = bigint(pk=True)
    metric: str = text(pk=True)
    at: datetime = instant()
    human: bool
    link: str | None = text(null=True)
    response: str | None = text(null=True)


class CapturedMessage(SQLModel, table=True):
    """Exactly what left, or would have left: filled by the capture provider and by the development SMTP sink."""

    __tablename__ = "mailbox"
    __table_args__ = (
        Index("mailbox_in_order", "workspace_id", "captured_id"),
        Index("mailbox_once", "workspace_id", "delivery_id", "purpose", "attempt", unique=True),
    )
    captured_id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    workspace_id: int
    delivery_id: str | None = text(null=True)
    attempt: int
    channel: str = text()
    outcome: str = text()
    purpose: str = text()
    to: list[str] = texts()
    sender: str | None = text(null=True)
    at: datetime = instant()
    person_id: int | None = bigint(null=True)
    campaign: str | None = text(null=True)
    block: str | None = text(null=True)
    rendered: dict[str, Any] = json()
    raw: bytes | None = blob(null=True)


class MailboxFault(SQLModel, table=True):
    """A rule by which the capture provider misbehaves; `uses_left` null is unlimited."""

    __tablename__ = "mailbox_faults"
    workspace_id: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    rule: dict[str, Any] = json()
    uses_left: int | None = Field(default=None)


class EndpointAnswers(SQLModel, table=True):
    """How often a host took our calls, and said that they were too many, by the minute (ACT-31)."""

    __tablename__ = "endpoint_answers"
    workspace_id: int = Field(primary_key=True)
    host: str = text(pk=True)
    minute: datetime = instant(pk=True)
    succeeded: int
    throttled: int


class EndpointTurn(SQLModel, table=True):
    """When the next call of a host may be made, where it has said that they are too many (ACT-31)."""

    __tablename__ = "endpoint_turns"
    workspace_id: int = Field(primary_key=True)
    host: str = text(pk=True)
    next_at: datetime = instant()
