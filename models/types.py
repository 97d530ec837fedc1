"""The column types every table is built from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Computed, DateTime, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine, UserDefinedType
from sqlmodel import Field


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id; readers compare it with the horizon of running transactions."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        """The type's SQL name."""
        return "xid8"


def _column(kind: TypeEngine[Any], *, null: bool, pk: bool, **kw: Any) -> Any:
    return Field(default=None, sa_column=Column(kind, nullable=null and not pk, primary_key=pk, **kw))


def text(*, null: bool = False, pk: bool = False) -> Any:
    """Text compared byte by byte: no answer of ours depends on the database's locale."""
    return _column(Text(collation="C"), null=null, pk=pk)


def bigint(*, null: bool = False, pk: bool = False, **kw: Any) -> Any:
    """A 64-bit integer."""
    return _column(BigInteger(), null=null, pk=pk, **kw)


def instant(*, null: bool = False, pk: bool = False) -> Any:
    """An aware instant; never with a default, because no SQL reads a clock."""
    return _column(DateTime(timezone=True), null=null, pk=pk)


def json(*, null: bool = False) -> Any:
    """A JSON document."""
    return _column(JSONB(none_as_null=True), null=null, pk=False)


def derived(expression: str) -> Any:
    """A truth that follows from the other columns; the database keeps it."""
    return Field(default=None, sa_column=Column(Boolean(), Computed(expression, persisted=True)))


def blob(*, null: bool = False, pk: bool = False) -> Any:
    """Bytes."""
    return _column(LargeBinary(), null=null, pk=pk)


def texts(*, null: bool = False) -> Any:
    """A list of texts."""
    return _column(ARRAY(Text(collation="C")), null=null, pk=False)


def bigints() -> Any:
    """A list of 64-bit integers."""
    return _column(ARRAY(BigInteger()), null=False, pk=False)


Instant = datetime
__all__ = ["Instant", "Xid8", "bigint", "bigints", "blob", "derived", "instant", "json", "text", "texts"]
