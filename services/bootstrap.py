"""The two workspaces a local stack is born with: a sandbox, and one whose email leaves by real SMTP to the sink.

Run as `python -m services.bootstrap` with a JSON object on standard input, any number of times; prints what there is.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from clock import system_now
from services import definitions, workspaces
from services.access import hash_secret
from services.workspaces import Secrets
from settings import load
from store import credentials as keys
from store.database import Connection, Database

SENDER: Final = {"kind": "sender", "key": "default", "name": "Sojourn", "email": "hello@example.com", "default": True}
DOMAIN: Final = {"kind": "domain", "key": "default", "domain": "example.com", "use": "sending"}


class Place(BaseModel):
    """Where the SMTP sink listens."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int


class GivenKeys(BaseModel):
    """The secrets of one workspace; `delivery_key` in hexadecimal."""

    model_config = ConfigDict(frozen=True)

    site_id: str
    api_key: str
    app_key: str
    write_key: str
    delivery_key: str

    def secrets(self) -> Secrets:
        """The same as the service takes them."""
        return Secrets(self.site_id, self.api_key, self.app_key, self.write_key, bytes.fromhex(self.delivery_key))


class Given(BaseModel):
    """What the stack hands over at every start."""

    model_config = ConfigDict(frozen=True)

    admin_token: str
    smtp: Place
    sandbox: GivenKeys
    live: GivenKeys


async def bootstrap(db: Database, given: Given, now: datetime) -> list[dict[str, Any]]:
    """Make what is missing and follow the sink to its present port; returns the workspaces as `stack.json` lists them."""
    async with db.transaction() as conn:
        await keys.put_token(conn, hash_secret(given.admin_token), "stack", now)
        sandbox = await _workspace(conn, "Sandbox", given.sandbox, now, sandbox=True)
        live = await _workspace(conn, "Live", given.live, now, sandbox=False)
    await _first(db, sandbox, SENDER, now)
    await _first(db, live, SENDER, now)
    await _first(db, live, DOMAIN, now)
    await _provider(db, live, given.smtp, now)
    return [
        {"id": sandbox, "name": "Sandbox", "sandbox": True},
        {"id": live, "name": "Live", "sandbox": False},
    ]


async def _workspace(conn: Connection, name: str, given: GivenKeys, now: datetime, *, sandbox: bool) -> int:
    """The workspace that has this Track pair, made where there is none; a sandbox's time begins now, in whole seconds."""
    known = await keys.find(conn, sites=[given.site_id], hashes=[])
    if known:
        return known[0].credential.workspace_id
    clock = now.replace(microsecond=0) if sandbox else None
    workspace_id, _ = await workspaces.insert(
        conn, name=name, sandbox=sandbox, clock=clock, given=given.secrets(), now=now
    )
    return workspace_id


async def _first(db: Database, workspace_id: int, document: Mapping[str, Any], now: datetime) -> None:
    """Somebody to write as, a domain to write from, unless there is one already."""
    kind = str(document["kind"])
    page = await definitions.list_page(db, workspace_id, kind, limit=1)
    if not page["definitions"]:
        await definitions.put_one(db, workspace_id, kind, str(document["key"]), dict(document), now=now)


async def _provider(db: Database, workspace_id: int, sink: Place, now: datetime) -> None:
    """The way out to the sink; where somebody has set another server, it stays."""
    page = await definitions.list_page(db, workspace_id, "provider", limit=1000)
    documents = {
        record["definition"]["key"]: record["definition"]
        for record in page["definitions"]
        if record["definition"]["channel"] == "email"
    }
    ours = documents.pop("sink", None)
    if ours is None and documents:
        return
    here = {"preset": "other", "host": sink.host, "port": sink.port, "require_tls": True}
    wanted = {**(ours or {"channel": "email", "provider": "smtp", "name": "Built-in sink"}), "config": here}
    await definitions.put_one(db, workspace_id, "provider", "sink", wanted, now=now)


async def main() -> None:
    """Read what is given, do it, print the workspaces."""
    given = Given.model_validate_json(sys.stdin.buffer.read())
    settings = load()
    if settings.database_url is None:
        sys.exit("SOJOURN_DATABASE_URL is not set.")
    db = await Database.connect(settings.database_url, min_size=1, max_size=2)
    try:
        found = await bootstrap(db, given, system_now())
    finally:
        await db.close()
    sys.stdout.write(json.dumps({"workspaces": found}) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
