"""Journeys as the contract shows them: where somebody stands, why it ended, and what happened at each block (CMP-30)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.blocks import WaitUntil
from domain.errors import DomainError, NotFound
from domain.facts import Facts, Position
from domain.values import from_unix, to_unix
from ingest.catalog import Campaign, Catalog, Catalogs
from ingest.unit import journey_context
from services.looking import people
from services.looking.people import IdType
from store import journeys as rows
from store.database import Connection, Database
from store.journeys import JourneyRow, StepRow
from store.reads import journeys as reads
from store.reads import people as people_reads
from store.reads.cursor import decode, encode
from store.reads.journeys import JourneyFilter
from store.reads.people import PersonRead

State = Literal["in_progress", "finished", "exited_early"]
_INTERNAL = frozenset({"at", "seq"})
_ARMS: Mapping[str, int] = {"a": 0, "b": 1}
_TESTED = frozenset({"email", "sms", "push"})
"""The blocks whose path is the arm of a test, which the vendor counts from 0 (ACT-17)."""


@dataclass(frozen=True, slots=True)
class JourneyQuery:
    """The filters of a list as a caller gives them."""

    campaign: str | int | None = None
    broadcast: str | int | None = None
    customer: str | None = None
    id_type: IdType = "id"
    state: State | None = None
    block: str | None = None
    started_after: int | None = None
    started_before: int | None = None


async def page(
    db: Database, catalogs: Catalogs, workspace_id: int, query: JourneyQuery, *, start: str | None, limit: int
) -> dict[str, Any]:
    """One page, newest first; `next` is empty after the last page.

    Raises DomainError `unknown_reference` for a campaign or broadcast that does not exist; an unknown person has no
    journeys.
    """
    before = decode(start, str)
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        if query.broadcast is not None:
            raise _unknown("broadcast", query.broadcast)
        campaign_id = None if query.campaign is None else campaign_number(catalog, query.campaign)
        person_id = None
        if query.customer is not None:
            person = await people.find(conn, workspace_id, query.customer, query.id_type)
            if person is None:
                return {"journeys": [], "next": ""}
            person_id = person.person_id
        which = JourneyFilter(
            campaign_id=campaign_id,
            person_id=person_id,
            state=query.state,
            block=query.block,
            started_from=None if query.started_after is None else from_unix(query.started_after + 1),
            started_until=None if query.started_before is None else from_unix(query.started_before),
        )
        return await _page(conn, catalog, which, None if before is None else before[0], limit)


async def of_customer(
    db: Database, catalogs: Catalogs, workspace_id: int, whose: tuple[str, IdType], *, start: str | None, limit: int
) -> dict[str, Any]:
    """One page of the journeys of the person with this name, newest first; raises NotFound."""
    before = decode(start, str)
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        person = await people.named(conn, workspace_id, *whose)
        which = JourneyFilter(person_id=person.person_id)
        return await _page(conn, catalog, which, None if before is None else before[0], limit)


async def one(db: Database, catalogs: Catalogs, workspace_id: int, journey_id: str) -> dict[str, Any]:
    """One journey with its step log; raises NotFound."""
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        journey = await stored(conn, workspace_id, journey_id)
        person = await people_reads.by_number(conn, workspace_id, journey.person_id)
        steps = await rows.steps_of(conn, journey)
    return {"journey": shown(catalog, journey, person) | {"steps": [step_shown(step) for step in steps]}}


async def stored(conn: Connection, workspace_id: int, journey_id: str) -> JourneyRow:
    """The row of a journey; raises NotFound."""
    journey = None if "\x00" in journey_id else await rows.get(conn, workspace_id, journey_id)
    if journey is None:
        raise NotFound("journey", journey_id)
    return journey


def shown(catalog: Catalog, journey: JourneyRow, person: PersonRead | None) -> dict[str, Any]:
    """A journey in the contract's shape, without steps."""
    campaign = catalog.campaigns.get(journey.campaign_id)
    answer: dict[str, Any] = {
        "id": journey.journey_id,
        "campaign_id": journey.campaign_id,
        "customer_identifiers": None if person is None else person.identifiers,
        "state": journey.state,
        "reason": journey.reason,
        "explanation": journey.explanation,
        "started_at": to_unix(journey.started_at),
        "ended_at": seconds(journey.ended_at),
        "converted_at": seconds(journey.converted_at),
        "version": journey.version,
        "trigger": _snapshot(journey.trigger),
        "position": _position(journey, campaign),
        "attributes": journey.attributes if journey.active else {},
    }
    if campaign is not None:
        answer["campaign"] = campaign.key
    return answer


def step_shown(step: StepRow) -> dict[str, Any]:
    """A step in the contract's shape."""
    return {
        "seq_num": step.seq_num,
        "output_id": f"{step.journey_id}-{step.action_id}",
        "output_type": step.output_type,
        "block": step.block,
        "action_id": step.action_id,
        "outcome": step.outcome,
        "explanation": step.explanation,
        "delivery_id": step.delivery_id,
        "draft": step.draft,
        "link_tracked": None,
        "split_test_index": _ARMS.get(step.path or "") if step.output_type in _TESTED else None,
        "delay_ends_at": seconds(step.delay_ends_at),
        "branch_index": step.branch_index,
        "path": step.path,
        "manual_segment_id": step.effect.get("manual_segment_id"),
        "add_to_manual_segment": step.effect.get("add_to_manual_segment"),
        "created_at": to_unix(step.created_at),
        "left_at": seconds(step.left_at),
    }


def seconds(instant: datetime | None) -> int | None:
    """Unix seconds of an instant that may be missing."""
    return None if instant is None else to_unix(instant)


def stuck(journey: JourneyRow, campaign: Campaign | None) -> bool:
    """Whether the journey waits on paths none of which can come true (ACT-11)."""
    block = None
    if campaign is not None and journey.block is not None and journey.parked:
        block = campaign.definition.workflow.blocks.get(journey.block)
    if not isinstance(block, WaitUntil) or journey.arrived_at is None:
        return False
    arrived = Position(journey.arrived_at, journey.arrived_seq)
    facts = Facts(attributes={}, age_start=journey.started_at, journey=journey_context(journey))
    return block.is_stuck(arrived, facts)


async def _page(
    conn: Connection, catalog: Catalog, which: JourneyFilter, before: str | None, limit: int
) -> dict[str, Any]:
    found = await reads.page(conn, catalog.workspace_id, which, before=before, limit=limit + 1)
    kept: Sequence[JourneyRow] = found[:limit]
    persons = await people_reads.by_numbers(conn, catalog.workspace_id, [journey.person_id for journey in kept])
    return {
        "journeys": [shown(catalog, journey, persons.get(journey.person_id)) for journey in kept],
        "next": encode(kept[-1].journey_id) if len(found) > limit else "",
    }


def _snapshot(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """What started the journey, without what only the engine compares."""
    event = trigger.get("event")
    if not isinstance(event, Mapping):
        return dict(trigger)
    return {**trigger, "event": {name: value for name, value in event.items() if name not in _INTERNAL}}


def _position(journey: JourneyRow, campaign: Campaign | None) -> dict[str, Any] | None:
    if not journey.active or journey.block is None:
        return None
    position: dict[str, Any] = {
        "block": journey.block,
        "arrived_at": seconds(journey.arrived_at),
        "due_at": seconds(journey.due_at),
        "stuck": stuck(journey, campaign),
    }
    if campaign is not None and journey.block in campaign.actions:
        position["action_id"] = campaign.actions[journey.block]
    return position


def campaign_number(catalog: Catalog, ref: str | int) -> int:
    """The number of a campaign by key or id; raises DomainError `unknown_reference`."""
    for campaign in catalog.campaigns.values():
        if ref in (campaign.id, campaign.key):
            return campaign.id
    raise _unknown("campaign", ref)


def _unknown(kind: str, ref: str | int) -> DomainError:
    return DomainError("unknown_reference", f"There is no {kind} {ref!r} in this workspace.", f"/{kind}")


__all__ = [
    "JourneyQuery",
    "State",
    "campaign_number",
    "of_customer",
    "one",
    "page",
    "seconds",
    "shown",
    "step_shown",
    "stored",
    "stuck",
]
