"""People for those who evaluate conditions by the page: whoever might match, and nobody's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.conditions import Condition
from domain.narrowing import narrowing
from store.builds import Range, count_between, next_range
from store.database import Connection
from store.narrowing import Narrowed
from store.people import ReadPerson

_COLUMNS = "p.person_id, p.id, p.email, p.attributes, p.created_at, p.age_start"


class Candidates(NamedTuple):
    """Those who might match in a range of people: all of them who are in it, or as many as fill a page."""

    rows: list[ReadPerson]
    range: Range


async def candidates(
    conn: Connection,
    workspace_id: int,
    condition: Condition,
    segment_ids: Mapping[str, int],
    *,
    after: int,
    limit: int,
    span: int,
    now: datetime,
) -> Candidates:
    """So many of the next `span` people by internal number; nobody who matches now is left out of the range."""
    found = await next_range(conn, workspace_id, after=after, most=span)
    if not found.people:
        return Candidates([], found)
    parameters: list[Any] = [workspace_id, after, found.until, limit]
    where = Narrowed(now, segment_ids, ("$2", "$3"), parameters).where(narrowing(condition))
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM people p
            WHERE p.workspace_id = $1 AND p.person_id > $2 AND p.person_id <= $3 AND {where}
            ORDER BY p.person_id LIMIT $4""",
        *parameters,
    )
    rows = [ReadPerson(*record) for record in records]
    if len(rows) == limit:
        until = rows[-1].person_id
        found = Range(until, await count_between(conn, workspace_id, after=after, until=until))
    return Candidates(rows, found)


async def by_numbers(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[ReadPerson]:
    """People by internal number; those who are gone are left out."""
    records = await conn.fetch(
        f"SELECT {_COLUMNS} FROM people p WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) ORDER BY person_id",
        workspace_id,
        list(person_ids),
    )
    return [ReadPerson(*record) for record in records]


__all__ = ["Candidates", "by_numbers", "candidates"]
