"""Pages of journeys, newest first: by journey id, which is made in order of creation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from store.database import Connection
from store.journeys import JourneyRow

_COLUMNS = ", ".join(column.name for column in fields(JourneyRow))


@dataclass(frozen=True, slots=True)
class JourneyFilter:
    """Which journeys to list; what is None narrows nothing. `started_from` is inclusive, `started_until` is not.

    `block` is where somebody stands now, so it leaves out journeys that are over, whose last block it may have been.
    """

    campaign_id: int | None = None
    person_id: int | None = None
    state: str | None = None
    block: str | None = None
    started_from: datetime | None = None
    started_until: datetime | None = None


async def page(
    conn: Connection, workspace_id: int, which: JourneyFilter, *, before: str | None, limit: int
) -> Sequence[JourneyRow]:
    """Up to `limit` journeys older than the journey `before`."""
    narrowed: list[tuple[str, str | int | datetime | None]] = [
        ("journey_id <", before),
        ("campaign_id =", which.campaign_id),
        ("person_id =", which.person_id),
        ("state =", which.state),
        ("block =", which.block),
        ("started_at >=", which.started_from),
        ("started_at <", which.started_until),
    ]
    used = [(test, value) for test, value in narrowed if value is not None]
    tests = "".join(f" AND {test} ${place}" for place, (test, _) in enumerate(used, start=3))
    if which.block is not None:
        tests += " AND state = 'in_progress'"
    records = await conn.fetch(
        f"SELECT {_COLUMNS} FROM journeys WHERE workspace_id = $1{tests} ORDER BY journey_id DESC LIMIT $2",
        workspace_id,
        limit,
        *[value for _, value in used],
    )
    return [JourneyRow(**record) for record in records]


__all__ = ["JourneyFilter", "page"]
