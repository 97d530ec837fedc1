"""Emptying a manual segment: asked for, then done page by page by facts in the log (PPL-43)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final

from domain.blocks import WaitUntil, wait_keys
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.library import ARCHIVED
from domain.errors import DomainError, InvalidInput, Problem
from domain.operations import Reevaluate
from domain.problems import pointer_of
from ingest.catalog import Catalog, ManualSegment
from services import definitions, tasks
from services.segments import MANUAL, size, stored
from services.task_pages import Page
from store import log
from store import segments as store
from store.database import Connection, Database
from store.tasks import TaskRow

CLEAR_PAGE: Final = 1_000
CLEAR_SOURCE: Final = "segment cleared"
_SETTLING_IN = 0.02


async def clear(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Have everybody who is in a manual segment by now taken out; answers with the task.

    `{"update_campaign_journeys": true}` also releases waits and fires triggers on not being in it. Raises NotFound,
    InvalidInput, and DomainError `invalid_state` for a segment with conditions and for an archived one.
    """
    signals = _signals(body)
    async with db.transaction() as conn:
        workspace = await definitions.workspace_of(conn, workspace_id)
        row = await stored(conn, workspace_id, ref)
        if row.document.get("type") != MANUAL:
            raise DomainError("invalid_state", f"The segment '{row.key}' has conditions; only manual ones are cleared.")
        if row.state == ARCHIVED:
            raise DomainError("invalid_state", f"The segment '{row.key}' is archived: unarchive it first.")
        payload = {
            "segment_id": row.definition_id,
            "update_campaign_journeys": signals,
            "after": await log.last_seq(conn, workspace_id),
        }
        now, total = workspace.now(real_now), await size(conn, row)
        task_id = await tasks.create(conn, workspace_id, "segment_clear", payload, total=total, now=now)
    return await tasks.get(db, workspace_id, task_id)


async def clear_page(conn: Connection, catalog: Catalog, task: TaskRow, _now: datetime, real_now: datetime) -> Page:
    """Put into the log that the next members leave; each leaves in the order of the facts about them.

    It waits until what was accepted before the call is applied, so that whoever was added by then leaves as well.
    """
    segment = catalog.compiled.manual_segments.get(task.payload["segment_id"])
    if segment is None:
        return Page(task.cursor, 0, "cancelled")
    if await log.is_pending(conn, task.workspace_id, task.payload["after"]):
        await asyncio.sleep(_SETTLING_IN)
        return Page(task.cursor, 0, "running")
    signals = task.payload["update_campaign_journeys"]
    waiting = _waiting_on(catalog, segment) if signals else []
    people = await store.concerned(conn, task.workspace_id, segment.id, waiting, after=task.cursor, limit=CLEAR_PAGE)
    if not people:
        return Page(task.cursor, 0, "succeeded")
    facts = [
        Reevaluate(person_id=person, refs=[("segment", segment.id)], why="clear" if signals else "clear_mute")
        for person in people
    ]
    await log.append(conn, [log.entry_of(task.workspace_id, fact, CLEAR_SOURCE) for fact in facts], real_now)
    return Page(people[-1], len(people), "running")


def _waiting_on(catalog: Catalog, segment: ManualSegment) -> list[int]:
    """The campaigns in which somebody may wait for being in the segment or not."""
    names: frozenset[str | int] = frozenset({segment.id, segment.key})
    return [
        campaign.id
        for campaign in catalog.campaigns.values()
        if campaign.state in LIVE_STATES
        and any(
            isinstance(block, WaitUntil) and not names.isdisjoint(wait_keys(block).segments)
            for block in campaign.definition.workflow.blocks.values()
        )
    ]


def _signals(body: Any) -> bool:
    """What a call says of `update_campaign_journeys`; raises InvalidInput."""
    name = "update_campaign_journeys"
    if body is None:
        return False
    if not isinstance(body, dict):
        raise InvalidInput([Problem(code="type", message="Send an object.")])
    unknown = [other for other in body if other != name]
    if unknown:
        message = "There is no such field here."
        raise InvalidInput(
            [Problem(code="unknown_field", pointer=pointer_of((other,)), message=message) for other in unknown]
        )
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput([Problem(code="type", pointer=f"/{name}", message="Give true or false.")])
    return value


__all__ = ["clear", "clear_page"]
