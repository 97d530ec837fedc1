"""Ending many journeys by hand, page by page in a task (CMP-30)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.journey_choice import JourneyChoice
from domain.problems import from_validation_error
from domain.values import from_unix
from ingest.catalog import Catalog, Catalogs
from services import tasks
from services.journeys import BY_HAND
from services.looking.journeys import campaign_number
from services.task_pages import Page
from store import journeys, people
from store.database import Connection, Database
from store.reads import journeys as reads
from store.reads.journeys import JourneyFilter
from store.tasks import TaskRow

PAGE: Final = 200
_LAST: Final = "last"


async def end_many(
    db: Database, catalogs: Catalogs, workspace_id: int, body: Any, real_now: datetime
) -> dict[str, Any]:
    """Have the journeys that are meant, as many as are under way now, ended in the background; answers with the task.

    Raises InvalidInput, and DomainError `unknown_reference` for a campaign that does not exist. Ids of journeys that are
    over, or that there are none of, are passed over.
    """
    asked = read(body)
    async with db.transaction() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        campaign_id = None if asked.campaign is None else campaign_number(catalog, asked.campaign)
        payload: dict[str, Any] = {
            "block": asked.block,
            "ids": None if asked.ids is None else sorted(set(asked.ids)),
            "started_after": asked.started_after,
            "started_before": asked.started_before,
        }
        if campaign_id is not None:
            payload["campaign_id"] = campaign_id
        meant = await reads.choice(conn, workspace_id, _which(payload))
        payload |= {"upto": meant.newest, _LAST: ""}
        task_id = await tasks.create(
            conn, workspace_id, "end_chosen_journeys", payload, now=catalog.now(real_now), total=meant.total
        )
    return await tasks.get(db, workspace_id, task_id)


def read(body: Any) -> JourneyChoice:
    """What is asked for; raises InvalidInput."""
    try:
        return JourneyChoice.model_validate(body)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, body)) from None


async def end_chosen(conn: Connection, _catalog: Catalog, task: TaskRow, now: datetime, _real_now: datetime) -> Page:
    """End the next journeys that are meant, oldest first, under the locks of their people.

    One that became somebody else's in a merge before its person was locked is met again by the next page.
    """
    payload = task.payload
    which = _which(payload)
    found = await reads.chosen(conn, task.workspace_id, which, after=payload[_LAST], upto=payload["upto"], limit=PAGE)
    if not found:
        return Page(task.cursor, 0, "succeeded")
    persons = {row.person_id for row in found}
    await people.lock(conn, task.workspace_id, persons)
    now_there = {
        row.journey_id: row.person_id
        for row in await reads.chosen(
            conn, task.workspace_id, which, after=payload[_LAST], upto=found[-1].journey_id, limit=PAGE
        )
    }
    held = [journey_id for journey_id, person_id in now_there.items() if person_id in persons]
    ended = await journeys.end(
        conn, task.workspace_id, held, reason="manual", explanation=BY_HAND, now=now, why="ended by hand"
    )
    if len(held) == len(now_there):
        task.payload = {**payload, _LAST: found[-1].journey_id}
    return Page(task.cursor, len(ended), "running")


def _which(payload: dict[str, Any]) -> JourneyFilter:
    after, before, ids = payload["started_after"], payload["started_before"], payload["ids"]
    return JourneyFilter(
        campaign_id=payload.get("campaign_id"),
        state="in_progress",
        block=payload["block"],
        started_from=None if after is None else from_unix(after + 1),
        started_until=None if before is None else from_unix(before),
        ids=None if ids is None else tuple(ids),
    )


__all__ = ["end_chosen", "end_many", "read"]
