"""A workspace with very many people and one broadcast to all of them: what the figures about broadcasts stand on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosmtplib

from bench.place import Place, Tenant, until
from bench.progress import say
from settings import CHECKOUT
from stack.ports import LOOPBACK
from stack.process import Child, Command
from stack.services import temporary_data_dir

CONNECTIONS = 10
CHUNK = 50_000
KEY = "letter"
LIMIT = 3_000.0
_CARE = (
    "Water them twice a week, keep them out of the midday sun, and turn the pot a little every few days so that they grow "
    "straight. What is said here of ferns is true of most plants of the shade."
)
BODY = f"""<!doctype html><html><body style="font-family: serif; max-width: 40em">
<h1>Hello {{{{ customer.first_name | default: "friend" }}}}</h1>
<p>Your number is {{{{ customer.id | upcase }}}}, and you have visited us {{{{ customer.visits }}}} times.</p>
{{% if customer.plan == "pro" %}}<p>As a pro you pay no postage.</p>{{% else %}}<p>Postage is {{{{ trigger.postage }}}}.</p>{{% endif %}}
<ul>{{% for item in trigger.items %}}<li>{{{{ item.quantity }}}} x {{{{ item.name | upcase }}}}</li>{{% endfor %}}</ul>
<p>In {{{{ customer.city }}}} the first ferns unfold about now, and {{{{ customer.plan | default: "free" }}}} members plant
them by the end of the month. {_CARE}</p>
<table><tr><td>Shade</td><td>{_CARE}</td></tr><tr><td>Half shade</td><td>{_CARE}</td></tr></table>
<p>{_CARE} All of it is told at length on our page about ferns, with pictures of every step.</p>
<p>{_CARE} Write to us if you would rather have somebody come and look after them.</p>
<p><a href="https://example.com/ferns?who={{{{ customer.id | url_encode }}}}">Look at them</a></p>
<p><a href="{{% unsubscribe_url %}}">Stop these letters</a></p></body></html>"""
DATA: dict[str, Any] = {
    "postage": 4.5,
    "items": [{"name": f"fern {n}", "quantity": n + 1} for n in range(4)],
}
_FILL = """
    WITH made AS (
        INSERT INTO people (workspace_id, id, email, attributes, attribute_times, created_at, age_start)
        SELECT $1, 'p' || n, 'p' || n || '@example.com',
               jsonb_build_object('plan', (ARRAY['free', 'basic', 'pro', 'team'])[1 + n % 4], 'visits', n % 50,
                   'city', (ARRAY['Leeds', 'York', 'Lyon', 'Graz', 'Turin', 'Ghent'])[1 + n / 4 % 6],
                   'first_name', 'Ann ' || n),
               '{}', $4::timestamptz, $4::timestamptz
        FROM generate_series($2::int, $3::int) AS n RETURNING person_id, id, email)
    INSERT INTO identities (workspace_id, kind, value_key, person_id)
    SELECT $1, 'id', id, person_id FROM made UNION ALL SELECT $1, 'email', email, person_id FROM made"""


def letter(**more: Any) -> dict[str, Any]:
    """The broadcast: one personalised email of about 4 KB to everybody."""
    message = {"subject": "{{ customer.first_name }}, the ferns are here", "body": BODY, "layout": None}
    return {
        "kind": "broadcast",
        "key": KEY,
        "name": "Letter",
        "recipients": "everyone",
        "workflow": {
            "start": "mail",
            "blocks": {"mail": {"type": "email", "sending_state": "automatic", "message": message}},
        },
        **more,
    }


def relay(port: int) -> dict[str, Any]:
    """The provider that gives everything to a sink."""
    config = {"host": LOOPBACK, "port": port, "require_tls": False}
    return {"kind": "provider", "key": "out", "name": "Out", "channel": "email", "provider": "smtp", "config": config}


DOMAIN = {"kind": "domain", "key": "main", "domain": "example.com", "use": "sending"}


async def fill(place: Place, tenant: Tenant, people: int) -> None:
    """Store so many people, set-wise."""
    say(f"storing {people:,} people")
    created = await place.value("SELECT created_at FROM workspaces WHERE workspace_id = $1", tenant.id)
    async with place.db.connection() as conn:
        for first in range(0, people, CHUNK):
            await conn.execute(_FILL, tenant.id, first, min(first + CHUNK, people) - 1, created, timeout=300)
        await conn.execute("VACUUM ANALYZE people, identities", timeout=300)


async def trigger(tenant: Tenant, key: str = KEY) -> int:
    """Trigger the broadcast; returns the trigger's number."""
    headers = {"Authorization": f"Bearer {tenant.app_key}"}
    answer = await tenant.client.post(f"/v1/campaigns/{key}/triggers", json={"data": DATA}, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"the broadcast could not be triggered: {answer.status_code} {answer.text}")
    return int(answer.json()["id"])


async def state(place: Place, tenant: Tenant, number: int) -> Any:
    """The row of a trigger."""
    async with place.db.connection() as conn:
        return await conn.fetchrow(
            """SELECT state, paused, position, recipients_count, processed_at, ended_at FROM broadcast_triggers
               WHERE workspace_id = $1 AND trigger_no = $2 ORDER BY broadcast_id DESC LIMIT 1""",
            tenant.id,
            number,
        )


async def wait(place: Place, tenant: Tenant, number: int, *, seen_to: int | None = None, limit: float = LIMIT) -> None:
    """Return when the trigger is over, or when so many were seen to."""

    async def reached() -> bool:
        row = await state(place, tenant, number)
        if row["state"] in ("failed", "cancelled"):
            raise RuntimeError(f"the trigger is {row['state']}")
        return row["state"] == "finished" or (seen_to is not None and row["position"] >= seen_to)

    await until(reached, limit, every=0.2)


async def start(tenant: Tenant, key: str = KEY) -> None:
    """Start the broadcast."""
    headers = {"Authorization": f"Bearer {tenant.app_key}"}
    answer = await tenant.client.post(f"/v1/broadcasts/{key}/start", headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"the broadcast could not be started: {answer.status_code} {answer.text}")


async def prebuilt(port: int, count: int, size: int) -> float:
    """Messages per second of bare aiosmtplib that sends one prebuilt message of `size` bytes again and again."""
    raw = b"From: team@example.com\r\nTo: p@example.com\r\nSubject: Hello\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\n"
    raw += b"Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
    raw += (b"<p>" + b"y" * 70 + b"</p>\r\n") * max((size - len(raw)) // 79, 1)
    clients = [aiosmtplib.SMTP(hostname=LOOPBACK, port=port, start_tls=False) for _ in range(CONNECTIONS)]
    for client in clients:
        await client.connect()
    clock = asyncio.get_running_loop().time
    numbers = iter(range(count))
    began = clock()

    async def one(client: aiosmtplib.SMTP) -> None:
        for _ in numbers:
            await client.sendmail("team@example.com", ["p@example.com"], raw)

    await asyncio.gather(*[one(client) for client in clients])
    took = clock() - began
    for client in clients:
        await client.quit()
    return count / took


@contextlib.asynccontextmanager
async def sink() -> AsyncIterator[int]:
    """The port of a sink in a process of its own."""
    with temporary_data_dir() as folder:
        port_file = folder / "port"

        async def ready() -> bool:
            return port_file.exists() and port_file.read_text() != ""

        child = Child(
            Command(
                name="sink",
                argv=[sys.executable, "-m", "bench.fast_sink", str(port_file)],
                log_file=folder / "sink.log",
                ready=ready,
                environment={**os.environ, "PYTHONPATH": str(CHECKOUT)},
                cwd=Path(CHECKOUT),
            )
        )
        await child.start()
        try:
            yield int(port_file.read_text())
        finally:
            await child.stop()


__all__ = [
    "CONNECTIONS",
    "DATA",
    "DOMAIN",
    "KEY",
    "fill",
    "letter",
    "prebuilt",
    "relay",
    "sink",
    "start",
    "state",
    "trigger",
    "wait",
]
