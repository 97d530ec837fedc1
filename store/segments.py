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


class Build(NamedTuple):
    """The task of a build: where it stands, how many people it has looked at, and of how many (None: not known)."""

    task_id: str
    state: str
    done: int
    total: int | None
    error: str | None


async def last_builds(conn: Connection, workspace_id: int, segment_ids: Sequence[int]) -> dict[int, Build]:
    """The latest build of each of these segments that had one, over or not, by segment id."""
    records = await conn.fetch(
        """SELECT DISTINCT ON (segment_id) segment_id, task_id, state, done, total, error
           FROM (SELECT (payload ->> 'segment_id')::int AS segment_id, task_id, state, done, total, error FROM tasks
                 WHERE workspace_id = $1 AND type = 'segment_build') builds
           WHERE segment_id = ANY($2::int[]) ORDER BY segment_id, task_id DESC""",
        workspace_id,
        list(segment_ids),
    )
    return {record["segment_id"]: Build(*list(record)[1:]) for record in records}


__all__ = ["Build", "Member", "concerned", "last_builds", "members"]
