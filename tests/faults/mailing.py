"""A broadcast while something breaks: how it stands, and the proof that everybody was written to once."""

from __future__ import annotations

from typing import Any

from tests.faults.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.live import Workspace


async def audience(deployment: Deployment, workspace: Workspace, people: int) -> None:
    """Have so many people with addresses, at once."""
    query = """INSERT INTO people (workspace_id, id, email, attributes, attribute_times, created_at, age_start)
               SELECT $1, 'p' || n, 'p' || n || '@example.com', '{}', '{}', '2026-01-01Z', '2026-01-01Z'
               FROM generate_series(1, $2::int) AS n"""
    await deployment.rows(query, workspace, people)


async def state(workspace: Workspace) -> dict[str, Any]:
    """The first trigger of the broadcast `news`."""
    found: dict[str, Any] = await workspace.get("/v1/campaigns/news/triggers/1")
    return found


async def finished(workspace: Workspace, within: float = 90.0) -> None:
    """Return when it is over."""

    async def over() -> bool:
        return bool((await state(workspace))["state"] == "finished")

    await eventually(over, "the trigger is over", within)


async def written_once(deployment: Deployment, workspace: Workspace, people: int) -> list[dict[str, Any]]:
    """Everybody has one delivery, which was tried once; returns them."""
    rows = await deployment.rows(
        """SELECT delivery_id, person_id, recipient_no, status, attempts, ambiguous FROM deliveries
           WHERE workspace_id = $1 ORDER BY recipient_no""",
        workspace,
    )
    assert [row["recipient_no"] for row in rows] == list(range(1, people + 1))
    assert len({row["person_id"] for row in rows}) == people
    assert {(row["attempts"], row["status"] in ("sent", "delivered")) for row in rows} == {(1, True)}
    return rows


def doubtful(deployment: Deployment, rows: list[dict[str, Any]]) -> int:
    """How many of these mails are ambiguous; no mail came twice, and none that is not ambiguous is missing."""
    received = [deployment.received.deliveries[row["delivery_id"]] for row in rows]
    assert max(received) == 1
    # Of what was in the hands of a process that died nobody knows whether it was taken; it is not sent again.
    assert all(count or row["ambiguous"] for count, row in zip(received, rows, strict=True))
    return sum(row["ambiguous"] for row in rows)
