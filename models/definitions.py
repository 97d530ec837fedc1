"""Keyed desired-state documents and the server's side of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.types import bigint, instant, json, text


class Definition(SQLModel, table=True):
    """One document in canonical form, with lifecycle state, revision and (campaigns) the action id of each block key.

    `removed_blocks` maps a removed block key to the key that follows it, so that people standing there go on.
    `goal_seq` is the log's last number when a campaign that people may have entered got its first goal, `goal_at` the instant.
    `started_at` is the instant of the latest start; an event must not be older to trigger. `audience` is whom that start
    took in. `webhook_token` is the secret of a webhook campaign's URL, `sample` the latest payload a draft of one received.
    `goal_changed_at` and `goal_changed_seq` say when, and behind which fact, the goal of a started campaign became this one.
    `interval_since` is when people of a campaign that began once began to be looked at in intervals (CMP-24).
    `schedule_problems` say why the clock could not start it, until it starts or is saved again.
    """

    __tablename__ = "definitions"
    __table_args__ = (
        Index("definitions_by_key", "workspace_id", "kind", "key", unique=True),
        Index(
            "definitions_by_webhook",
            "webhook_token",
            unique=True,
            postgresql_where=sql("webhook_token IS NOT NULL"),
        ),
    )
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    definition_id: int = Field(primary_key=True)
    key: str = text()
    name: str = text()
    document: dict[str, Any] = json()
    revision: int
    version: int
    state: str | None = text(null=True)
    source: str | None = text(null=True)
    actions: dict[str, int] = json()
    removed_blocks: dict[str, str | None] = json()
    goal_seq: int | None = bigint(null=True)
    first_started: datetime | None = instant(null=True)
    started_at: datetime | None = instant(null=True)
    webhook_token: str | None = text(null=True)
    sample: Any = json(null=True)
    audience: str | None = text(null=True)
    interval_since: datetime | None = instant(null=True)
    goal_at: datetime | None = instant(null=True)
    goal_changed_at: datetime | None = instant(null=True)
    goal_changed_seq: int | None = bigint(null=True)
    schedule_problems: list[dict[str, Any]] | None = json(null=True)
    created_at: datetime = instant()
    updated_at: datetime = instant()


class DefinitionRevision(SQLModel, table=True):
    """What a definition was after one change, secrets hidden; `diff` is the change, `author` the name of who called.

    What was written by a version that kept no revisions is written down, without both, before the next change.
    """

    __tablename__ = "definition_revisions"
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    definition_id: int = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    document: dict[str, Any] = json()
    diff: list[dict[str, Any]] | None = json(null=True)
    author: str | None = text(null=True)
    source: str | None = text(null=True)
    created_at: datetime = instant()
