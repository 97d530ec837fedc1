"""A person's pass through a campaign: the row is the truth, the workflow only waits."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.types import bigint, instant, json, text


class Journey(SQLModel, table=True):
    """One journey (CMP-30). `wanted` grows with every wake put in the outbox, `seen` follows when a plan answered.

    `entry` makes entering idempotent; `single` marks the trigger types that allow one active journey per person.
    `wait` is the WaitState of the block the person stands in; `trigger` the snapshot of what started the journey. Person 0
    is nobody: the journey's subject is the payload of a webhook.
    """

    __tablename__ = "journeys"
    __table_args__ = (
        Index("journeys_entry", "workspace_id", "campaign_id", "person_id", "entry", unique=True),
        Index(
            "journeys_one_active",
            "workspace_id",
            "campaign_id",
            "person_id",
            unique=True,
            postgresql_where=sql("single AND state = 'in_progress'"),
        ),
        Index("journeys_active", "workspace_id", "person_id", postgresql_where=sql("state = 'in_progress'")),
        Index(
            "journeys_due",
            "workspace_id",
            "due_at",
            postgresql_where=sql("state = 'in_progress' AND due_at IS NOT NULL"),
        ),
        Index(
            "journeys_behind",
            "workspace_id",
            "journey_id",
            postgresql_where=sql("state = 'in_progress' AND seen < wanted"),
        ),
        Index(
            "journeys_at_block", "workspace_id", "campaign_id", "block", postgresql_where=sql("state = 'in_progress'")
        ),
        Index(
            "journeys_by_object",
            "workspace_id",
            sql("(trigger -> 'object')"),
            "person_id",
            postgresql_where=sql("state = 'in_progress' AND trigger ? 'object'"),
        ),
        Index(
            "journeys_by_trigger_person",
            "workspace_id",
            sql("(trigger -> 'person')"),
            postgresql_where=sql("trigger ? 'person'"),
        ),
        Index("journeys_by_campaign", "workspace_id", "campaign_id", "journey_id"),
        Index("journeys_by_person", "workspace_id", "person_id", "journey_id"),
    )
    workspace_id: int = Field(primary_key=True)
    journey_id: str = text(pk=True)
    workflow_id: str = text()
    campaign_id: int
    person_id: int = bigint()
    entry: str = text()
    single: bool
    state: str = text()
    reason: str | None = text(null=True)
    explanation: str | None = text(null=True)
    version: int
    block: str | None = text(null=True)
    arrived_at: datetime | None = instant(null=True)
    arrived_seq: int = bigint()
    due_at: datetime | None = instant(null=True)
    wait: dict[str, Any] | None = json(null=True)
    started_at: datetime = instant()
    started_seq: int = bigint()
    ended_at: datetime | None = instant(null=True)
    converted_at: datetime | None = instant(null=True)
    trigger: dict[str, Any] = json()
    attributes: dict[str, Any] = json()
    created_at: datetime = instant()
    wanted: int
    seen: int
    steps: int


class JourneyStep(SQLModel, table=True):
    """What happened at one block of one journey (ACT-37); at most one row per block, holding the effect chosen.

    `started_at` repeats the journey's start: it is the partition key, constant per journey, so that uniqueness holds.
    """

    __tablename__ = "journey_steps"
    __table_args__ = ({"postgresql_partition_by": "RANGE (started_at)"},)
    workspace_id: int = Field(primary_key=True)
    journey_id: str = text(pk=True)
    action_id: int = Field(primary_key=True)
    started_at: datetime = instant(pk=True)
    seq_num: int
    block: str = text()
    output_type: str = text()
    outcome: str = text()
    effect: dict[str, Any] = json()
    explanation: str | None = text(null=True)
    delivery_id: str | None = text(null=True)
    draft: bool | None = Field(default=None)
    delay_ends_at: datetime | None = instant(null=True)
    branch_index: int | None = Field(default=None)
    path: str | None = text(null=True)
    created_at: datetime = instant()
    left_at: datetime | None = instant(null=True)


class EntryRetry(SQLModel, table=True):
    """An occurrence of a trigger that waits, up to `until`, for the campaign's filters to come true (CMP-13).

    Without `until` it is a date, and waits for the journey under way to end (CMP-05).
    """

    __tablename__ = "entry_retries"
    __table_args__ = (Index("entry_retries_by_end", "workspace_id", "until"),)
    workspace_id: int = Field(primary_key=True)
    person_id: int = bigint(pk=True)
    campaign_id: int = Field(primary_key=True)
    entry: str = text(pk=True)
    occurred_at: datetime = instant()
    occurred_seq: int = bigint()
    trigger: dict[str, Any] = json()
    parked_at: datetime = instant()
    until: datetime | None = instant(null=True)


class EntryRefusal(SQLModel, table=True):
    """Why somebody did not begin a journey although something might have begun it (CMP-34); kept for thirty days.

    `step` is the check that failed, `evidence` what it saw; person 0 is nobody in particular.
    """

    __tablename__ = "entry_refusals"
    __table_args__ = (
        Index("entry_refusals_by_age", "workspace_id", "at"),
        Index("entry_refusals_by_person", "workspace_id", "person_id"),
    )
    workspace_id: int = Field(primary_key=True)
    campaign_id: int = Field(primary_key=True)
    person_id: int = bigint(pk=True)
    seq: int = bigint(pk=True)
    occurrence: str = text(pk=True)
    at: datetime = instant()
    step: str = text()
    evidence: dict[str, Any] = json()


class CohortAssignment(SQLModel, table=True):
    """The path that everybody related to an object takes at a random cohort (ACT-15)."""

    __tablename__ = "cohort_assignments"
    workspace_id: int = Field(primary_key=True)
    action_id: int = Field(primary_key=True)
    object_no: int = bigint(pk=True)
    path: str = text()
