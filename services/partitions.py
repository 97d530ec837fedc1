"""Keeping growing tables in partitions: the next ones made ahead, those past retention dropped, both by real time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg

from services.maintenance import Report
from store import partitions as store
from store.database import Database
from store.partitions import Span, Table

logger = logging.getLogger("sojourn.partitions")

TRIM_PAGE = 5_000
DAYS_AHEAD = 7
MONTHS_AHEAD = 3
_DAY = timedelta(days=1)

Days = Mapping[str, int]
"""How many days each table keeps its rows; tables left out are left alone."""


class Standing(NamedTuple):
    """How a partitioned table stands: its partitions, and what is outside of them.

    `oldest` is where the first partition begins, `next_drop` when it is past its retention.
    """

    table: Table
    kept_days: int
    partitions: int
    oldest: datetime | None
    next_drop: datetime | None
    room_until: datetime | None
    bytes: int
    default_rows: int


async def maintain(db: Database, days: Days, now: datetime) -> list[str]:
    """Look after several tables; returns the names of partitions dropped."""
    return [name for table in store.KEYS if table in days for name in (await keep(db, table, days[table], now)).dropped]


async def keep(db: Database, table: Table, days: int, now: datetime) -> Report:
    """Make the partitions that are missing, and drop those past their retention."""
    report = Report()
    if await _is_crowded(db, table):
        # The server reads the default partition for each one made beside it: those of now and next, and the rest without it.
        await _make_all(db, table, (await _missing(db, table, now, days))[:2], report)
        await _adopt(db, table, now, report)
    if not await _is_crowded(db, table):
        await _make_all(db, table, await _missing(db, table, now, days), report)
    for span in await _expired(db, table, now - timedelta(days=days)):
        await _patiently(_drop(db, table, span, days), span.name, report.dropped, report.left)
    if trimmed := await _trim(db, table, days, now):
        report.deleted[table] = trimmed
    found = await standing(db, table, days)
    report.found = {"default_rows": found.default_rows}
    if found.room_until is not None:
        report.found["room_until"] = found.room_until.isoformat()
    return report


async def standing(db: Database, table: Table, days: int) -> Standing:
    """How a table stands."""
    async with db.connection() as conn:
        spans = _spans(table, await store.existing(conn, table))
        size, outside = await store.size(conn, table), await store.count_default(conn, table)
    oldest = spans[0].start if spans else None
    next_drop = spans[0].end + timedelta(days=days) if spans else None
    room = spans[-1].end if spans else None
    return Standing(table, days, len(spans), oldest, next_drop, room, size, outside)


def _spans(table: Table, names: set[str]) -> list[Span]:
    spans = [span for name in names if (span := span_of(table, name)) is not None]
    return sorted(spans, key=lambda span: span.start)


async def _missing(db: Database, table: Table, now: datetime, days: int) -> list[Span]:
    """What is wanted and not there, and before it what rows in the default partition are of: nobody made room for them then."""
    async with db.connection() as conn:
        there = _spans(table, await store.existing(conn, table))
        oldest = await store.oldest_stray(conn, table, now - timedelta(days=days), now)
        if (
            oldest is not None
            and table in store.REAL_TIME
            and await store.count_default(conn, table) > store.MOST_MOVED
        ):
            oldest = None  # they become one partition together, in the way of which smaller ones would be
    spans = wanted(table, now)
    if oldest is not None and not await _is_crowded(db, table):
        spans = [*_between(table, oldest, spans[0].start), *spans]
    return [span for span in spans if not any(one.start < span.end and span.start < one.end for one in there)]


async def _is_crowded(db: Database, table: Table) -> bool:
    """Whether the default partition holds so many rows that they become one partition together, not moved one by one."""
    if table not in store.REAL_TIME:
        return False
    async with db.connection() as conn:
        return await store.count_default(conn, table) > store.MOST_MOVED


async def _make_all(db: Database, table: Table, spans: list[Span], report: Report) -> None:
    for span in spans:
        await _patiently(_make(db, table, span), span.name, report.made, report.left)


def _between(table: Table, first: datetime, beyond: datetime) -> list[Span]:
    spans: list[Span] = []
    while (at := spans[-1].end if spans else first) < beyond:
        spans.append(_span(table, at))
    return spans


async def _expired(db: Database, table: Table, before: datetime) -> list[Span]:
    async with db.connection() as conn:
        spans = _spans(table, await store.existing(conn, table))
    return [span for span in spans if span.end <= before]


def wanted(table: Table, now: datetime) -> list[Span]:
    """The partitions that have to be there: of now and of a while ahead."""
    spans = [_span(table, now)]
    for _ in range(DAYS_AHEAD if table == "ingest_log" else MONTHS_AHEAD):
        spans.append(_span(table, spans[-1].end))
    return spans


def _span(table: Table, at: datetime) -> Span:
    return _day(table, at) if table == "ingest_log" else _month(table, at)


def span_of(table: Table, name: str) -> Span | None:
    """The partition that a name means, or None for the default one."""
    digits = name.removeprefix(f"{table}_")
    first, _, last = digits.partition("_to_")
    if last:
        begins, ends = span_of(table, f"{table}_{first}"), span_of(table, f"{table}_{last}")
        return Span(name, begins.start, ends.end) if begins and ends else None
    if not digits.isdecimal() or len(digits) not in (6, 8):
        return None
    start = datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:8] or 1), tzinfo=UTC)
    return _day(table, start) if len(digits) == 8 else _month(table, start)


def _day(table: Table, at: datetime) -> Span:
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(f"{table}_{start:%Y%m%d}", start, start + _DAY)


def _month(table: Table, at: datetime) -> Span:
    start = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Span(f"{table}_{start:%Y%m}", start, (start + 31 * _DAY).replace(day=1))


async def _patiently(work: Awaitable[bool], name: str, done: list[str], left: list[str]) -> None:
    """Do it, unless the table is busy: then it is left for the next time."""
    try:
        if await work:
            done.append(name)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        logger.warning("partition is busy; trying again soon", extra={"partition": name})
        left.append(name)


async def _make(db: Database, table: Table, span: Span) -> bool:
    async with db.transaction() as conn:
        if not await store.take_turn(conn) or span.name in await store.existing(conn, table):
            return False
        if await store.strays(conn, table, span) > store.MOST_MOVED:
            return False  # where a whole partition can be made of them, `_adopt` does
        await store.create(conn, table, span)
    logger.info("partition made", extra={"partition": span.name})
    return True


async def _adopt(db: Database, table: Table, now: datetime, report: Report) -> None:
    """Make one partition of the default one, where it holds too many rows to be moved and none is added any more.

    That is so when the partitions that were missing are all of the past: rows of now go to partitions of their own.
    """
    async with db.connection() as conn:
        first, last = await store.default_range(conn, table)
        there = _spans(table, await store.existing(conn, table))
    begins, ends = _span(table, first), _span(table, last)
    span = Span(f"{begins.name}_to_{ends.name.rpartition('_')[2]}", begins.start, ends.end)
    if ends.end > now or any(one.start < span.end and span.start < one.end for one in there):
        logger.warning("too many rows to move: they stay in the default partition for now", extra={"table": table})
        return
    try:
        await _patiently(_adopted(db, table, span), span.name, report.made, report.left)
    except asyncpg.QueryCanceledError:
        logger.warning(
            "too many rows to adopt: they are deleted in pages when their time is over", extra={"table": table}
        )


async def _adopted(db: Database, table: Table, span: Span) -> bool:
    async with db.transaction() as conn:
        if not await store.take_turn(conn):
            return False
        await store.adopt_default(conn, table, span)
    return True


async def _drop(db: Database, table: Table, span: Span, days: int) -> bool:
    async with db.transaction() as conn:
        if not await store.take_turn(conn) or span.name not in await store.existing(conn, table):
            return False
        if (
            await store.is_needed(conn, table, span)
            or await store.count_kept(conn, table, span, days) > store.MOST_MOVED
        ):
            logger.warning("partition is past its retention but in use", extra={"partition": span.name})
            return False
        await store.drop(conn, table, span, days)
    logger.info("partition dropped", extra={"partition": span.name})
    return True


async def _trim(db: Database, table: Table, days: int, now: datetime) -> int:
    """Rows outside every partition: sandboxes live at any time, and whatever came before the partitions did."""
    gone = TRIM_PAGE
    total = 0
    while gone == TRIM_PAGE:
        async with db.transaction() as conn:
            gone = await store.trim_default(conn, table, days, now, TRIM_PAGE)
        total += gone
    return total


__all__ = ["Days", "Standing", "keep", "maintain", "span_of", "standing", "wanted"]
