"""Figures and the processes that make them."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity
from sqlmodel import Field, SQLModel

from models.types import bigint, instant, text


class MetricDelta(SQLModel, table=True):
    """A change of a total, inserted by the transaction that caused it and folded in by the worker."""

    __tablename__ = "metric_deltas"
    delta_id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    workspace_id: int
    kind: str = text()
    ref_id: int
    metric: str = text()
    amount: int


class MetricTotal(SQLModel, table=True):
    """A folded total; readers add the deltas that are still unfolded."""

    __tablename__ = "metric_totals"
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    ref_id: int = Field(primary_key=True)
    metric: str = text(pk=True)
    total: int = bigint()


class WorkerProcess(SQLModel, table=True):
    """A running worker process and when it last said so (real time)."""

    __tablename__ = "workers"
    worker_id: str = text(pk=True)
    roles: str = text()
    started_at: datetime = instant()
    seen_at: datetime = instant()
