"""The upkeep of the whole deployment, which belongs to no workspace."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.types import bigint, instant, json, text


class Maintenance(SQLModel, table=True):
    """One job of upkeep: when it runs next, how its last run went, what it has come to since it first ran.

    `kept_days` is the setting that the last run went by; `report` what that run did and found. All by real time.
    """

    __tablename__ = "maintenance"
    job: str = text(pk=True)
    due_at: datetime = instant()
    kept_days: int | None = Field(default=None)
    began_at: datetime | None = instant(null=True)
    ended_at: datetime | None = instant(null=True)
    succeeded_at: datetime | None = instant(null=True)
    outcome: str | None = text(null=True)
    report: dict[str, Any] = json()
    partitions_dropped: int = bigint()
    rows_deleted: int = bigint()
