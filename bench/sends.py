"""From the call to the sent transactional email, alone and while a broadcast is on its way."""

from __future__ import annotations

import asyncio

import httpx

from bench import mailing
from bench.figure import Figure, percentile, seconds
from bench.place import Place, Tenant, running_stack, until
from bench.progress import say

TARGET = 3.0
"""How many times as long a transactional email may take while a broadcast runs."""
PER_SECOND = 5
LIMIT = 120.0
RECEIPT = {
    "kind": "transactional",
    "key": "receipt",
    "name": "Receipt",
    "channel": "email",
    "message": {
        "subject": "Order {{ trigger.order }}",
        "body": "<p>Thanks, {{ customer.id }}: {{ trigger.total }}.</p>",
    },
}
_SENT = """SELECT delivery_id, (metrics ->> 'sent')::bigint AS sent FROM deliveries
           WHERE workspace_id = $1 AND transactional_id IS NOT NULL AND metrics ? 'sent'"""


async def measure(*, quick: bool) -> list[Figure]:
    """The same calls at the same pace, first on an idle stack, then beside a broadcast."""
    people, count = (5_000, 20) if quick else (100_000, 100)
    async with mailing.sink() as port, running_stack() as place:
        tenant = await place.tenant()
        await tenant.define(mailing.DOMAIN, mailing.relay(port), mailing.letter(), RECEIPT)
        await mailing.start(tenant)
        await mailing.fill(place, tenant, people)
        await _calls(place, tenant, 10)
        alone = await _calls(place, tenant, count)
        number = await mailing.trigger(tenant)
        await mailing.wait(place, tenant, number, seen_to=1)
        beside = await _calls(place, tenant, count)
        row = await mailing.state(place, tenant, number)
        if row["state"] == "finished" and not quick:
            raise RuntimeError("the broadcast was over before the calls were")
        say(f"p95 {seconds(percentile(beside, 0.95))} beside a broadcast, {seconds(percentile(alone, 0.95))} alone")
    return [
        Figure(
            name="transactional email beside a broadcast, p95",
            measured=seconds(percentile(beside, 0.95)),
            against=f"{seconds(percentile(alone, 0.95))} without one",
            ratio=percentile(beside, 0.95) / percentile(alone, 0.95),
            target=TARGET,
            side="most",
            notes=(
                (
                    f"{count} calls, {PER_SECOND} a second, from the call to the instant that the SMTP server has taken the "
                    f"message: alone {_spread(alone)}, beside a broadcast to {people:,} people {_spread(beside)}."
                ),
            ),
        )
    ]


def _spread(values: list[float]) -> str:
    return (
        f"median {seconds(percentile(values, 0.5))}, p95 {seconds(percentile(values, 0.95))}, "
        f"longest {seconds(max(values))}"
    )


async def _calls(place: Place, tenant: Tenant, count: int) -> list[float]:
    """Seconds from each call to its sent email."""
    headers = {"Authorization": f"Bearer {tenant.app_key}"}
    clock = asyncio.get_running_loop().time
    called: dict[str, float] = {}
    async with httpx.AsyncClient(base_url=tenant.client.base_url, timeout=30) as client:
        for number in range(count):
            due = clock() + 1 / PER_SECOND
            body = {
                "transactional_message_id": "receipt",
                "to": f"p{number}@example.com",
                "identifiers": {"id": f"p{number}"},
                "message_data": {"order": number, "total": "4.50"},
            }
            before = await place.value("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
            answer = await client.post("/v1/send/email", json=body, headers=headers)
            if answer.status_code != 200:
                raise RuntimeError(f"{answer.status_code} {answer.text}")
            called[answer.json()["delivery_id"]] = before
            await asyncio.sleep(max(0.0, due - clock()))
    sent: dict[str, int] = {}

    async def all_sent() -> bool:
        async with place.db.connection() as conn:
            sent.update({row["delivery_id"]: row["sent"] for row in await conn.fetch(_SENT, tenant.id)})
        return called.keys() <= sent.keys()

    await until(all_sent, LIMIT, every=0.2)
    return [(sent[delivery_id] - before) / 1_000_000 for delivery_id, before in called.items()]


__all__ = ["measure"]
