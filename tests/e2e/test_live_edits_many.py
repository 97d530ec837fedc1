"""An edit with a thousand people in flight: those leave whose time has come, the others keep or get theirs (decision 19)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.support.live import DAY, START, Workspace, campaign, email, on_event
from tests.support.moments import delay

PEOPLE = 1_000
PART = 250


def drip(pause: str, subject: str = "Hello") -> dict[str, Any]:
    """A pause and a mail."""
    return campaign("drip", on_event("order"), "pause", {"pause": delay(pause, "mail"), "mail": email(subject)})


async def arrive(workspace: Workspace, people: range) -> None:
    """These people exist and place an order."""
    for first in range(people.start, people.stop, PART):
        batch: list[dict[str, Any]] = []
        for number in range(first, min(first + PART, people.stop)):
            who = {"type": "person", "identifiers": {"id": str(number)}}
            batch.append({**who, "action": "identify", "attributes": {"email": f"{number}@example.com"}})
            batch.append({**who, "action": "event", "name": "order"})
        answer = await workspace.client.post("/api/v2/batch", json={"batch": batch}, headers=workspace.track_auth)
        assert answer.status_code == 200, answer.text
    await workspace.settle(120)


async def everything(workspace: Workspace, path: str, what: str, **which: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    start = ""
    while True:
        page = await workspace.get(path, limit=100, start=start, **which)
        found += page[what]
        start = page["next"]
        if not start:
            return found


async def due(workspace: Workspace) -> Counter[int | None]:
    """How many stand until when."""
    inside = await everything(workspace, "/v1/journeys", "journeys", state="in_progress")
    return Counter(journey["position"]["due_at"] for journey in inside)


async def test_cmp_25_a_delay_edited_with_a_thousand_people_in_it(sandbox: Workspace):
    await sandbox.define(drip("P7D"))
    await sandbox.start("drip")
    await arrive(sandbox, range(PEOPLE // 2))
    await sandbox.advance("P3D")
    await arrive(sandbox, range(PEOPLE // 2, PEOPLE))
    await sandbox.advance("P3D")

    answer = await sandbox.call("PUT", "/v1/definitions/campaign/drip", drip("P5D"))
    assert answer["change"]["effects"]["waiting_reevaluated"] == PEOPLE
    await sandbox.settle(240)
    assert await due(sandbox) == {START + 8 * DAY: PEOPLE // 2}

    await sandbox.call("PUT", "/v1/definitions/campaign/drip", drip("P9D"))
    await sandbox.settle(240)
    assert await due(sandbox) == {START + 12 * DAY: PEOPLE // 2}

    await sandbox.call("POST", "/v1/clock/advance", {"by": "P6D", "timeout_seconds": 240})
    mails = await everything(sandbox, "/v1/mailbox", "messages")
    assert Counter(mail["at"] for mail in mails) == {START + 6 * DAY: PEOPLE // 2, START + 12 * DAY: PEOPLE // 2}
    assert len({mail["to"][0] for mail in mails}) == PEOPLE
    assert await due(sandbox) == {}
