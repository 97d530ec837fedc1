"""Ending journeys from outside: one by hand, all of a campaign page by page."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from domain.errors import DomainError, NotFound
from services import tasks
from store import journeys as store
from store import log, people
from store import tasks as task_store
from store.database import Connection, Database
from store.journeys import JourneyRow
from store.workspaces import WorkspaceRow
from store.workspaces import get as workspace_row

PAGE = 200
BY_HAND = "The person was manually removed from the campaign."
EXPLANATIONS = {
    "stopped": "The campaign was stopped.",
    "archived": "The campaign was archived.",
    "deleted": "The campaign was deleted.",
}
Reason = Literal["stopped", "archived", "deleted"]
"""What became of the campaign; of one that is gone the journeys say that it was archived, too."""


class Ending(NamedTuple):
    """The ending of all journeys of a campaign: the task that sees to it, and the last fact before it in the log.

    What later facts began is not concerned, where the campaign has been started again meanwhile.
    """

    task_id: str
    up_to: int


async def end_one(db: Database, workspace_id: int, journey_id: str, real_now: datetime) -> JourneyRow:
    """Remove a person from the workflow (CMP-30); raises NotFound, or DomainError `invalid_state` when it is over.

    The outbox wakes the workflow, which finds itself ended.
    """
    async with db.transaction() as conn:
        workspace = await workspace_row(conn, workspace_id)
        journey = await store.get(conn, workspace_id, journey_id)
        if workspace is None or journey is None:
            raise NotFound("journey", journey_id)
        await people.lock(conn, workspace_id, [journey.person_id])
        ended = await store.end(
            conn,
            workspace_id,
            [journey_id],
            reason="manual",
            explanation=BY_HAND,
            now=workspace.now(real_now),
            why="ended by hand",
        )
        if not ended:
            raise DomainError("invalid_state", "The journey is over already.")
    return ended[0]


async def end_page(
    conn: Connection,
    workspace_id: int,
    campaign_id: int,
    reason: Reason,
    *,
    after: int,
    now: datetime,
    up_to: int | None = None,
) -> tuple[int, int]:
    """End the journeys of the next people inside, in order of internal number, under their locks.

    Those in which nobody travels come first, some at a time; with `up_to` only those that a fact up to this one began.
    Returns the last person and how many there were; 0 when nobody is left.
    """
    explanation = EXPLANATIONS[reason]
    said = "archived" if reason == "deleted" else reason
    payloads = await store.payloads_inside(conn, workspace_id, campaign_id, limit=PAGE, up_to=up_to)
    if payloads:
        ids = [row.journey_id for row in payloads]
        await store.end(
            conn, workspace_id, ids, reason=said, explanation=explanation, now=now, why=f"campaign {reason}"
        )
        return after, len(ids)
    person_ids = await task_store.people_inside(conn, workspace_id, campaign_id, after=after, limit=PAGE, up_to=up_to)
    if not person_ids:
        return after, 0
    await people.lock(conn, workspace_id, person_ids)
    journey_ids = await task_store.journeys_inside(conn, workspace_id, campaign_id, person_ids, up_to)
    await store.end(
        conn, workspace_id, journey_ids, reason=said, explanation=explanation, now=now, why=f"campaign {reason}"
    )
    return person_ids[-1], len(person_ids)


async def end_all(
    db: Database,
    workspace: WorkspaceRow,
    campaign_id: int,
    reason: Reason,
    now: datetime,
    *,
    pages: int | None = None,
    up_to: int | None = None,
) -> None:
    """End everybody's journeys in a campaign now, a transaction a page; at most so many pages where that is given."""
    after, looked = 0, PAGE
    while looked and (pages is None or pages > 0):
        async with db.transaction() as conn:
            after, looked = await end_page(
                conn, workspace.workspace_id, campaign_id, reason, after=after, now=now, up_to=up_to
            )
        pages = None if pages is None else pages - 1


async def end_all_of_campaign(
    conn: Connection, workspace: WorkspaceRow, campaign_id: int, reason: Reason, now: datetime
) -> Ending:
    """Have everybody's journeys in a campaign ended, whatever happens to this process.

    People are locked by the task, page by page, never in the caller's transaction, which holds definitions.
    """
    up_to = await log.last_seq(conn, workspace.workspace_id)
    payload = {"campaign_id": campaign_id, "reason": reason, "up_to": up_to}
    task_id = await tasks.create(conn, workspace.workspace_id, "end_journeys", payload, now=now, priority="high")
    return Ending(task_id, up_to)


__all__ = ["PAGE", "Ending", "Reason", "end_all", "end_all_of_campaign", "end_one", "end_page"]
