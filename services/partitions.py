"""Keeping growing tables in partitions: the next ones made ahead, those past retention dropped, both by real time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import asyncpg

from store import partitions as store
from store.database import Database
from store.partitions import Span, Table

logger = logging.getLogger("sojourn.partitions")

EVERY = 3600.0
TRIM_PAGE = 5_000
DAYS_AHEAD = 3
MONTHS_AHEAD = 1
_DAY = timedelta(days=1)

Days = Mapping[str, int]
"""How many days each table keeps its rows; tables left out are left alone."""


class PartitionKeeper:
    """Looks after partitions every hour."""

    def __init__(self, db: Database, days: Days, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._days = days
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Maintain until told to stop, beginning at once."""
        while not stop.is_set():
            try:
                await maintain(self._db, self._days, self._clock())
            except Exception:
                logger.exception("keeping partitions failed; trying again in an hour")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await stop.wait()


async def maintain(db: Database, days: Days, now: datetime) -> list[str]:
    """Make what is missing and drop what is past its retention; returns the names of partitions dropped."""
    dropped: list[str] = []
    for table in store.KEYS:
        if table not in days:
            continue
        kept = days[table]
        for span in wanted(table, now):
            await _patiently(_make(db, table, span), span.name)
        for span in await _expired(db, table, now - timedelta(days=kept)):
            dropped += [span.name] if await _patiently(_drop(db, table, span, kept), span.name) else []
        await _trim(db, table, kept, now)
    return dropped


async def _expired(db: Database, table: Table, before: datetime) -> list[Span]:
    async with db.connection() as conn:
        names = await store.existing(conn, table)
    spans = [span for name in sorted(names) if (span := span_of(table, name)) is not None]
    return [span for span in spans if span.end <= before]


def wanted(table: Table, now: datetime) -> list[Span]:
    """The partitions that have to be there: of now and of a while ahead."""
    span = _day(table, now) if table == "ingest_log" else _month(table, now)
    spans = [span]
    for _ in range(DAYS_AHEAD if table == "ingest_log" else MONTHS_AHEAD):
        spans.append(_day(table, spans[-1].end) if table == "ingest_log" else _month(table, spans[-1].end))
    return spans


def span_of(table: Table, name: str) -> Span | None:
    """The partition that a name means, or None for the default one."""
    digits = name.removeprefix(f"{table}_")
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


async def _patiently(work: Awaitable[bool], name: str) -> bool:
    """Whether the work was done; a table that is busy is left for the next time."""
    try:
        return await work
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        logger.warning("partition is busy; trying again next time", extra={"partition": name})
        return False


async def _make(db: Database, table: Table, span: Span) -> bool:
    async with db.transaction() as conn:
        if not await store.take_turn(conn) or span.name in await store.existing(conn, table):
            return False
        if await store.strays(conn, table, span) > store.MOST_MOVED:
            logger.warning("too many rows to move: they stay in the default partition", extra={"partition": span.name})
            return False
        await store.create(conn, table, span)
    logger.info("partition made", extra={"partition": span.name})
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


async def _trim(db: Database, table: Table, days: int, now: datetime) -> None:
    """Rows outside every partition: sandboxes live at any time, and whatever came before the partitions did."""
    gone = TRIM_PAGE
    total = 0
    while gone == TRIM_PAGE:
        async with db.transaction() as conn:
            gone = await store.trim_default(conn, table, days, now, TRIM_PAGE)
        total += gone
    if total:
        logger.info("rows past retention deleted from the default partition", extra={"table": table, "rows": total})


__all__ = ["Days", "PartitionKeeper", "maintain", "span_of", "wanted"]
