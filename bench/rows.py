"""Journeys that wait, made by the code that begins and plans them, without the calls and workflows that usually lead there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from clock import system_now
from domain.facts import Position
from domain.operations import Name
from domain.values import to_unix
from ingest.catalog import Campaign, Catalog, Catalogs
from ingest.unit import Unit
from services.advance import advance
from store import people
from store.database import Connection, Database
from store.people import PersonRow

PAGE: Final = 500


async def let_wait(database_url: str, workspace_id: int, campaign: str, first: int, count: int) -> None:
    """Make so many people, begin a journey of each, and plan it until it stands in its wait.

    No workflow is started: what a journey holds in PostgreSQL is the same, and Temporal is spared.
    """
    catalogs = Catalogs()
    db = await Database.connect(database_url, min_size=1, max_size=2)
    try:
        for start in range(first, first + count, PAGE):
            async with db.transaction() as conn:
                catalog = await catalogs.get(conn, workspace_id)
                (target,) = [one for one in catalog.campaigns.values() if one.key == campaign]
                names = [f"p{number}" for number in range(start, min(start + PAGE, first + count))]
                await _page(conn, catalog, target, names, system_now())
    finally:
        await db.close()


async def _page(conn: Connection, catalog: Catalog, campaign: Campaign, names: list[str], now: datetime) -> None:
    workspace_id = catalog.workspace_id
    numbers = await people.new_ids(conn, len(names))
    rows = [PersonRow(number, name, None, {}, {}, now, now) for number, name in zip(numbers, names, strict=True)]
    await people.insert(conn, workspace_id, rows)
    known: dict[Name, int | None] = {Name("id", name): number for number, name in zip(numbers, names, strict=True)}
    await people.save_names(conn, workspace_id, [], known)
    unit = await Unit.load(conn, catalog, numbers, now, keys=campaign.keys)
    event: dict[str, Any] = {"name": "joined", "type": "event", "id": None, "timestamp": to_unix(now), "data": {}}
    event |= {"at": now.isoformat(), "seq": 0}
    begun = [
        unit.start_journey(
            person, campaign, entry=f"rows-{person.person_id}", started=Position(now, 0), trigger={"event": event}
        )
        for person in unit.people.values()
    ]
    await unit.flush()
    for journey in begun:
        await advance(conn, catalog, unit, journey, now, why="start")
    await unit.flush()
    await conn.execute(
        "DELETE FROM outbox WHERE workspace_id = $1 AND journey_id = ANY($2::text[])",
        workspace_id,
        [journey.journey_id for journey in begun],
    )


__all__ = ["let_wait"]
