"""Pages of journeys, newest first, and choices of many: by journey id, which is made in order of creation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

from store.database import Connection
from store.journeys import JourneyRow

_COLUMNS = ", ".join(column.name for column in fields(JourneyRow))
_Value = str | int | datetime | list[str]


@dataclass(frozen=True, slots=True)
class JourneyFilter:
    """Which journeys are meant; what is None narrows nothing. `started_from` is inclusive, `started_until` is not.

    `block` is where somebody stands now, so it leaves out journeys that are over, whose last block it may have been.
    """

    campaign_id: int | None = None
    person_id: int | None = None
    state: str | None = None
    block: str | None = None
    started_from: datetime | None = None
    started_until: datetime | None = None
    ids: tuple[str, ...] | None = None


class Chosen(NamedTuple):
    """A journey that is meant, and whose it is."""

    journey_id: str
    person_id: int


class Choice(NamedTuple):
    """How many journeys are meant, and the id of the newest."""

    total: int
    newest: str


async def page(
    conn: Connection, workspace_id: int, which: JourneyFilter, *, before: str | None, limit: int
) -> Sequence[JourneyRow]:
    """Up to `limit` journeys older than the journey `before`."""
    tests, values = _narrowed(which, 3, [("journey_id <", before)])
    records = await conn.fetch(
        f"SELECT {_COLUMNS} FROM journeys WHERE workspace_id = $1{tests} ORDER BY journey_id DESC LIMIT $2",
        workspace_id,
        limit,
        *values,
    )
    return [JourneyRow(**record) for record in records]


async def choice(conn: Connection, workspace_id: int, which: JourneyFilter) -> Choice:
    """How many journeys are meant now, and up to which."""
    tests, values = _narrowed(which, 2)
    query = f"SELECT count(*) AS count, COALESCE(max(journey_id), '') AS newest FROM journeys WHERE workspace_id = $1{tests}"
    record = await conn.fetchrow(query, workspace_id, *values)
    return Choice(record["count"], record["newest"])


async def chosen(
    conn: Connection, workspace_id: int, which: JourneyFilter, *, after: str, upto: str, limit: int
) -> list[Chosen]:
    """The next journeys that are meant, oldest first, younger than `after` and no younger than `upto`."""
    tests, values = _narrowed(which, 3, [("journey_id >", after), ("journey_id <=", upto)])
    records = await conn.fetch(
        f"""SELECT journey_id, person_id FROM journeys WHERE workspace_id = $1{tests}
            ORDER BY journey_id LIMIT $2""",
        workspace_id,
        limit,
        *values,
    )
    return [Chosen(*record) for record in records]


async def standing(conn: Connection, workspace_id: int, campaign_id: int) -> dict[str | None, int]:
    """How many people stand at each block of a campaign now; at None those whose first block is not reached yet."""
    records = await conn.fetch(
        """SELECT block, count(*) AS standing FROM journeys
           WHERE workspace_id = $1 AND campaign_id = $2 AND state = 'in_progress' GROUP BY block""",
        workspace_id,
        campaign_id,
    )
    return {record["block"]: record["standing"] for record in records}


def _narrowed(
    which: JourneyFilter, first: int, more: Sequence[tuple[str, str | None]] = ()
) -> tuple[str, list[_Value]]:
    """The tests as they follow a WHERE, with the values of their places from `first` on."""
    ids = None if which.ids is None else list(which.ids)
    narrowed: list[tuple[str, str, _Value | None]] = [
        *[(test, "", value) for test, value in more],
        ("journey_id = ANY(", "::text[])", ids),
        ("campaign_id =", "", which.campaign_id),
        ("person_id =", "", which.person_id),
        ("state =", "", which.state),
        ("block =", "", which.block),
        ("started_at >=", "", which.started_from),
        ("started_at <", "", which.started_until),
    ]
    used = [(left, right, value) for left, right, value in narrowed if value is not None]
    tests = "".join(f" AND {left} ${place}{right}" for place, (left, right, _) in enumerate(used, start=first))
    if which.block is not None:
        tests += " AND state = 'in_progress'"
    return tests, [value for _, _, value in used]


__all__ = ["Choice", "Chosen", "JourneyFilter", "choice", "chosen", "page", "standing"]
