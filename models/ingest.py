"""The log of accepted facts, the outbox, and what is due by the clock."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.types import Xid8, bigint, bigints, blob, instant, json, text


class IngestRow(SQLModel, table=True):
    """One accepted fact: committed before the caller got its 2xx, pending until `applied_at` is set.

    `keys` are hashes of every normalised identifier the fact mentions; `xid` lets readers wait for slower committers.
    `received_at` is the workspace's time, `accepted_at` real time (the partition key). What became of it stands in
    `outcome` and `note`; `person_id` is the one person it was about, null where it was about nobody or several.
    `traceparent` is the trace of the call, where that is recorded.
    """

    __tablename__ = "ingest_log"
    __table_args__ = (
        Index("ingest_log_pending", "workspace_id", "seq", postgresql_where=sql("applied_at IS NULL")),
        Index(
            "ingest_log_by_person", "workspace_id", "person_id", "seq", postgresql_where=sql("person_id IS NOT NULL")
        ),
        Index(
            "ingest_log_of_nobody",
            "workspace_id",
            "seq",
            postgresql_where=sql("person_id IS NULL AND applied_at IS NOT NULL"),
        ),
        {"postgresql_partition_by": "RANGE (accepted_at)"},
    )
    workspace_id: int = Field(primary_key=True)
    seq: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    accepted_at: datetime = instant(pk=True)
    xid: int = Field(default=None, sa_column=Column(Xid8(), nullable=False, server_default=sql("pg_current_xact_id()")))
    received_at: datetime = instant()
    source: str = text()
    op: str = text()
    keys: list[int] = bigints()
    body: bytes = blob()
    applied_at: datetime | None = instant(null=True)
    outcome: str | None = text(null=True)
    note: str | None = text(null=True)
    person_id: int | None = bigint(null=True)
    traceparent: str | None = text(null=True)


class RejectedCall(SQLModel, table=True):
    """A call that was refused, with the beginning of its body (API-15); `at` is real time."""

    __tablename__ = "rejected_calls"
    __table_args__ = ({"postgresql_partition_by": "RANGE (at)"},)
    workspace_id: int = Field(primary_key=True)
    rejected_id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    at: datetime = instant(pk=True)
    source: str = text()
    path: str = text()
    status: int
    errors: list[Any] = json()
    body: str = text()


class RateBucket(SQLModel, table=True):
    """Calls of one kind that a workspace may still make (API-16); `refilled_at` is real time."""

    __tablename__ = "rate_buckets"
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    tokens: float
    refilled_at: datetime = instant()


class OutboxRow(SQLModel, table=True):
    """A workflow start or wake to be handed to Temporal; written in the transaction that decided it.

    `lane` is `live` or `bulk`; rows of one journey are drained in order.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_by_lane", "lane", "outbox_id"),
        Index("outbox_by_workflow", "workspace_id", "workflow_id", "outbox_id"),
    )
    outbox_id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    workspace_id: int
    lane: str = text()
    kind: str = text()
    journey_id: str = text()
    workflow_id: str = text()
    campaign_id: int
    person_id: int = bigint()
    why: str = text()
    not_before: datetime | None = instant(null=True)
    traceparent: str | None = text(null=True)


class DueRow(SQLModel, table=True):
    """Something the clock will ask for: a delivery's next attempt, a schedule, an expiry (never a journey or a flip)."""

    __tablename__ = "due"
    __table_args__ = (Index("due_by_instant", "workspace_id", "due_at"),)
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    ref: str = text(pk=True)
    due_at: datetime = instant()


class DedupeKey(SQLModel, table=True):
    """An id that must not be processed twice; `expires_at` null means as long as the thing itself is stored."""

    __tablename__ = "dedupe_keys"
    __table_args__ = (
        Index("dedupe_keys_expiring", "workspace_id", "expires_at", postgresql_where=sql("expires_at IS NOT NULL")),
    )
    workspace_id: int = Field(primary_key=True)
    scope: str = text(pk=True)
    key_hash: bytes = blob(pk=True)
    expires_at: datetime | None = instant(null=True)


class Task(SQLModel, table=True):
    """Long work in pages: a segment build, a campaign's audience, a re-plan after an edit, a file in or out.

    `cursor` is where it stands; `workflow` is the Temporal workflow that carries it, null for those without one.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_open", "workspace_id", "task_id", postgresql_where=sql("state IN ('queued', 'running')")),
    )
    workspace_id: int = Field(primary_key=True)
    task_id: str = text(pk=True)
    type: str = text()
    state: str = text()
    priority: str = text()
    payload: dict[str, Any] = json()
    cursor: int = bigint()
    done: int = bigint()
    total: int | None = bigint(null=True)
    error: str | None = text(null=True)
    created_at: datetime = instant()
    started_at: datetime | None = instant(null=True)
    ended_at: datetime | None = instant(null=True)
    workflow: str | None = text(null=True)
