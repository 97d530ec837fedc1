"""One page of each kind of task, inside the transaction that moves the task's cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from domain.definitions.triggers import ObjectTrigger, RelationshipTrigger
from domain.facts import Position
from domain.workflow_graph import resume_at
from ingest.builds import build_page
from ingest.catalog import Campaign, Catalog
from ingest.entry import enter_by_match
from ingest.identifier_mode import convert_page
from ingest.object_entry import Started, current_page
from ingest.unit import Person, Unit
from services import journeys as ending
from services.advance import replan
from services.drafts import delete_of_campaign
from store import definitions, journeys, log, membership_pages, workspaces
from store import tasks as store
from store.database import Connection
from store.journeys import JourneyRow
from store.tasks import TaskRow

REPLAN_PAGE = 200
CONVERT_PAGE = 200
FORGET_PAGE: Final = 5_000
WAIT_REMOVED = "The wait that the person stood in was removed from the campaign."


class Moments(NamedTuple):
    """The workspace's instant, and the real one."""

    now: datetime
    real_now: datetime


class Page(NamedTuple):
    """What a page came to: the last person looked at, how many, how the task stands, whether it waits for others."""

    cursor: int
    looked: int
    state: Literal["running", "succeeded", "cancelled"]
    idle: bool = False


async def trigger_build(conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, real_now: datetime) -> Page:
    """Write down who matches a campaign's trigger already; then a campaign that is starting runs.

    Where it was started for current people as well, those who match enter, some at a time, as their frequency allows
    (CMP-21), object by object where objects trigger. After a restart for them what was known of who matches is forgotten
    first, which is the part `anew`.
    """
    campaign_id = task.payload["campaign_id"]
    campaign = catalog.campaigns.get(campaign_id)
    if campaign is None or not campaign.enters or await store.is_superseded(conn, task, "campaign_id"):
        return Page(task.cursor, 0, "cancelled")
    if isinstance(campaign.definition.trigger, ObjectTrigger | RelationshipTrigger):
        started = Started(task.task_id, task.payload.get("since"))
        taken = await current_page(conn, catalog, campaign, started, after=task.cursor, now=now, real_now=real_now)
        return Page(taken.last, taken.looked, "running") if taken.looked else await _run(conn, task)
    if task.payload.get("anew") and campaign.takes_current:
        last, looked = await membership_pages.purge(
            conn, task.workspace_id, "trigger", campaign_id, after=task.cursor, limit=FORGET_PAGE
        )
        if not looked:
            task.payload = {**task.payload, "anew": False}
        return Page(last if looked else 0, 0, "running")
    await store.count_once(conn, task)
    since, came = task.created_at, list[int]()
    page = await build_page(conn, catalog, "trigger", campaign_id, after=task.cursor, since=since, now=now, came=came)
    if came and campaign.takes_current:
        await _let_in(conn, catalog, campaign, came, Moments(now, real_now))
    if page.looked:
        return Page(page.last, page.looked, "running")
    return await _run(conn, task)


async def _run(conn: Connection, task: TaskRow) -> Page:
    """Have a campaign run that was starting: everybody has been seen to."""
    campaign_id = task.payload["campaign_id"]
    await definitions.lock(conn, task.workspace_id)
    row = await definitions.get(conn, task.workspace_id, "campaign", campaign_id)
    if await store.is_superseded(conn, task, "campaign_id"):
        return Page(task.cursor, 0, "cancelled")
    if row is not None and row.state == "starting":
        await definitions.set_state(conn, task.workspace_id, "campaign", campaign_id, "running")
        await workspaces.bump_definitions(conn, task.workspace_id)
    return Page(task.cursor, 0, "succeeded")


async def _let_in(
    conn: Connection, catalog: Catalog, campaign: Campaign, came: Sequence[int], moments: Moments
) -> None:
    """Begin journeys of people who match and are locked, behind everything that is live."""
    unit = await Unit.load(conn, catalog, came, moments.now, real_now=moments.real_now, positions=False)
    unit.lane = "bulk"
    await unit.read_histories(campaign)
    at = Position(moments.now, await log.next_seq(conn))
    for person in unit.people.values():
        await enter_by_match(unit, person, campaign, at)
    await unit.flush()


async def replan_waiting(conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, real_now: datetime) -> Page:
    """Reckon anew how long people wait at blocks that an edit changed or removed (CMP-25)."""
    campaign = catalog.campaigns.get(task.payload["campaign_id"])
    if campaign is None:
        return Page(task.cursor, 0, "cancelled")
    blocks = list(task.payload["blocks"])
    payloads = await journeys.payloads_inside(
        conn, task.workspace_id, campaign.id, after=task.payload.get("after", ""), limit=REPLAN_PAGE, blocks=blocks
    )
    if payloads:
        unit = Unit(conn, catalog, now, real_now)
        unit.seat_nobody().journeys += payloads
        await _replan(unit, campaign, task, blocks)
        task.payload = {**task.payload, "after": payloads[-1].journey_id}
        return Page(task.cursor, len(payloads), "running")
    ids = await store.people_inside(
        conn, task.workspace_id, campaign.id, after=task.cursor, limit=REPLAN_PAGE, blocks=blocks
    )
    if not ids:
        return Page(task.cursor, 0, "succeeded")
    await _replan(await Unit.load(conn, catalog, ids, now, keys=campaign.keys), campaign, task, blocks)
    return Page(ids[-1], len(ids), "running")


async def _replan(unit: Unit, campaign: Campaign, task: TaskRow, blocks: Sequence[str]) -> None:
    """Do so for the journeys of a unit that stand at one of the blocks, and wake those that leave earlier for it."""
    conn, woken = unit.conn, []
    for person in unit.people.values():
        for journey in list(person.journeys):
            if journey.campaign_id != campaign.id or journey.block not in blocks or not journey.parked:
                continue
            if task.payload.get("removed_waits") == "exit" and await _lost_its_wait(conn, campaign, journey):
                _remove(unit, person, journey)
            elif await replan(conn, unit.catalog, unit, journey, unit.now):
                woken.append(journey.journey_id)
    await unit.flush()
    await journeys.wake(conn, task.workspace_id, woken, "edit", lane="bulk")


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


async def end_journeys(conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, _real_now: datetime) -> Page:
    """End everybody's journeys in a campaign that was stopped, archived or deleted; in the latter two delete its drafts.

    One that has been started again by now keeps whoever has entered since.
    """
    campaign_id, reason = task.payload["campaign_id"], task.payload["reason"]
    campaign = catalog.campaigns.get(campaign_id)
    up_to = task.payload.get("up_to") if campaign is not None and campaign.enters else None
    last, looked = await ending.end_page(
        conn, task.workspace_id, campaign_id, reason, after=task.cursor, now=now, up_to=up_to
    )
    if not looked and reason in ("archived", "deleted"):
        looked = await delete_of_campaign(conn, task.workspace_id, campaign_id, now)
    return Page(last, looked, "running" if looked else "succeeded")


__all__ = ["Page", "end_journeys", "identifiers", "replan_waiting", "trigger_build"]
