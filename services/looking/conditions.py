"""Trying a condition: on one person, leaf by leaf, and on everybody (PPL-41)."""

from __future__ import annotations

from datetime import datetime
from heapq import heappush, heappushpop
from typing import Any, Final

from domain.condition_rules import check_condition
from domain.conditions import Condition, LeafReport, evaluate
from domain.errors import InvalidInput, Problem
from domain.samples import Estimate, Trial
from domain.values import from_unix, to_unix
from ingest.catalog import Catalogs
from services.looking.matching import LONGEST, pages
from services.looking.people_search import names_of
from services.looking.references import wrong_references
from services.looking.samples import sample_facts
from store import tasks
from store.database import Connection, Database
from store.people import ReadPerson

AT: Final = "/condition"


async def tried(
    db: Database, catalogs: Catalogs, workspace_id: int, trial: Trial, *, real_now: datetime
) -> dict[str, Any]:
    """The verdict on one person and of every leaf: the value it saw, and when the clock alone may turn it.

    Raises InvalidInput for what is wrong with the condition or its context, NotFound for a person or a journey.
    """
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        # Every root may be tried; everything else is checked as in the place that allows most.
        problems = check_condition(trial.condition, "wait", pointer=AT, trigger_type="event", in_workflow=True)
        await _refuse(
            conn, workspace_id, trial.condition, [problem for problem in problems if problem.code != "root_not_allowed"]
        )
        now = catalog.now(real_now) if trial.context.at is None else from_unix(trial.context.at)
        facts = await sample_facts(conn, catalog, trial.context, trial.condition.keys, now)
    verdict = evaluate(trial.condition, facts, now, explain=True)
    return {
        "result": verdict.matched,
        "reason": verdict.reason,
        "at": to_unix(now),
        "next_check_at": _seconds(verdict.flips_at),
        "leaves": [_shown(leaf) for leaf in verdict.leaves],
    }


async def estimated(
    db: Database,
    catalogs: Catalogs,
    workspace_id: int,
    wanted: Estimate,
    *,
    real_now: datetime,
    seconds: float = LONGEST,
) -> dict[str, Any]:
    """How many people match now, of how many, and some of them: always the same ones while the people are the same.

    When the time is up it answers with what was counted so far: `complete` is false, and `looked_at` says among how many
    people. Raises InvalidInput for a condition that could not stand in a segment.
    """
    condition = wanted.condition
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        await _refuse(conn, workspace_id, condition, check_condition(condition, "segment", pointer=AT))
        total = await tasks.count_people(conn, workspace_id)
    sample, count, looked_at, complete = _Sample(wanted.sample), 0, 0, False
    async for page in pages(db, catalog, condition, catalog.now(real_now), seconds=seconds):
        count += len(page.matched)
        looked_at += page.looked
        complete = page.looked == 0
        sample.add(page.matched)
    return {
        "count": count,
        "total": max(total, looked_at),
        "percent": round(100 * count / looked_at, 2) if looked_at else 0,
        "sample": [names_of(row) for row in sample.people],
        "complete": complete,
        "looked_at": looked_at,
    }


class _Sample:
    """The people whose numbers, stirred, come first: spread over everybody, and no matter of chance."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[int, ReadPerson]] = []

    def add(self, rows: list[ReadPerson]) -> None:
        """Consider these, too."""
        for row in rows if self._size else ():
            entry = (-_stirred(row.person_id), row)
            if len(self._kept) < self._size:
                heappush(self._kept, entry)
            elif entry > self._kept[0]:
                heappushpop(self._kept, entry)

    @property
    def people(self) -> list[ReadPerson]:
        """Those who are kept, by internal number."""
        return sorted((row for _, row in self._kept), key=lambda row: row.person_id)


def _stirred(number: int) -> int:
    """A number of 64 bits, different for each, in which neighbours lie far apart (the end of MurmurHash3)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        number = ((number ^ (number >> 33)) * factor) & 0xFFFFFFFFFFFFFFFF
    return number ^ (number >> 33)


async def _refuse(conn: Connection, workspace_id: int, condition: Condition, problems: list[Problem]) -> None:
    found = problems or await wrong_references(conn, workspace_id, condition, AT)
    if found:
        raise InvalidInput(found)


def _shown(leaf: LeafReport) -> dict[str, Any]:
    return {
        "pointer": AT + leaf.pointer,
        "result": leaf.result,
        "actual": leaf.actual,
        "note": leaf.note,
        "next_check_at": _seconds(leaf.flips_at),
    }


def _seconds(instant: datetime | None) -> int | None:
    return None if instant is None else to_unix(instant)


__all__ = ["estimated", "tried"]
