"""Journeys under way that the database says should have moved by now; what keeps them, only Temporal knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from store.database import Connection
from store.outbox import JourneyStart

Kind = Literal["behind", "overdue"]
"""`behind`: woken, and not planned since. `overdue`: its instant has come, in a workspace on real time."""


@dataclass(frozen=True, slots=True)
class Late:
    """A journey that should have moved, with what its workflow is started with; `at` is when, where that is known."""

    journey: JourneyStart
    kind: Kind
    block: str | None
    at: datetime | None


After = tuple[int, datetime | None, str]
"""The last of a page: workspace, instant, journey."""

_COLUMNS = """j.workspace_id, j.journey_id, j.workflow_id, j.campaign_id, j.person_id, j.block, j.due_at,
              COALESCE(d.key, j.campaign_id::text) AS campaign_key"""
_CAMPAIGN = """LEFT JOIN definitions d ON d.workspace_id = j.workspace_id AND d.kind = 'campaign'
                                       AND d.definition_id = j.campaign_id"""
# What waits in the outbox is late for another reason, which `sojourn_outbox_depth` shows.
_HANDED_OVER = """NOT EXISTS (SELECT 1 FROM outbox o
                              WHERE o.workspace_id = j.workspace_id AND o.workflow_id = j.workflow_id)"""
_BEHIND = f"""
    SELECT {_COLUMNS} FROM journeys j {_CAMPAIGN}
    WHERE j.state = 'in_progress' AND j.seen < j.wanted AND ($1::int IS NULL OR j.workspace_id = $1)
      AND (j.workspace_id, j.journey_id) > ($2, $3) AND {_HANDED_OVER}
    ORDER BY j.workspace_id, j.journey_id LIMIT $4"""
_OVERDUE = f"""
    SELECT {_COLUMNS} FROM workspaces w JOIN journeys j USING (workspace_id) {_CAMPAIGN}
    WHERE NOT w.sandbox AND j.state = 'in_progress' AND j.seen = j.wanted AND j.due_at < $5
      AND ($1::int IS NULL OR j.workspace_id = $1)
      AND (j.workspace_id, j.due_at, j.journey_id) > ($2, COALESCE($6::timestamptz, '-infinity'), $3) AND {_HANDED_OVER}
    ORDER BY j.workspace_id, j.due_at, j.journey_id LIMIT $4"""
_COUNT = f"""
    SELECT (SELECT count(*) FROM journeys j
            WHERE j.state = 'in_progress' AND j.seen < j.wanted AND ($1::int IS NULL OR j.workspace_id = $1)
              AND {_HANDED_OVER}) AS behind,
           (SELECT count(*) FROM workspaces w JOIN journeys j USING (workspace_id)
            WHERE NOT w.sandbox AND j.state = 'in_progress' AND j.seen = j.wanted AND j.due_at < $2
              AND ($1::int IS NULL OR j.workspace_id = $1) AND {_HANDED_OVER}) AS overdue"""


async def page(
    conn: Connection, kind: Kind, before: datetime, after: After | None, limit: int, *, workspace_id: int | None = None
) -> list[Late]:
    """Up to `limit` journeys of one kind behind `after`; `overdue` are those whose instant is before `before`."""
    workspace, at, journey = after or (0, None, "")
    given: list[Any] = [workspace_id, workspace, journey, limit]
    if kind == "behind":
        records = await conn.fetch(_BEHIND, *given)
    else:
        records = await conn.fetch(_OVERDUE, *given, before, at)
    return [_late(record, kind) for record in records]


def after(late: Late) -> After:
    """The place behind which the next page begins."""
    return late.journey.workspace_id, late.at, late.journey.journey_id


async def one(conn: Connection, journey_id: str) -> tuple[Late, str] | None:
    """A journey by its id, late or not, and its state; None where nobody knows it."""
    query = f"""SELECT {_COLUMNS}, j.state, j.seen < j.wanted AS behind
                FROM workspaces w JOIN journeys j ON j.workspace_id = w.workspace_id AND j.journey_id = $1 {_CAMPAIGN}"""
    record = await conn.fetchrow(query, journey_id)
    return None if record is None else (_late(record, "behind" if record["behind"] else "overdue"), record["state"])


async def still(conn: Connection, late: Sequence[Late], before: datetime) -> set[str]:
    """The ids of those that have not moved since they were read."""
    records = await conn.fetch(
        """SELECT j.journey_id FROM unnest($1::int[], $2::text[]) AS l (workspace_id, journey_id)
           JOIN journeys j USING (workspace_id, journey_id)
           WHERE j.state = 'in_progress' AND (j.seen < j.wanted OR j.due_at < $3)""",
        [one.journey.workspace_id for one in late],
        [one.journey.journey_id for one in late],
        before,
    )
    return {record["journey_id"] for record in records}


async def count(conn: Connection, before: datetime, workspace_id: int | None = None) -> dict[Kind, int]:
    """How many there are of each kind."""
    record = await conn.fetchrow(_COUNT, workspace_id, before)
    return {"behind": record["behind"], "overdue": record["overdue"]}


def _late(record: Mapping[str, Any], kind: Kind) -> Late:
    names = ("workspace_id", "journey_id", "workflow_id", "campaign_id", "campaign_key", "person_id")
    return Late(JourneyStart(**{name: record[name] for name in names}), kind, record["block"], record["due_at"])


__all__ = ["After", "Kind", "Late", "after", "count", "one", "page", "still"]
