"""A journey that stands at an email, and the deliverer that a worker would have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from channels import Channels
from clock import system_now
from domain.captured import FaultRule
from domain.operations import Identifier, Identify, TrackEvent
from ingest.unit import Unit
from services.deliveries import Deliverer, Prepared, Recorded
from store import deliveries as delivery_store
from store import journeys as journey_store
from store import mailbox
from store.database import Connection
from store.deliveries import DeliveryRow
from tests.support.database import Room

SENDER = {"kind": "sender", "key": "team", "name": "The team", "email": "team@example.com", "default": True}
LINKS = "https://mail.example.com"
BODY = "<p>Hello {{ customer.first_name }}</p>{% unsubscribe %}"
ANN = {"email": "ann@example.com", "first_name": "Ann"}


def campaign(**block: Any) -> dict[str, Any]:
    message = {"subject": "Hi {{ event.what | default: 'you' }}", "body": BODY, **block.pop("message", {})}
    hello = {"type": "email", "sending_state": "automatic", "message": message, **block}
    return {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "event", "event": "go"},
        "exit": "never",
        "workflow": {"start": "hello", "blocks": {"hello": hello}},
    }


def faulty(outcome: str, **more: Any) -> FaultRule:
    return FaultRule.model_validate({"channel": "email", "outcome": outcome, **more})


@dataclass
class Post:
    """One journey standing at an email, and the deliverer that a worker would have."""

    room: Room
    deliverer: Deliverer
    journey: journey_store.JourneyRow

    async def prepare(self) -> Prepared:
        async with self.room.db.transaction() as conn:
            unit = await self._unit(conn)
            prepared = await self.deliverer.prepare(conn, unit, self.journey, "hello", unit.now)
            await unit.flush()
            return prepared

    async def record(self, prepared: Prepared, outcome: Any) -> Recorded:
        async with self.room.db.transaction() as conn:
            unit = await self._unit(conn)
            recorded = await self.deliverer.record(conn, unit, prepared, outcome, unit.now)
            await unit.flush()
            return recorded

    async def _unit(self, conn: Connection) -> Unit:
        catalog = await self.room.catalogs.get(conn, self.room.workspace_id)
        real_now = system_now()
        now = catalog.now(real_now)
        return await Unit.load(conn, catalog, [self.journey.person_id], now, real_now=real_now)

    async def deliver(self) -> Recorded:
        prepared = await self.prepare()
        return await self.record(prepared, await self.deliverer.hand_over(prepared, system_now))

    async def retry(self) -> None:
        await self.deliverer.retry(self.room.workspace_id, (await self.delivery()).delivery_id, system_now)

    async def delivery(self) -> DeliveryRow:
        (row,) = await self.room.rows("SELECT delivery_id FROM deliveries WHERE workspace_id = $1")
        async with self.room.db.connection() as conn:
            found = await delivery_store.get(conn, self.room.workspace_id, row["delivery_id"])
        assert found is not None
        return found

    async def mailbox(self) -> list[dict[str, Any]]:
        return await self.room.rows("SELECT * FROM mailbox WHERE workspace_id = $1 ORDER BY captured_id")

    async def figures(self, kind: str = "campaign") -> dict[str, int]:
        rows = await self.room.rows(
            """SELECT metric, sum(amount)::int AS amount FROM metric_deltas WHERE workspace_id = $1 AND kind = $2
               AND metric IN ('created', 'drafted', 'attempted', 'sent', 'delivered', 'failed', 'undeliverable',
                              'bounced', 'spammed', 'ambiguous') GROUP BY metric HAVING sum(amount) <> 0""",
            kind,
        )
        return {row["metric"]: row["amount"] for row in rows}

    async def due(self) -> list[Any]:
        return [row["due_at"] for row in await self.room.rows("SELECT due_at FROM due WHERE workspace_id = $1")]


async def begin(room: Room, *documents: dict[str, Any], person: dict[str, Any] | None = None, **options: Any) -> Post:
    """A workspace with a running campaign and one person who has just entered it."""
    await room.define(SENDER, *documents)
    await room.run_campaign("c")
    subject = Identifier(kind="id", value="7")
    await room.apply(Identify(subject=subject, attributes=person or ANN))
    await room.apply(TrackEvent(subject=subject, name="go", data=options.pop("event", {}), event_id="e1"))
    (found,) = await room.journeys()
    async with room.db.connection() as conn:
        journey = await journey_store.get(conn, room.workspace_id, found["journey_id"])
    assert journey is not None
    deliverer = Deliverer(room.db, room.catalogs, Channels(), link_base_url=LINKS, **options)
    return Post(room, deliverer, journey)


async def rules(room: Room, *given: FaultRule) -> None:
    async with room.db.transaction() as conn:
        await mailbox.replace_faults(conn, room.workspace_id, given)
