"""A migrated PostgreSQL of its own for tests of the store and of what stands on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from clock import system_now
from ingest.apply import Applier
from ingest.catalog import Catalogs
from services import definitions
from settings import CHECKOUT
from stack.commands import product_environment, run_tool
from stack.services import postgres_alone
from store import log, workspaces
from store.database import Database
from store.notify import Notifier
from tests.support.eventually import LOOK_EVERY

LOOKS = 20
"""How often facts are looked for that are out of sight."""
START = datetime.fromisoformat("2026-01-01T10:00:00+00:00")


@contextlib.asynccontextmanager
async def migrated() -> AsyncIterator[Database]:
    """A database with the newest schema, gone afterwards."""
    async with postgres_alone() as services:
        await run_tool(["alembic", "upgrade", "head"], product_environment(services.settings, {}, CHECKOUT), CHECKOUT)
        db = await Database.connect(services.database_url)
        try:
            yield db
        finally:
            await db.close()


class Room:
    """One sandbox workspace, driven without HTTP and without Temporal: facts in, rows out."""

    def __init__(self, db: Database, workspace_id: int) -> None:
        self.db = db
        self.workspace_id = workspace_id
        self.catalogs = Catalogs()
        self.applier = Applier(db, self.catalogs, Notifier(db.pool))
        self.now = START

    @classmethod
    async def make(cls, db: Database) -> Room:
        """A fresh workspace whose clock stands at `START`."""
        async with db.transaction() as conn:
            number = await workspaces.create(
                conn, name="test", sandbox=True, clock_now=START, delivery_key=b"k" * 32, now=START
            )
        return cls(db, number)

    async def define(self, *documents: dict[str, Any]) -> dict[str, Any]:
        """Apply definitions; segments count as built and campaigns run, unless they say otherwise by their state."""
        answer = await definitions.apply(self.db, self.workspace_id, {"definitions": list(documents)}, now=system_now())
        async with self.db.transaction() as conn:
            await conn.execute(
                "UPDATE definitions SET state = 'ready' WHERE workspace_id = $1 AND kind = 'segment'",
                self.workspace_id,
            )
            await conn.execute("UPDATE tasks SET state = 'succeeded' WHERE workspace_id = $1", self.workspace_id)
            await workspaces.bump_definitions(conn, self.workspace_id)
        return answer

    async def run_campaign(self, key: str, state: str = "running") -> None:
        """Put a campaign into a state as of now."""
        async with self.db.transaction() as conn:
            await conn.execute(
                """UPDATE definitions SET state = $3, started_at = $4, first_started = $4
                   WHERE workspace_id = $1 AND kind = 'campaign' AND key = $2""",
                self.workspace_id,
                key,
                state,
                self.now,
            )
            await workspaces.bump_definitions(conn, self.workspace_id)

    async def accept(self, *operations: Any) -> None:
        """Append operations to the log, each in a transaction of its own."""
        for operation in operations:
            async with self.db.transaction() as conn:
                await log.append(conn, [log.entry_of(self.workspace_id, operation, "test")], system_now())

    async def apply(self, *operations: Any) -> None:
        """Append and apply until nothing is left."""
        await self.accept(*operations)
        for _ in range(LOOKS):
            while await self.applier.apply_once(system_now()):
                pass
            # The server's own upkeep writes, too, and the log is read no further than the oldest who does.
            if not await self._rows_out_of_sight():
                return
            await asyncio.sleep(LOOK_EVERY)

    async def _rows_out_of_sight(self) -> bool:
        """Whether facts wait that cannot be read yet, because somebody writes since before them."""
        async with self.db.connection() as conn:
            hidden: bool = await conn.fetchval(
                """SELECT EXISTS (SELECT 1 FROM ingest_log WHERE workspace_id = $1 AND applied_at IS NULL
                                    AND xid >= pg_snapshot_xmin(pg_current_snapshot()))""",
                self.workspace_id,
            )
        return hidden

    async def move(self, **span: float) -> None:
        """Move the clock, without anything happening by itself."""
        self.now += timedelta(**span)
        async with self.db.transaction() as conn:
            await workspaces.set_clock(conn, self.workspace_id, self.now)

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """What a query whose first argument is the workspace answers."""
        async with self.db.connection() as conn:
            return [dict(record) for record in await conn.fetch(query, self.workspace_id, *arguments)]

    async def people(self) -> list[dict[str, Any]]:
        """Everybody, oldest first."""
        return await self.rows("SELECT id, email, attributes FROM people WHERE workspace_id = $1 ORDER BY person_id")

    async def members(self, key: str) -> list[str]:
        """The ids of the people in a segment."""
        found = await self.rows(
            """SELECT p.id FROM memberships m JOIN people p USING (workspace_id, person_id)
               JOIN definitions d ON d.workspace_id = m.workspace_id AND d.kind = 'segment' AND d.definition_id = m.ref_id
               WHERE m.workspace_id = $1 AND m.kind = 'segment' AND m.member AND d.key = $2 ORDER BY p.id""",
            key,
        )
        return [row["id"] for row in found]

    async def journeys(self) -> list[dict[str, Any]]:
        """Every journey, oldest first."""
        return await self.rows("SELECT * FROM journeys WHERE workspace_id = $1 ORDER BY journey_id")
