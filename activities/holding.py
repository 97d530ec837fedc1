"""A journey under its person's lock: every activity that reads or moves one works inside of this."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from domain.steps import JourneyRef, StepResult
from ingest.catalog import Catalog, Catalogs
from ingest.unit import Unit
from store import journeys
from store.database import Connection, Database
from store.journeys import JourneyRow

GONE = StepResult(kind="ended", reason="gone")
"""What a workflow is told whose journey nobody knows any more."""


@dataclass(frozen=True, slots=True)
class Held:
    """A journey as it is, nobody else changing it or what conditions can see of its person until the commit."""

    conn: Connection
    catalog: Catalog
    unit: Unit
    journey: JourneyRow
    now: datetime


@asynccontextmanager
async def holding(
    db: Database, catalogs: Catalogs, ref: JourneyRef, clock: Callable[[], datetime]
) -> AsyncIterator[Held | None]:
    """A transaction that holds the journey; None where it or its person does not exist.

    The clock is read when the lock is there: an instant from before it would make what is written now look older than
    what another journey of the person wrote meanwhile.
    """
    async with db.transaction() as conn:
        # Whoever waited for the lock of somebody who has been merged meanwhile finds the journey under its new person.
        row = await journeys.hold(conn, ref.workspace_id, ref.journey_id) or await journeys.hold(
            conn, ref.workspace_id, ref.journey_id
        )
        row = row or await journeys.hold_payload(conn, ref.workspace_id, ref.journey_id)
        if row is None:
            yield None
            return
        catalog = await catalogs.get(conn, ref.workspace_id)
        real_now = clock()
        now = catalog.now(real_now)
        unit = await Unit.for_plan(conn, catalog, row, now, real_now=real_now)
        person = unit.people.get(row.person_id)
        if person is None:
            yield None
            return
        # Read anew under the lock; one under way is the unit's own object, so that the unit's changes are seen in it.
        active = next((journey for journey in person.journeys if journey.journey_id == ref.journey_id), None)
        journey = active or await journeys.get(conn, ref.workspace_id, ref.journey_id)
        yield None if journey is None else Held(conn, catalog, unit, journey, now)


__all__ = ["GONE", "Held", "holding"]
