"""Whom a page of a build looks at: a range of people by internal number, those in it who may match, what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.narrowing import Hint
from store.database import Connection
from store.narrowing import Narrowed
from store.people import Kept, ReadPerson


class Range(NamedTuple):
    """People after one internal number up to another, and how many there are."""

    until: int
    people: int


async def next_range(conn: Connection, workspace_id: int, *, after: int, most: int) -> Range:
    """The next people, at most so many; `people` is 0 where nobody is left."""
    record = await conn.fetchrow(
        """SELECT max(person_id) AS until, count(*) AS people FROM (
               SELECT person_id FROM people WHERE workspace_id = $1 AND person_id > $2
               ORDER BY person_id LIMIT $3) AS p""",
        workspace_id,
        after,
        most,
    )
    return Range(record["until"] or after, record["people"])


async def count_between(conn: Connection, workspace_id: int, *, after: int, until: int) -> int:
    """How many people there are in a range."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM people WHERE workspace_id = $1 AND person_id > $2 AND person_id <= $3",
        workspace_id,
        after,
        until,
    )
    return count


async def candidates(
    conn: Connection,
    workspace_id: int,
    membership: tuple[str, int],
    hint: Hint | None,
    segment_ids: Mapping[str, int],
    *,
    after: int,
    until: int,
    limit: int,
    now: datetime,
) -> list[int]:
    """The first people in the range who fit the hint, or of whom something is kept, ascending.

    One statement, so that each person is seen at one instant, with everything the hint looks at.
    """
    parameters: list[Any] = [workspace_id, after, until, *membership, limit]
    narrowed = Narrowed(now, segment_ids, ("$2", "$3"), parameters)
    records = await conn.fetch(
        f"""SELECT p.person_id FROM people p
            WHERE p.workspace_id = $1 AND p.person_id > $2 AND p.person_id <= $3
              AND ({narrowed.where(hint)} OR EXISTS (
                   SELECT 1 FROM memberships m WHERE m.workspace_id = $1 AND m.person_id = p.person_id
                     AND m.person_id > $2 AND m.person_id <= $3 AND m.kind = $4 AND m.ref_id = $5))
            ORDER BY p.person_id LIMIT $6""",
        *parameters,
    )
    return [record["person_id"] for record in records]


async def hold(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[ReadPerson]:
    """Lock and read people, ascending, as those see them who only look; who is gone is left out."""
    records = await conn.fetch(
        """SELECT person_id, id, email, attributes, created_at, age_start FROM people
           WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) ORDER BY person_id FOR NO KEY UPDATE""",
        workspace_id,
        list(person_ids),
    )
    return [ReadPerson(*record) for record in records]


async def kept(
    conn: Connection, workspace_id: int, membership: tuple[str, int], person_ids: Sequence[int]
) -> dict[int, Kept]:
    """What is kept of one membership of these people, whose locks the caller holds."""
    records = await conn.fetch(
        """SELECT person_id, member, flips_at FROM memberships
           WHERE workspace_id = $1 AND person_id = ANY($4::bigint[]) AND kind = $2 AND ref_id = $3""",
        workspace_id,
        *membership,
        list(person_ids),
    )
    return {person_id: Kept(member, flips_at) for person_id, member, flips_at in records}


__all__ = ["Range", "candidates", "count_between", "hold", "kept", "next_range"]
