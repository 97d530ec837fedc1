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


class DataName(SQLModel, table=True):
    """An attribute or event name that was seen (PPL-51): as what type, from where, how often, when; how many hold it.

    `kind` is `attribute`, `event`, `page`, `screen`, `object:<type>` or `relationship:<type>`. The row without a
    `value_type` and `source` counts the holders.
    """

    __tablename__ = "data_names"
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    name: str = text(pk=True)
    value_type: str = text(pk=True)
    source: str = text(pk=True)
    seen: int = bigint()
    holders: int = bigint()
    first_at: datetime = instant()
    last_at: datetime = instant()


class DataNameDelta(SQLModel, table=True):
    """Names seen by one transaction, folded into `data_names` by the worker."""

    __tablename__ = "data_name_deltas"
    delta_id: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    workspace_id: int
    kind: str = text()
    name: str = text()
    value_type: str = text()
    source: str = text()
    seen: int
    holders: int
    at: datetime = instant()


class DataNameNote(SQLModel, table=True):
    """What people say about a name in the data index; `privacy_level` 1 is sensitive."""

    __tablename__ = "data_name_notes"
    workspace_id: int = Field(primary_key=True)
    kind: str = text(pk=True)
    name: str = text(pk=True)
    description: str | None = text(null=True)
    privacy_level: int
    updated_at: datetime = instant()


class WorkerProcess(SQLModel, table=True):
    """A running worker process and when it last said so (real time)."""

    __tablename__ = "workers"
    worker_id: str = text(pk=True)
    roles: str = text()
    started_at: datetime = instant()
    seen_at: datetime = instant()
