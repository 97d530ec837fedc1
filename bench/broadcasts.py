"""A broadcast of personalised emails of 4 KB to an SMTP sink, against aiosmtplib sending one prebuilt message."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import replace
from typing import Any, NamedTuple

from bench import cpu, mailing
from bench.figure import Figure, rate
from bench.place import Place, Tenant, running_stack
from bench.progress import say
from clock import system_now
from domain.content import EmailMessage
from ingest.catalog import Catalogs
from ingest.unit import Unit
from rendering.mime import build
from services.messages import MESSAGE_KINDS
from services.messages.base import Making
from services.passages import of_broadcast
from services.variables import variables_of

TARGET = 0.5
RIVAL = 7_500.0
RIVAL_SHARE = 0.5
RIVAL_SAYS = "7,500 messages/s of a rival in Go, without a row per delivery, as its makers say"
ALONE = 3_000
_WRITES = """SELECT xact_commit AS commits, tup_inserted + tup_updated AS rows
             FROM pg_stat_database WHERE datname = current_database()"""


class _Run(NamedTuple):
    """What one broadcast came to."""

    per_second: float
    resolving: float
    rows: float
    commits: float
    costs: str
    size: int


async def measure(*, quick: bool) -> list[Figure]:
    """A round of the peer before the broadcast and one after it, over as many connections to the same sink."""
    people, count = (2_000, 2_000) if quick else (100_000, 20_000)
    async with mailing.sink() as port, running_stack() as place:
        tenant = await place.tenant()
        await tenant.define(mailing.DOMAIN, mailing.relay(port), mailing.letter())
        await mailing.start(tenant)
        await mailing.fill(place, tenant, people)
        # Pages and plans are warm, as in a workspace that has sent before.
        renders, mimes, size = await _alone(place, tenant)
        say(f"{renders:,.0f} renders/s and {mimes:,.0f} mails written out/s in one process, {size:,} bytes each")
        before = await mailing.prebuilt(port, count, size)
        run = await _run(place, tenant, people, size)
        after = await mailing.prebuilt(port, count, size)
        say(f"{run.per_second:,.0f} emails/s against {before:,.0f} and {after:,.0f} prebuilt messages/s")
    peer = statistics.mean((before, after))
    return [
        Figure(
            name=f"broadcast of {people:,} personalised emails",
            measured=rate(run.per_second, "emails"),
            against=f"{rate(peer, 'prebuilt messages')} by aiosmtplib",
            ratio=run.per_second / peer,
            target=TARGET,
            notes=(
                (
                    f"{mailing.CONNECTIONS} connections, {run.size:,} bytes each; from the frozen audience to the last "
                    f"message recorded; freezing it took {run.resolving:.1f} s. The peer before and after: "
                    f"{before:,.0f} and {after:,.0f}/s."
                ),
                f"For each message {run.rows:.1f} rows are written and {run.commits:.3f} transactions committed.",
                f"In one process alone: {renders:,.0f} renders/s, {mimes:,.0f} mails written out/s.",
                f"Processor time of one email: {run.costs}.",
            ),
        ),
        Figure(
            name="the same against a rival",
            measured=rate(run.per_second, "emails"),
            against=RIVAL_SAYS,
            ratio=run.per_second / RIVAL,
            target=RIVAL_SHARE,
        ),
    ]


async def _run(place: Place, tenant: Tenant, people: int, size: int) -> _Run:
    async with place.db.connection() as conn:
        first = await conn.fetchrow(_WRITES)
    began = cpu.spent(place.stack.children.values())
    number = await mailing.trigger(tenant)
    await mailing.wait(place, tenant, number)
    spent = cpu.spent(place.stack.children.values())
    row = await mailing.state(place, tenant, number)
    if row["recipients_count"] != people:
        raise RuntimeError(f"{row['recipients_count']} recipients of {people}")
    await tenant.settle()
    # What a connection has written shows in the statistics a moment after it rests.
    await asyncio.sleep(1.5)
    async with place.db.connection() as conn:
        last = await conn.fetchrow(_WRITES)
        sent = await conn.fetchval(
            "SELECT count(*) FROM deliveries WHERE workspace_id = $1 AND status IN ('sent', 'delivered')", tenant.id
        )
        asked = await conn.fetchval(
            "SELECT created_at FROM broadcast_triggers WHERE workspace_id = $1 AND trigger_no = $2", tenant.id, number
        )
    if sent != people:
        raise RuntimeError(f"{sent} of {people} emails were sent")
    took = (row["ended_at"] - row["processed_at"]).total_seconds()
    return _Run(
        per_second=people / took,
        resolving=(row["processed_at"] - asked).total_seconds(),
        rows=(last["rows"] - first["rows"]) / people,
        commits=(last["commits"] - first["commits"]) / people,
        costs=cpu.each(began, spent, people),
        size=size,
    )


async def _alone(place: Place, tenant: Tenant) -> tuple[float, float, int]:
    """Renders a second and mails written out a second in this process, and the size of one."""
    kind: Any = MESSAGE_KINDS["email"]
    clock = asyncio.get_running_loop().time
    async with place.db.transaction() as conn:
        catalog = await Catalogs().get(conn, tenant.id)
        ids = [
            r["person_id"]
            for r in await conn.fetch("SELECT person_id FROM people WHERE workspace_id = $1 LIMIT 500", tenant.id)
        ]
        unit = await Unit.load(conn, catalog, ids, system_now(), positions=False)
    broadcast = next(iter(catalog.broadcasts.values()))
    block = broadcast.definition.workflow.blocks["mail"]
    content: EmailMessage = block.message  # type: ignore[union-attr, assignment]
    now = system_now()
    persons = list(unit.people.values())
    contexts = []
    for place_no, person in enumerate(persons):
        passage = of_broadcast(
            catalog,
            broadcast,
            trigger_no=1,
            recipient_no=place_no,
            person_id=person.person_id,
            data=mailing.DATA,
            at=now,
        )
        contexts.append(
            variables_of(catalog, broadcast, person, passage, delivery="d" * 24, unsubscribe="https://example.com/u")
        )
    kind.render(Making(catalog, block, content, contexts[0], now))  # type: ignore[arg-type]
    began = clock()
    emails = [
        kind.render(Making(catalog, block, content, contexts[n % len(contexts)], now))  # type: ignore[arg-type]
        for n in range(ALONE)
    ]
    rendered = clock() - began
    mails = [_mail(email, now) for email in emails]
    began = clock()
    sizes = [len(build(mail)) for mail in mails]
    return ALONE / rendered, ALONE / (clock() - began), int(statistics.mean(sizes))


def _mail(email: Any, now: Any) -> Any:
    from services.messages.email import mail_of

    return replace(mail_of(email, now, "<1@example.com>"))


__all__ = ["measure"]
