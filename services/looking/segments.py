"""Who came into a segment and left it: one by one, and day by day beside how many may be written to (PPL-41)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final, Literal

import asyncpg

from domain.errors import DomainError
from domain.timing import first_instant
from domain.values import from_unix, to_unix
from domain.zones import zone_named
from services.definitions import workspace_of
from services.looking import people
from services.looking.people import IdType
from services.segments import size, stored
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.reads import people as people_reads
from store.reads import segments as reads
from store.reads.cursor import decode, encode
from store.reads.segments import ChangeFilter

ChangeType = Literal["entered", "left"]
DAYS: Final = 30
MOST_DAYS: Final = 90
PATIENCE: Final = timedelta(seconds=15)
"""How long the members who may be written to are counted; of a segment too large for that it is not said."""
_TYPES: Final = {"entered": "segment_enter", "left": "segment_leave"}
_WORDS: Final = {kind: word for word, kind in _TYPES.items()}
_MOST_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """Which changes of a segment, as a caller asks for them; both times are included."""

    type: ChangeType | None = None
    customer: str | None = None
    id_type: IdType = "id"
    since: int | None = None
    until: int | None = None


async def changes(
    db: Database, workspace_id: int, ref: str | int, query: ChangeQuery, *, start: str | None, limit: int
) -> dict[str, Any]:
    """One page of who came in and who left, the latest recorded first, as far back as the activity log goes.

    `next` is empty after the last page. Raises NotFound for the segment and the person.
    """
    cursor = decode(start, int)
    async with db.connection() as conn:
        row = await stored(conn, workspace_id, ref)
        person = None
        if query.customer is not None:
            person = (await people.named(conn, workspace_id, query.customer, query.id_type)).person_id
        which = ChangeFilter(
            type=None if query.type is None else _TYPES[query.type],
            person_id=person,
            since=None if query.since is None else from_unix(query.since),
            until=None if query.until is None else from_unix(query.until + 1),
        )
        before = None if cursor is None else cursor[0]
        found = await reads.changes(conn, workspace_id, row.definition_id, which, before=before, limit=limit + 1)
        page = found[:limit]
        known = await people_reads.by_numbers(conn, workspace_id, [change.person_id for change in page])
    shown = []
    for change in page:
        whose = known.get(change.person_id or 0)
        shown.append(
            {
                "id": str(change.activity_id),
                "change": _WORDS[change.type],
                "at": to_unix(change.at),
                "processed_at": to_unix(change.processed_at),
                "customer_identifiers": None if whose is None else whose.identifiers,
                "reason": change.reason,
            }
        )
    after = encode(page[-1].activity_id) if len(found) > limit else ""
    return {"segment_id": row.definition_id, "changes": shown, "next": after}


async def history(
    db: Database, workspace_id: int, ref: str | int, *, days: int, timezone: str, real_now: datetime
) -> dict[str, Any]:
    """How many are in a segment and may be written to now, and who moved on each of the last days, oldest first.

    Days are those of the time zone; the last one is today by the workspace's clock. Raises NotFound, DomainError
    `invalid_parameter`.
    """
    zone = zone_named(timezone)
    if zone is None:
        raise DomainError("invalid_parameter", "Not an IANA time zone; write it like 'Europe/Rome'.", "/timezone")
    async with db.connection() as conn:
        row = await stored(conn, workspace_id, ref)
        workspace = await workspace_of(conn, workspace_id)
        today = workspace.now(real_now).astimezone(zone).date()
        dates = [today - timedelta(days=back) for back in range(days - 1, -2, -1)]
        starts = [first_instant(datetime.combine(date, time()), zone) for date in dates]
        moved = await reads.moved(conn, workspace_id, row.definition_id, starts)
    answer = {"segment_id": row.definition_id, "timezone": timezone} | await _counted(db, row)
    answer["days"] = [
        {"date": date.isoformat(), "start": to_unix(begins), "entered": count.entered, "left": count.left}
        for date, begins, count in zip(dates, starts, moved, strict=False)
    ]
    return answer


async def _counted(db: Database, row: DefinitionRow) -> dict[str, Any]:
    try:
        async with db.transaction() as conn:
            await _have_patience(conn)
            members, subscribed = await reads.subscribed(conn, row.workspace_id, row.definition_id)
    except asyncpg.QueryCanceledError:
        async with db.connection() as conn:
            return {"members": await size(conn, row), "subscribed": None, "subscribed_percent": None}
    percent = round(_MOST_PERCENT * subscribed / members, 1) if members else None
    return {"members": members, "subscribed": subscribed, "subscribed_percent": percent}


async def _have_patience(conn: Connection) -> None:
    await conn.execute(f"SET LOCAL statement_timeout = {int(PATIENCE.total_seconds() * 1000)}")


__all__ = ["DAYS", "MOST_DAYS", "ChangeQuery", "ChangeType", "changes", "history"]
