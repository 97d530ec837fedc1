"""Broadcasts over HTTP without anything that carries them: people are there, triggers are asked for, time passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from clock import system_now
from ingest.apply import Applier
from ingest.catalog import Catalogs
from store import workspaces
from store.notify import Notifier

NEWS: dict[str, Any] = {
    "kind": "broadcast",
    "key": "news",
    "name": "News",
    "recipients": "everyone",
    "workflow": {
        "start": "mail",
        "blocks": {
            "mail": {
                "type": "email",
                "sending_state": "automatic",
                "message": {"subject": "{{trigger.headline}}", "body": "<p>{{trigger.voucher_code}}</p>"},
            }
        },
    },
}


@dataclass
class Triggering:
    """The broadcasts of one workspace of `tests/api`."""

    workspace: Any
    ids: dict[str, int] = field(default_factory=dict)

    async def define(self, *documents: dict[str, Any], start: bool = True) -> int:
        """Put documents, start the broadcasts among them; returns the id of the last."""
        number = 0
        for document in documents:
            path = f"/v1/definitions/{document['kind']}/{document['key']}"
            answer = await self.workspace.call("PUT", path, document)
            assert answer.status_code in (200, 201), answer.text
            number = answer.json()["status"]["id"]
            self.ids[document["key"]] = number
            if start and document["kind"] == "broadcast":
                assert (await self.verb(document["key"], "start")).status_code == 200
        return number

    async def verb(self, key: str | int, verb: str, body: Any = None) -> httpx.Response:
        """A verb of a broadcast's life, or of one of its triggers."""
        answer: httpx.Response = await self.workspace.call("POST", f"/v1/broadcasts/{key}/{verb}", body)
        return answer

    async def people(self, **emails: str) -> None:
        """People by id, each with an address; empty for none."""
        for name, email in emails.items():
            answer = await self.workspace.put(name, {"email": email} if email else {})
            assert answer.status_code == 200, answer.text
        applier = Applier(self.workspace.db, Catalogs(), Notifier(self.workspace.db.pool))
        while await applier.apply_once(system_now()):
            pass

    async def trigger(self, body: Any = None, key: str | int = "news", **options: Any) -> httpx.Response:
        """Ask for a trigger, as clients do."""
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        path = options.pop("path", f"/v1/campaigns/{key}/triggers")
        answer: httpx.Response = await self.workspace.call("POST", path, {} if body is None else body, headers=headers)
        return answer

    async def accepted(self, body: Any = None, key: str | int = "news") -> int:
        """The number of a trigger that is accepted; its window passes."""
        answer = await self.trigger(body, key)
        assert answer.status_code == 200, answer.text
        await self.wait(10)
        number: int = answer.json()["id"]
        return number

    async def status(self, number: int | str, key: str | int = "news") -> dict[str, Any]:
        """How a trigger stands."""
        answer = await self.workspace.call("GET", f"/v1/campaigns/{key}/triggers/{number}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def errors(self, number: int, **query: Any) -> dict[str, Any]:
        """A page of its error report."""
        path = f"/v1/campaigns/news/triggers/{number}/errors"
        answer = await self.workspace.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def wait(self, seconds: float) -> None:
        """Let the sandbox's time pass."""
        async with self.workspace.db.transaction() as conn:
            row = await workspaces.get(conn, self.workspace.id)
            assert row is not None
            assert row.clock_now is not None
            await workspaces.set_clock(conn, self.workspace.id, row.clock_now + timedelta(seconds=seconds))

    async def become(self, number: int, state: str, key: str = "news", **columns: Any) -> None:
        """Have a trigger come as far as whoever carries it brings it."""
        values = {"state": state, **columns}
        changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, start=4))
        async with self.workspace.db.transaction() as conn:
            await conn.execute(
                f"""UPDATE broadcast_triggers SET {changes}
                    WHERE workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3""",
                self.workspace.id,
                self.ids[key],
                number,
                *values.values(),
            )

    async def stored(self) -> list[dict[str, Any]]:
        """Every trigger with what its call said, oldest first."""
        async with self.workspace.db.connection() as conn:
            rows = await conn.fetch(
                "SELECT * FROM broadcast_triggers WHERE workspace_id = $1 ORDER BY broadcast_id, trigger_no",
                self.workspace.id,
            )
        return [dict(row) for row in rows]


__all__ = ["NEWS", "Triggering"]
