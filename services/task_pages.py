"""One page of each kind of task, inside the transaction that moves the task's cursor."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from domain.workflow_graph import resume_at
from ingest.builds import build_page
from ingest.catalog import Campaign, Catalog
from ingest.identifier_mode import convert_page
from ingest.unit import Person, Unit
from services import journeys as ending
from services.advance import replan
from store import definitions, journeys, workspaces
from store import tasks as store
from store.database import Connection
from store.journeys import JourneyRow
from store.tasks import TaskRow

REPLAN_PAGE = 200
CONVERT_PAGE = 200
WAIT_REMOVED = "The wait that the person stood in was removed from the campaign."


class Page(NamedTuple):
    """What a page came to: the last person looked at, how many, how the task stands, whether it waits for others."""

    cursor: int
    looked: int
    state: Literal["running", "succeeded", "cancelled"]
    idle: bool = False


async def trigger_build(conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, _real_now: datetime) -> Page:
    """Write down who matches a campaign's trigger already; then a campaign that is starting runs."""
    campaign_id = task.payload["campaign_id"]
    campaign = catalog.campaigns.get(campaign_id)
    if campaign is None or not campaign.enters or await store.is_superseded(conn, task, "campaign_id"):
        return Page(task.cursor, 0, "cancelled")
    await store.count_once(conn, task)
    since = task.created_at
    page = await build_page(conn, catalog, "trigger", campaign_id, after=task.cursor, since=since, now=now)
    if page.looked:
        return Page(page.last, page.looked, "running")
    await definitions.lock(conn, task.workspace_id)
    row = await definitions.get(conn, task.workspace_id, "campaign", campaign_id)
    if await store.is_superseded(conn, task, "campaign_id"):
        return Page(task.cursor, 0, "cancelled")
    if row is not None and row.state == "starting":
        await definitions.set_state(conn, task.workspace_id, "campaign", campaign_id, "running")
        await workspaces.bump_definitions(conn, task.workspace_id)
    return Page(task.cursor, 0, "succeeded")


async def replan_waiting(conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, _real_now: datetime) -> Page:
    """Reckon anew how long people wait at blocks that an edit changed or removed (CMP-25)."""
    campaign = catalog.campaigns.get(task.payload["campaign_id"])
    if campaign is None:
        return Page(task.cursor, 0, "cancelled")
    blocks = list(task.payload["blocks"])
    ids = await store.people_inside(
        conn, task.workspace_id, campaign.id, after=task.cursor, limit=REPLAN_PAGE, blocks=blocks
    )
    if not ids:
        return Page(task.cursor, 0, "succeeded")
    unit = await Unit.load(conn, catalog, ids, now, keys=campaign.keys)
    woken = []
    for person in unit.people.values():
        for journey in list(person.journeys):
            if journey.campaign_id != campaign.id or journey.block not in blocks or not journey.parked:
                continue
            if task.payload.get("removed_waits") == "exit" and await _lost_its_wait(conn, campaign, journey):
                _remove(unit, person, journey)
            elif await replan(conn, catalog, unit, journey, now):
                woken.append(journey.journey_id)
    await unit.flush()
    await journeys.wake(conn, task.workspace_id, woken, "edit", lane="bulk")
    return Page(ids[-1], len(ids), "running")


async def _lost_its_wait(conn: Connection, campaign: Campaign, journey: JourneyRow) -> bool:
    """Whether the journey stood in a wait-until that is gone."""
    assert journey.block is not None, "parked journeys stand at a block"
    if resume_at(campaign.definition.workflow, journey.block, {}) is not None:
        return False
    steps = await journeys.steps_of(conn, journey)
    return any(s.block == journey.block and s.output_type == "wait_until" and s.outcome == "waiting" for s in steps)


def _remove(unit: Unit, person: Person, journey: JourneyRow) -> None:
    unit.end_journey(
        person, journey, state="exited_early", reason="wait_removed", explanation=WAIT_REMOVED, why="wait removed"
    )


async def identifiers(conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, real_now: datetime) -> Page:
    """Make everybody's address a name, or an attribute, as the settings now say (PPL-02); facts wait until it is done."""
    await store.count_once(conn, task)
    last, looked = await convert_page(conn, catalog, after=task.cursor, limit=CONVERT_PAGE, now=now, real_now=real_now)
    return Page(last, looked, "running" if looked else "succeeded")


async def end_journeys(conn: Connection, _catalog: Catalog, task: TaskRow, now: datetime, _real_now: datetime) -> Page:
    """End everybody's journeys in a campaign that was stopped or deleted."""
    last, looked = await ending.end_page(
        conn, task.workspace_id, task.payload["campaign_id"], task.payload["reason"], after=task.cursor, now=now
    )
    return Page(last, looked, "running" if looked else "succeeded")


__all__ = ["Page", "end_journeys", "identifiers", "replan_waiting", "trigger_build"]
