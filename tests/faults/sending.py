"""Transactional sends while something breaks: calls with keys, and the proof that each was sent once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.live import Workspace

AT_ONCE = 20
TRY_AGAIN = 0.25


@dataclass
class Calls:
    """Calls to one workspace, each about somebody else, and what became of each."""

    workspace: Workspace
    answered: dict[str, str] = field(default_factory=dict)
    """The delivery of each call that was answered 200, by its key."""
    unsure: set[str] = field(default_factory=set)

    async def send(self, keys: list[str]) -> None:
        """Make the calls, some at a time; whoever gets no answer is unsure."""
        places = asyncio.Semaphore(AT_ONCE)

        async def call(key: str) -> None:
            async with places:
                await self._one(key)

        await asyncio.gather(*(call(key) for key in keys))

    async def insist(self, key: str) -> None:
        """Make a call again and again, with its key, until it is answered."""
        while key not in self.answered:
            await self._one(key)
            await asyncio.sleep(0 if key in self.answered else TRY_AGAIN)

    async def _one(self, key: str) -> None:
        body: dict[str, Any] = {
            "identifiers": {"id": key},
            "to": f"{key}@example.com",
            "from": "team@example.com",
            "subject": key,
            "body": "<p>{{ trigger.code }}</p>",
            "message_data": {"code": key},
        }
        try:
            answer = await self.workspace.request(
                "POST", "/v1/send/email", json=body, headers={"Idempotency-Key": key}, timeout=10
            )
        except httpx.TransportError:
            self.unsure.add(key)
            return
        if answer.status_code >= 500:
            self.unsure.add(key)
            return
        assert answer.status_code == 200, answer.text
        self.answered[key] = answer.json()["delivery_id"]


async def sent_once(deployment: Deployment, calls: Calls, *, captured: bool) -> list[dict[str, Any]]:
    """Every call has one delivery, which was tried once and arrived once; returns the deliveries."""
    query = "SELECT delivery_id, status, attempts, ambiguous, subject FROM deliveries WHERE workspace_id = $1"

    async def over() -> list[dict[str, Any]]:
        rows = await deployment.rows(query, calls.workspace)
        return rows if all(row["status"] in ("sent", "delivered") for row in rows) else []

    rows = await eventually(over, "everything is sent", 90)
    assert sorted(row["subject"] for row in rows) == sorted(calls.answered)
    assert {row["delivery_id"] for row in rows} == set(calls.answered.values())
    if captured:
        mails = await deployment.values("SELECT delivery_id FROM mailbox WHERE workspace_id = $1", calls.workspace)
        assert sorted(mails) == sorted(row["delivery_id"] for row in rows)
    for row in rows:
        came = 1 if captured else deployment.received.deliveries[row["delivery_id"]]
        # Of what was in the hands of a worker that died nobody knows whether it was taken; it is not sent again.
        assert came == 1 or (came == 0 and row["ambiguous"]), row
        assert row["attempts"] == 1, row
    return rows
