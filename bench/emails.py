"""Personalised emails of journeys to an SMTP sink, against aiosmtplib sending one prebuilt message."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.holding import holding
from activities.journeys import plan
from activities.messages import MessageActivities
from bench import mailing
from bench.figure import Figure, paired, rate
from bench.progress import say
from channels import Channels
from clock import system_now
from domain.operations import AnyOperation, Identifier, Identify, TrackEvent
from domain.steps import DeliverMessageInput, JourneyRef
from ingest.accept import Acceptor
from ingest.apply import Applier
from ingest.catalog import Catalogs
from services import campaigns, definitions, workspaces
from services.deliveries import Deliverer
from settings import CHECKOUT
from stack.commands import product_environment, run_tool
from stack.ports import LOOPBACK
from stack.services import Services, postgres_alone
from store.database import Database
from store.notify import Notifier

TARGET = 0.5
SIZE = 2_700
"""About how long one of our emails is, in bytes."""
AT_ONCE = 20
BODY = """<h1>Hello {{ customer.first_name | default: "friend" }}</h1>
<p>Your order {{ event.order }} of {{ event.items.size }} plants is packed.</p>
<ul>{% for item in event.items %}<li>{{ item.quantity }} x {{ item.name | upcase }}</li>{% endfor %}</ul>
{% if customer.plan == "pro" %}<p>As a pro you pay no postage.</p>{% else %}<p>Postage is {{ event.postage }}.</p>{% endif %}
<p>Planted by {{ "now" | date: "%d %B" }}, it flowers in May.</p>"""
LAYOUT = """<!doctype html><html><body style="font-family: serif">{{ content }}
<p><a href="{% unsubscribe_url %}">Stop these letters</a></p></body></html>"""


async def measure(*, quick: bool) -> list[Figure]:
    """Alternate rounds of both over the same number of connections to the same sink."""
    rounds, count, alone = (2, 60, 30) if quick else (4, 500, 200)
    async with mailing.sink() as port, _Post.open(port) as office:
        await office.fill(rounds * count + alone)
        ours, peer = [], []
        for number in range(rounds):
            peer.append(await mailing.prebuilt(port, count * 4, SIZE))
            ours.append(await office.send(count))
            say(f"round {number + 1}: {ours[-1]:,.0f} emails/s against {peer[-1]:,.0f} prebuilt messages/s")
        parts = await office.taken_apart(alone)
    ratio, spread = paired(ours, peer)
    shares = ", ".join(f"{name} {1000 * spent / alone:.2f} ms" for name, spent in parts.items())
    return [
        Figure(
            name="email pipeline, one journey each",
            measured=rate(statistics.median(ours), "emails"),
            against=f"{rate(statistics.median(peer), 'prebuilt messages')} by aiosmtplib",
            ratio=ratio,
            target=TARGET,
            notes=(
                (
                    f"{mailing.CONNECTIONS} connections, ratio {spread}; each email is planned, rendered, stored, handed over, "
                    "recorded and its journey planned on, in three commits with fsync; one process each."
                ),
                f"One at a time, for each email: {shares}.",
            ),
        )
    ]


class _Post:
    """A database with journeys that stand before their email, and the activity that sends it."""

    def __init__(self, services: Services, db: Database, port: int) -> None:
        self._db = db
        self._port = port
        self._catalogs = Catalogs()
        self._notifier = Notifier(db.pool)
        self.deliverer = Deliverer(
            db,
            self._catalogs,
            Channels(),
            link_base_url=services.settings.link_base_url,
        )
        self._messages = MessageActivities(db, self._catalogs, self._notifier, self.deliverer, system_now)
        self._waiting: list[DeliverMessageInput] = []
        self._workspace_id = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, port: int) -> AsyncIterator[_Post]:
        """PostgreSQL with fsync, migrated, for as long as the block lasts."""
        async with postgres_alone(fsync=True) as services:
            environment = product_environment(services.settings, {}, CHECKOUT)
            await run_tool(["alembic", "upgrade", "head"], environment, CHECKOUT)
            db = await Database.connect(services.database_url, max_size=AT_ONCE + 5)
            office = cls(services, db, port)
            try:
                yield office
            finally:
                await office.deliverer.close()
                await office._notifier.close()
                await db.close()

    async def fill(self, count: int) -> None:
        """Let so many people begin a journey."""
        say(f"beginning {count:,} journeys")
        now = system_now()
        async with self._db.transaction() as conn:
            self._workspace_id, _ = await workspaces.insert(
                conn, name="bench", sandbox=False, clock=None, given=workspaces.Secrets(), now=now
            )
        await definitions.apply(self._db, self._workspace_id, {"definitions": self._documents()}, now=system_now())
        await campaigns.start(self._db, self._workspace_id, "packed", {"audience": "future"}, system_now())
        acceptor = Acceptor(self._db, self._notifier)
        operations: list[AnyOperation] = []
        for number in range(count):
            operations += _facts(number)
        for first in range(0, len(operations), 500):
            await acceptor.append(self._workspace_id, operations[first : first + 500], "bench", system_now())
        applier = Applier(self._db, self._catalogs, self._notifier)
        while await applier.apply_once(system_now()):
            pass
        async with self._db.connection() as conn:
            query = "SELECT journey_id FROM journeys WHERE workspace_id = $1 ORDER BY journey_id"
            ids = [record["journey_id"] for record in await conn.fetch(query, self._workspace_id)]
        if len(ids) != count:
            raise RuntimeError(f"{len(ids)} journeys began of {count}")
        for journey_id in ids:
            ref = JourneyRef(workspace_id=self._workspace_id, journey_id=journey_id)
            async with holding(self._db, self._catalogs, ref, system_now) as held:
                assert held is not None, "the journey was just read"
                step = await plan(held, "start")
            assert step.block is not None, "the first block is the email"
            assert step.action_id is not None, "emails are actions"
            self._waiting.append(DeliverMessageInput(**ref.model_dump(), block=step.block, action_id=step.action_id))

    async def send(self, count: int) -> float:
        """Emails per second with many at once."""
        calls, self._waiting = self._waiting[:count], self._waiting[count:]
        places = asyncio.Semaphore(AT_ONCE)
        clock = asyncio.get_running_loop().time
        began = clock()

        async def one(call: DeliverMessageInput) -> None:
            async with places:
                step = await ActivityEnvironment().run(self._messages.deliver_message, call)
                assert step.kind == "ended", "nothing follows the email"

        await asyncio.gather(*[one(call) for call in calls])
        took = clock() - began
        await self._check(count)
        return count / took

    async def taken_apart(self, count: int) -> dict[str, float]:
        """Seconds spent in each part of so many deliveries, one at a time."""
        calls, self._waiting = self._waiting[:count], self._waiting[count:]
        spent: dict[str, float] = defaultdict(float)
        clock = asyncio.get_running_loop().time
        for call in calls:
            began = clock()
            async with holding(self._db, self._catalogs, call, system_now) as held:
                assert held is not None, "nobody else ends it"
                loaded = clock()
                prepared = await self.deliverer.prepare(held.conn, held.unit, held.journey, call.block, held.now)
                made = clock()
            ready = clock()
            outcome = await self.deliverer.hand_over(prepared, system_now)
            sent = clock()
            async with holding(self._db, self._catalogs, call, system_now) as held:
                assert held is not None, "nobody else ends it"
                await self.deliverer.record(held.conn, held.unit, prepared, outcome, held.now)
            spent["load under lock"] += loaded - began
            spent["render and store"] += made - loaded
            spent["commit"] += ready - made
            spent["claim and send"] += sent - ready
            spent["load, record, commit"] += clock() - sent
        return spent

    async def _check(self, least: int) -> None:
        query = "SELECT count(*) FROM deliveries WHERE workspace_id = $1 AND status = 'sent'"
        async with self._db.connection() as conn:
            sent = await conn.fetchval(query, self._workspace_id)
        if sent < least:
            raise RuntimeError(f"only {sent} emails were sent")

    def _documents(self) -> list[dict[str, Any]]:
        smtp = {"host": LOOPBACK, "port": self._port, "require_tls": False}
        message = {"subject": "Order {{ event.order }} is packed, {{ customer.first_name }}", "body": BODY}
        return [
            {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com", "default": True},
            {"kind": "domain", "key": "main", "domain": "example.com", "use": "sending"},
            {"kind": "layout", "key": "letter", "name": "Letter", "default": True, "body": LAYOUT},
            {
                "kind": "provider",
                "key": "out",
                "name": "Out",
                "channel": "email",
                "provider": "smtp",
                "config": smtp,
            },
            {
                "kind": "campaign",
                "key": "packed",
                "name": "Packed",
                "trigger": {"type": "event", "event": "packed"},
                "frequency": {"mode": "every"},
                "workflow": {
                    "start": "mail",
                    "defaults": {"sending_state": "automatic"},
                    "blocks": {"mail": {"type": "email", "message": message}},
                },
            },
        ]


def _facts(number: int) -> list[AnyOperation]:
    subject = Identifier(kind="id", value=f"p{number}")
    attributes = {"email": f"p{number}@example.com", "first_name": f"Ann {number}", "plan": ("pro", "free")[number % 2]}
    items = [{"name": f"fern {n}", "quantity": n + 1} for n in range(4)]
    data = {"order": number, "items": items, "postage": 4.5}
    return [Identify(subject=subject, attributes=attributes), TrackEvent(subject=subject, name="packed", data=data)]


__all__ = ["measure"]
