"""Broadcasts run as the workers run them, without Temporal: turns while there is something to do, due rows worked on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from channels import Channels, WayOut
from channels.base import HandingOver, Outgoing, Receipt
from channels.capture import CaptureChannel
from clock import system_now
from domain.captured import FaultRule
from domain.operations import Identifier, Identify
from domain.sends import BroadcastRef, BroadcastTurn
from ingest.apply import Applier
from services.broadcasts.running import BroadcastRunner
from services.deliveries import Deliverer
from services.due_sends import BROADCAST, DueSends
from store import broadcast_triggers, mailbox, outbox, workspaces
from store.deliveries import RETRIES
from store.notify import Notifier
from tests.support.database import Room

LINKS = "https://mail.example.com"
SENDER = {"kind": "sender", "key": "team", "name": "The team", "email": "team@example.com", "default": True}


def email(**more: Any) -> dict[str, Any]:
    """A block that sends an email at once."""
    message = {"subject": "{{ trigger.headline }}", "body": "<p>Hi</p>{% unsubscribe %}", **more.pop("message", {})}
    return {"type": "email", "sending_state": "automatic", "message": message, **more}


def broadcast(
    key: str = "news", *, start: str = "mail", blocks: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A broadcast to everyone, of one email unless it says otherwise."""
    return {
        "kind": "broadcast",
        "key": key,
        "name": "News",
        "recipients": "everyone",
        "workflow": {"start": start, "blocks": blocks or {"mail": email()}},
        **more,
    }


class Quiet:
    """Ways out that take everything at once and count it: a provider without a price."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self._way = WayOut("capture", True, CaptureChannel(), self)

    def open(self, *_: Any) -> WayOut:
        """The same way for everybody."""
        return self._way

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Take it."""
        await handing_over()
        self.sent[outgoing.key] += 1
        return Receipt("250 taken", events=("delivered",))

    async def close(self) -> None:
        """Nothing is open."""


class Broadcasting:
    """A workspace whose broadcasts are run."""

    def __init__(self, room: Room, *, quiet: Quiet | None = None, **options: Any) -> None:
        self.room = room
        channels: Any = quiet or Channels()
        notifier = Notifier(room.db.pool)
        self.deliverer = Deliverer(room.db, room.catalogs, channels, link_base_url=LINKS)
        self.runner = BroadcastRunner(
            room.db, room.catalogs, notifier, self.deliverer, system_now, link_base_url=LINKS, **options
        )
        self._due = DueSends(room.db, notifier)

    async def define(self, *documents: dict[str, Any]) -> None:
        """Apply definitions with a sender, and start every broadcast among them."""
        await self.room.define(SENDER, *documents)
        async with self.room.db.transaction() as conn:
            await conn.execute(
                """UPDATE definitions SET state = 'running', started_at = $2, first_started = $2
                   WHERE workspace_id = $1 AND kind = 'broadcast' AND state = 'draft'""",
                self.room.workspace_id,
                self.room.now,
            )
            await workspaces.bump_definitions(conn, self.room.workspace_id)

    async def put(self, key: str, state: str) -> None:
        """Put a broadcast into a state."""
        async with self.room.db.transaction() as conn:
            await conn.execute(
                "UPDATE definitions SET state = $3 WHERE workspace_id = $1 AND kind = 'broadcast' AND key = $2",
                self.room.workspace_id,
                key,
                state,
            )
            await workspaces.bump_definitions(conn, self.room.workspace_id)

    async def people(self, *ids: str, **attributes: Any) -> None:
        """Make people with an address of their own."""
        await self.room.apply(*(person(name, **attributes) for name in ids))

    async def many(self, count: int) -> None:
        """Make very many people, without telling the log."""
        async with self.room.db.transaction() as conn:
            await conn.execute(
                """INSERT INTO people (workspace_id, id, email, attributes, attribute_times, created_at, age_start)
                   SELECT $1, 'p' || n, 'p' || n || '@example.com', jsonb_build_object('first_name', 'P' || n), '{}', $3, $3
                   FROM generate_series(1, $2::int) AS n""",
                self.room.workspace_id,
                count,
                self.room.now,
            )

    async def trigger(
        self,
        key: str = "news",
        audience: dict[str, Any] | None = None,
        *,
        rate: dict[str, Any] | None = None,
        **data: Any,
    ) -> BroadcastRef:
        """Put a trigger into the queue, as a call does."""
        (row,) = await self.room.rows(
            "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'broadcast' AND key = $2", key
        )
        number = row["definition_id"]
        async with self.room.db.transaction() as conn:
            trigger_no = await workspaces.next_id(conn, self.room.workspace_id, f"trigger/{number}")
            await broadcast_triggers.insert_queued(
                conn,
                self.room.workspace_id,
                number,
                trigger_no,
                audience=audience or {},
                data={"headline": "News", **data},
                send_rate=rate,
                now=self.room.now,
            )
            await outbox.ask_broadcast(conn, self.room.workspace_id, number, trigger_no, "triggered")
        return BroadcastRef(workspace_id=self.room.workspace_id, broadcast_id=number, trigger_no=trigger_no)

    async def turn(self, ref: BroadcastRef) -> BroadcastTurn:
        """One turn of a trigger."""
        return await self.runner.run(ref, lambda: False)

    async def run(self, ref: BroadcastRef) -> BroadcastTurn:
        """Turns of a trigger until it is over or waits."""
        while (turn := await self.turn(ref)).more:
            pass
        return turn

    async def send(self, key: str = "news", audience: dict[str, Any] | None = None, **data: Any) -> BroadcastRef:
        """Trigger a broadcast and run it as far as it goes."""
        ref = await self.trigger(key, audience, **data)
        await self.run(ref)
        return ref

    async def woken(self) -> list[int]:
        """The numbers of the triggers that the outbox would wake, and does no more."""
        rows = await self.room.rows(
            "DELETE FROM outbox WHERE workspace_id = $1 AND kind = 'broadcast' RETURNING journey_id"
        )
        return sorted(int(row["journey_id"]) for row in rows)

    async def next(self) -> timedelta:
        """Move the clock to the next turn of a trigger; returns how long that took."""
        (row, *_) = await self.due()
        span = row["due_at"] - self.room.now
        await self.room.move(seconds=span.total_seconds())
        await self._due.turn(self.room.workspace_id, row["ref"], system_now)
        return timedelta(seconds=span.total_seconds())

    async def due(self) -> list[dict[str, Any]]:
        """The turns of triggers that the clock is asked for."""
        return await self.room.rows(
            "SELECT ref, due_at FROM due WHERE workspace_id = $1 AND kind = $2 ORDER BY due_at", BROADCAST
        )

    async def retries(self) -> list[str]:
        """The deliveries that are to be tried again."""
        rows = await self.room.rows(
            "SELECT ref FROM due WHERE workspace_id = $1 AND kind = ANY($2::text[]) ORDER BY ref", list(RETRIES)
        )
        return [row["ref"] for row in rows]

    async def state(self, ref: BroadcastRef) -> dict[str, Any]:
        """The row of a trigger."""
        (row,) = await self.room.rows(
            "SELECT * FROM broadcast_triggers WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3",
            ref.broadcast_id,
            ref.trigger_no,
        )
        return row

    async def audience(self, ref: BroadcastRef) -> list[str]:
        """The ids of those in the audience of a trigger, in its order."""
        rows = await self.room.rows(
            """SELECT p.id FROM broadcast_recipients r JOIN people p USING (workspace_id, person_id)
               WHERE r.workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3 ORDER BY position""",
            ref.broadcast_id,
            ref.trigger_no,
        )
        return [row["id"] for row in rows]

    async def errors(self, ref: BroadcastRef) -> list[str]:
        """The error report of a trigger."""
        rows = await self.room.rows(
            """SELECT message FROM broadcast_errors
               WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3 ORDER BY position""",
            ref.broadcast_id,
            ref.trigger_no,
        )
        return [row["message"] for row in rows]

    async def deliveries(self, ref: BroadcastRef) -> list[dict[str, Any]]:
        """The deliveries of a trigger with the id of each person, in the order of the audience."""
        return await self.room.rows(
            """SELECT d.*, p.id FROM deliveries d LEFT JOIN people p USING (workspace_id, person_id)
               WHERE d.workspace_id = $1 AND campaign_id = $2 AND trigger_no = $3 ORDER BY recipient_no, action_id""",
            ref.broadcast_id,
            ref.trigger_no,
        )

    async def said(self, ref: BroadcastRef) -> list[tuple[str, str]]:
        """Whom the deliveries of a trigger are for and what their subjects say."""
        return [(row["id"], row["subject"]) for row in await self.deliveries(ref)]

    async def mailbox(self) -> list[dict[str, Any]]:
        """What the mailbox has taken and refused, oldest first."""
        return await self.room.rows("SELECT * FROM mailbox WHERE workspace_id = $1 ORDER BY captured_id")

    async def faults(self, *rules: dict[str, Any]) -> None:
        """Have the outside misbehave."""
        async with self.room.db.transaction() as conn:
            given = [FaultRule.model_validate(rule) for rule in rules]
            await mailbox.replace_faults(conn, self.room.workspace_id, given)

    async def totals(self, kind: str, ref: int) -> dict[str, int]:
        """The totals of something."""
        rows = await self.room.rows(
            """SELECT metric, sum(amount)::int AS amount FROM metric_deltas
               WHERE workspace_id = $1 AND kind = $2 AND ref_id = $3 GROUP BY metric HAVING sum(amount) <> 0""",
            kind,
            ref,
        )
        return {row["metric"]: row["amount"] for row in rows}

    async def apply(self) -> None:
        """Apply what was told to the log."""
        while await Applier(self.room.db, self.room.catalogs, Notifier(self.room.db.pool)).apply_once(system_now()):
            pass


def person(name: str, **attributes: Any) -> Identify:
    """Somebody with an address of their own, unless it says otherwise."""
    values = {"email": f"{name}@example.com", **attributes}
    return Identify(subject=Identifier(kind="id", value=name), attributes=values)
