"""Who is in a segment, whom emptying it concerns, and how far its build is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from store.database import Connection


class Member(NamedTuple):
    """One member by all names, and since when."""

    person_id: int
    id: str | None
    email: str | None
    since: datetime


async def members(conn: Connection, workspace_id: int, segment_id: int, *, after: int, limit: int) -> list[Member]:
    """The next members in order of internal number."""
    records = await conn.fetch(
        """SELECT p.person_id, p.id, p.email, m.since FROM memberships m
           JOIN people p ON p.workspace_id = m.workspace_id AND p.person_id = m.person_id
           WHERE m.workspace_id = $1 AND m.kind = 'segment' AND m.ref_id = $2 AND m.member AND m.person_id > $3
           ORDER BY m.person_id LIMIT $4""",
        workspace_id,
        segment_id,
        after,
        limit,
    )
    return [Member(*record) for record in records]


async def concerned(
    conn: Connection, workspace_id: int, segment_id: int, campaigns: Sequence[int], *, after: int, limit: int
) -> list[int]:
    """The next people, by internal number, who are in the segment or have a journey of the campaigns under way."""
    records = await conn.fetch(
        """(SELECT person_id FROM memberships
            WHERE workspace_id = $1 AND kind = 'segment' AND ref_id = $2 AND member AND person_id > $4
            ORDER BY person_id LIMIT $5)
           UNION
           (SELECT DISTINCT person_id FROM journeys
            WHERE workspace_id = $1 AND campaign_id = ANY($3::int[]) AND state = 'in_progress' AND person_id > $4
            ORDER BY person_id LIMIT $5)
           ORDER BY person_id LIMIT $5""",
        workspace_id,
        segment_id,
        list(campaigns),
        after,
        limit,
    )
    return [record["person_id"] for record in records]


async def builds(conn: Connection, workspace_id: int) -> dict[int, tuple[int, int | None]]:
    """How many people the builds under way have looked at, and of how many, by segment id."""
    records = await conn.fetch(
        """SELECT (payload ->> 'segment_id')::int AS segment_id, done, total FROM tasks
           WHERE workspace_id = $1 AND type = 'segment_build' AND state IN ('queued', 'running') ORDER BY task_id""",
        workspace_id,
    )
    return {record["segment_id"]: (record["done"], record["total"]) for record in records}


__all__ = ["Member", "builds", "concerned", "members"]
