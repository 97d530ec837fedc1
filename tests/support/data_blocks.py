"""Short words for tests of blocks that change data: Ann goes, a campaign acts, and what came of it."""

from __future__ import annotations

from typing import Any

from domain.operations import (
    Identifier,
    Identify,
    TrackEvent,
)
from services.looking import journeys as looking
from tests.support.database import Room
from tests.support.driver import Driver
from tests.support.live import on_event

ANN = Identifier(kind="id", value="ann")
ON_GO = on_event("go")
DELAY = {"type": "time_delay", "duration": "P9D"}
ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}


async def ready(room: Room, *documents: dict[str, Any], **attributes: Any) -> Driver:
    """These definitions, the campaigns running, and Ann."""
    await room.define(*documents)
    for document in documents:
        if document["kind"] == "campaign":
            await room.run_campaign(document["key"])
    driver = Driver(room)
    await room.accept(Identify(subject=ANN, attributes={"email": "ann@example.com", **attributes}))
    await driver.step()
    return driver


async def happens(room: Room, driver: Driver, data: dict[str, Any] | None = None, times: int = 4) -> None:
    """Ann goes, and what follows from it."""
    await room.accept(TrackEvent(subject=ANN, name="go", data=data or {}))
    for _ in range(times):
        await driver.step()


async def only(room: Room, key: str = "c") -> dict[str, Any]:
    """The only journey of a campaign as the API shows it."""
    query = """SELECT j.journey_id FROM journeys j JOIN definitions d
               ON d.workspace_id = j.workspace_id AND d.kind = 'campaign' AND d.definition_id = j.campaign_id
               WHERE j.workspace_id = $1 AND d.key = $2"""
    (row,) = await room.rows(query, key)
    return (await looking.one(room.db, room.catalogs, room.workspace_id, row["journey_id"]))["journey"]


async def walked(room: Room, key: str = "c") -> list[tuple[str, str, str | None]]:
    """Block, outcome and explanation of each step."""
    return [(step["block"], step["outcome"], step["explanation"]) for step in (await only(room, key))["steps"]]


async def kept(room: Room) -> dict[str, Any]:
    """The attributes of the only journey."""
    (journey,) = await room.journeys()
    found: dict[str, Any] = journey["attributes"]
    return found


async def events(room: Room, name: str) -> list[dict[str, Any]]:
    """The events of a name, oldest first, with whose they are."""
    return await room.rows(
        """SELECT p.id, p.email, e.data, e.at, e.event_id FROM events e JOIN people p USING (workspace_id, person_id)
           WHERE e.workspace_id = $1 AND e.name = $2 ORDER BY e.at, e.seq, p.person_id""",
        name,
    )


async def attributes(room: Room) -> dict[str | None, dict[str, Any]]:
    """Everybody's attributes, by id."""
    return {row["id"]: row["attributes"] for row in await room.people()}


__all__ = [
    "ACCOUNT",
    "ANN",
    "DELAY",
    "ON_GO",
    "attributes",
    "events",
    "happens",
    "kept",
    "only",
    "ready",
    "walked",
]
