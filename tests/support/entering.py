"""Campaigns of a room entered by facts and by the clock, without Temporal: journeys begin and stay where they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clock import system_now
from domain.operations import Identifier, Identify, TrackEvent
from services import campaigns, definitions, journeys
from services.due import fire
from store import due, workspaces
from tests.support.database import Room
from tests.support.tasks import Tasks

HOLD: dict[str, Any] = {"start": "hold", "blocks": {"hold": {"type": "time_delay", "duration": "P30D"}}}


def campaign(trigger: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A campaign `c` in which people wait."""
    return {"kind": "campaign", "key": "c", "name": "C", "trigger": trigger, "workflow": HOLD, **fields}


class Entering:
    """Facts and instants of a room; `ann` is everybody who matters."""

    def __init__(self, room: Room) -> None:
        self.room = room

    async def begin(self, at: str) -> None:
        """Set the clock."""
        self.room.now = datetime.fromisoformat(f"{at}+00:00")
        async with self.room.db.transaction() as conn:
            await workspaces.set_clock(conn, self.room.workspace_id, self.room.now)

    async def start(self, *documents: dict[str, Any]) -> None:
        """Define the documents and start the campaign among them, built to the end."""
        await self.room.define(*documents)
        await campaigns.start(self.room.db, self.room.workspace_id, "c", None, system_now())
        await self.built()

    async def edit(self, document: dict[str, Any]) -> None:
        """Save the campaign anew, with what follows from it."""
        body = {"definitions": [document]}
        await definitions.apply(self.room.db, self.room.workspace_id, body, now=system_now())
        await self.built()

    async def built(self) -> None:
        """Carry out the tasks there are."""
        await Tasks(self.room.db, self.room.catalogs).drain()

    async def identify(self, name: str = "ann", **attributes: Any) -> None:
        """Write attributes of somebody."""
        await self.room.apply(Identify(subject=Identifier(kind="id", value=name), attributes=attributes))

    async def track(self, event: str, data: dict[str, Any] | None = None, **more: Any) -> None:
        """Have Ann do something."""
        who = Identifier(kind="id", value="ann")
        await self.room.apply(TrackEvent(subject=who, name=event, data=data or {}, **more))

    async def to(self, at: str) -> None:
        """Move the clock there, by way of every instant at which something is due."""
        target = datetime.fromisoformat(f"{at}+00:00")
        room = self.room
        while True:
            async with room.db.connection() as conn:
                coming = await due.next_instant(conn, room.workspace_id, room.now)
            over = coming is None or coming.at > target
            room.now = target if over or coming is None else coming.at
            async with room.db.transaction() as conn:
                await workspaces.set_clock(conn, room.workspace_id, room.now)
            await self.fire()
            if over:
                return

    async def fire(self) -> None:
        """Have everything looked at that the clock asks for now."""
        room, moved = self.room, 1
        while moved:
            async with room.db.transaction() as conn:
                fired = await fire(conn, await room.catalogs.get(conn, room.workspace_id), system_now())
            moved = fired.counts["segment_flip"]
            await room.apply()

    async def end(self) -> None:
        """End the journey under way, by hand."""
        [row] = [row for row in await self.room.journeys() if row["state"] == "in_progress"]
        await journeys.end_one(self.room.db, self.room.workspace_id, row["journey_id"], system_now())
        await self.fire()

    async def began(self, form: str = "%m-%dT%H:%M") -> list[str]:
        """When the journeys began, oldest first."""
        found = sorted(row["started_at"] for row in await self.room.journeys())
        return [instant.astimezone(self.room.now.tzinfo).strftime(form) for instant in found]

    async def waiting(self) -> int:
        """How many occurrences wait."""
        return len(await self.room.rows("SELECT 1 FROM entry_retries WHERE workspace_id = $1"))

    async def refused(self) -> list[str]:
        """The checks that kept somebody out, oldest first."""
        query = "SELECT step FROM entry_refusals WHERE workspace_id = $1 ORDER BY at, seq"
        return [row["step"] for row in await self.room.rows(query)]


__all__ = ["HOLD", "Entering", "campaign"]
