"""Transactional sends driven as the processes drive them, without HTTP and without Temporal."""

from __future__ import annotations

import json
from typing import Any

from channels import Channels
from clock import system_now
from domain.captured import FaultRule
from domain.sending.call import CHANNELS
from domain.sends import SEND_AT
from services.deliveries import Deliverer
from services.delivery_sources import source_of
from services.draft_tasks import DraftPages
from services.drafts import Drafts
from services.due_sends import DueSends
from services.looking import messages as looking
from services.transactional.accepting import SendAcceptor
from services.transactional.cancelling import Cancelling
from services.transactional.taking import Asking, Taking
from store import deliveries, drafts, mailbox, outbox, tasks
from store.deliveries import RETRIES
from store.notify import Notifier
from tests.support.database import Room
from tests.support.walking import LINKS

SENDER = {"kind": "sender", "key": "shop", "name": "Shop", "email": "shop@example.com", "default": True}
INLINE = {"from": "shop@example.com", "subject": "Hi", "body": "<p>Hello</p>"}


def template(key: str = "receipt", channel: str = "email", **fields: Any) -> dict[str, Any]:
    """A transactional message with a body of its own, unless `message` is None."""
    message = {"subject": "Hi", "body": "<p>Hello</p>"}
    document = {"kind": "transactional", "key": key, "name": key.title(), "channel": channel, "message": message}
    return {name: value for name, value in (document | fields).items() if value is not None}


class Desk:
    """A workspace in which calls are taken, and what they ask for is worked on."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.notifier = Notifier(room.db.pool)
        self.deliverer = Deliverer(room.db, room.catalogs, Channels(), link_base_url=LINKS)
        self.acceptor = SendAcceptor(room.db, self.notifier)
        self.taking = Taking(room.db, room.catalogs, self.acceptor)
        self.drafts = Drafts(room.db, room.catalogs, self.notifier, LINKS)
        self.cancelling = Cancelling(room.db, room.catalogs, self.notifier)

    async def take(self, endpoint: str, body: Any, key: str | None = None) -> dict[str, Any]:
        """What a call is answered; nothing is done yet."""
        catalog = await self.taking.ready(self.room.workspace_id)
        asking = Asking(self.room.workspace_id, CHANNELS[endpoint], "App API: test", key)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.taking.take(catalog, asking, raw, system_now())

    async def send(self, endpoint: str = "email", **body: Any) -> str:
        """Take a call and do what follows from it; the id of its delivery. An email gets a recipient and a person."""
        if endpoint == "email":
            body = {"to": "ann@example.com", **body}
        answer = await self.take(endpoint, {"identifiers": {"id": "ann"}, **body})
        await self.work()
        return str(answer["delivery_id"])

    async def inline(self, **body: Any) -> str:
        """Send an email without a template."""
        return await self.send(**{**INLINE, **body})

    async def work(self) -> None:
        """Apply what is to be applied and carry out what is asked for now."""
        await self.room.apply()
        due = DueSends(self.room.db, self.notifier)
        for row in await self._due([SEND_AT]):
            await due.send(self.room.workspace_id, row["ref"], system_now)
        asked = await self.room.rows(
            "SELECT outbox_id, journey_id FROM outbox WHERE workspace_id = $1 AND kind = 'send'"
        )
        for row in asked:
            await self.deliverer.retry(self.room.workspace_id, row["journey_id"], system_now)
        async with self.room.db.transaction() as conn:
            await outbox.delete(conn, [row["outbox_id"] for row in asked])
        for row in await self._due(list(RETRIES)):
            await self.deliverer.retry(self.room.workspace_id, row["ref"], system_now)
        await self.room.apply()

    async def rerender(self) -> None:
        """Carry out the tasks that render drafts again."""
        pages = DraftPages(LINKS)
        for row in await self.room.rows(
            "SELECT task_id FROM tasks WHERE workspace_id = $1 AND type = 'rerender_drafts' AND state = 'queued'"
        ):
            async with self.room.db.transaction() as conn:
                task = await tasks.get(conn, self.room.workspace_id, row["task_id"])
                assert task is not None
                catalog = await self.room.catalogs.get(conn, self.room.workspace_id)
                await pages.rerender(conn, catalog, task, self.room.now, system_now())

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        """The row of a delivery."""
        (row,) = await self.room.rows(
            "SELECT * FROM deliveries WHERE workspace_id = $1 AND delivery_id = $2", delivery_id
        )
        return row

    async def status(self, delivery_id: str) -> tuple[str, str | None]:
        """The status of a delivery, and why."""
        row = await self.delivery(delivery_id)
        return row["status"], row["failure_message"]

    async def content(self, delivery_id: str) -> Any:
        """What a delivery says as things stand, before it is rendered."""
        async with self.room.db.connection() as conn:
            catalog = await self.room.catalogs.get(conn, self.room.workspace_id)
            row = await deliveries.get(conn, self.room.workspace_id, delivery_id)
            assert row is not None
            source = await source_of(conn, catalog, row)
        assert source.campaign is not None
        block: Any = source.campaign.definition.workflow.blocks[source.key or ""]
        return block.message

    async def archived(self, delivery_id: str) -> dict[str, Any]:
        """What is kept of what a delivery says, as the API shows it."""
        answer = await looking.archived(self.room.db, self.room.workspace_id, delivery_id)
        found: dict[str, Any] = answer["archived_message"]
        return found

    async def mailbox(self, delivery_id: str | None = None) -> list[dict[str, Any]]:
        """What was captured, oldest first."""
        return await self.room.rows(
            """SELECT * FROM mailbox WHERE workspace_id = $1 AND ($2::text IS NULL OR delivery_id = $2)
               ORDER BY captured_id""",
            delivery_id,
        )

    async def counted(self, transactional_id: int) -> dict[str, int]:
        """The figures of a template."""
        rows = await self.room.rows(
            """SELECT metric, sum(amount) AS amount FROM metric_deltas
               WHERE workspace_id = $1 AND kind = 'transactional' AND ref_id = $2 GROUP BY metric""",
            transactional_id,
        )
        return {row["metric"]: row["amount"] for row in rows}

    async def count(self, table: str) -> int:
        """How many rows of a table the workspace has."""
        (row,) = await self.room.rows(f"SELECT count(*) AS n FROM {table} WHERE workspace_id = $1")
        return int(row["n"])

    async def faults(self, *rules: dict[str, Any]) -> None:
        """Have the mailbox misbehave."""
        async with self.room.db.transaction() as conn:
            given = [FaultRule.model_validate(rule) for rule in rules]
            await mailbox.replace_faults(conn, self.room.workspace_id, given)

    async def expired(self) -> int:
        """Delete the drafts that have been kept for as long as drafts are; how many."""
        async with self.room.db.transaction() as conn:
            return await drafts.expire(conn, self.room.workspace_id, self.room.now, 100)

    async def close(self) -> None:
        """Close what was opened."""
        await self.deliverer.close()

    async def _due(self, kinds: list[str]) -> list[dict[str, Any]]:
        return await self.room.rows(
            "SELECT kind, ref FROM due WHERE workspace_id = $1 AND kind = ANY($2::text[]) AND due_at <= $3 ORDER BY due_at",
            kinds,
            self.room.now,
        )
