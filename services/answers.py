"""What the end of a delivery is worth to those who wait for it: attributes from the answer, and a journey that goes on.

All of it under the lock under which the outcome is written down, so that the next block sees it (ACT-31, ACT-32).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from channels.base import HttpAnswer
from domain.blocks.webhook import WebhookBlock, is_path
from domain.effects import WaitState
from domain.errors import DomainError
from domain.facts import Position
from domain.journey_attributes import accept
from domain.paths import compile_path
from ingest.belongings import read_for_templates
from ingest.catalog import Campaign
from ingest.identify import write_person
from ingest.parse import parse_json
from ingest.unit import Person, Unit, wait_state
from rendering.errors import RenderError
from rendering.liquid import render
from rendering.values import read_value
from services.variables import variables_of
from store import journeys as journey_store
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow

LONGEST_VALUE = 100_000


@dataclass(frozen=True, slots=True)
class _Place:
    """The delivery's block in its campaign, with who stands there."""

    campaign: Campaign
    block: Any
    person: Person
    journey: JourneyRow
    under_way: bool


async def conclude(unit: Unit, row: DeliveryRow, answer: HttpAnswer | None, now: datetime) -> str | None:
    """Do what the end of a delivery brings about; returns what is to be said of it.

    `answer` is that of an endpoint which took the call. The caller holds the lock and writes the unit.
    """
    place = await _place(unit, row)
    if place is None:
        return None
    notes: list[str] = []
    if answer is not None and isinstance(place.block, WebhookBlock):
        notes = await _map(unit, place, place.block, answer, now)
    told = " ".join(notes) or None
    failed = row.status not in ("sent", "delivered", "opened", "clicked", "converted")
    _release(unit, place, row, "failed" if failed else "done", row.failure_message if failed else told)
    return told


async def _place(unit: Unit, row: DeliveryRow) -> _Place | None:
    campaign = unit.catalog.campaigns.get(row.campaign_id or 0)
    if campaign is None or row.journey_id is None:
        return None
    person = unit.people.get(row.person_id if row.person_id is not None else journey_store.NOBODY)
    if person is None:
        return None
    journey = next((one for one in person.journeys if one.journey_id == row.journey_id), None)
    under_way = journey is not None and journey.active
    if journey is None:
        journey = await journey_store.get(unit.conn, row.workspace_id, row.journey_id)
    if journey is None:
        return None
    await read_for_templates(unit.conn, unit.catalog, campaign, person, journey)
    key = next((key for key, number in campaign.actions.items() if number == row.action_id), None)
    block = None if key is None else campaign.definition.workflow.blocks.get(key)
    return _Place(campaign, block, person, journey, under_way)


async def _map(unit: Unit, place: _Place, block: WebhookBlock, answer: HttpAnswer, now: datetime) -> list[str]:
    """Write the attributes that the answer gives; returns which were not written, and why."""
    mapping = block.response
    if mapping is None:
        return []
    notes: list[str] = []
    variables = variables_of(unit.catalog, place.campaign, place.person, place.journey)
    variables |= {"response": read_answer(answer.body)}
    journey = _computed(mapping.journey or {}, variables, now, notes)
    customer = _computed(mapping.customer or {}, variables, now, notes)
    if journey and place.under_way:
        place.journey.attributes, refused = accept(place.journey.attributes, journey)
        unit.changed_journey(place.journey)
        notes += [f"{name}: {why}" for name, why in refused.items()]
    if customer and place.person.person_id != journey_store.NOBODY:
        for name in [name for name, value in customer.items() if len(_json(value)) > LONGEST_VALUE]:
            del customer[name]
            notes.append(f"{name}: The value is longer than {LONGEST_VALUE} bytes.")
        refused = await write_person(unit, place.person, customer, Position(now, place.person.last_seq))
        notes += [f"{name}: {why}" for name, why in refused.items()]
    return notes


def read_answer(body: bytes) -> Any:
    """What templates call `response`: the JSON of an answer, else its text."""
    try:
        return parse_json(body)
    except DomainError:
        return body.decode("utf-8", "replace").replace("\x00", "")


def _computed(
    mapped: Mapping[str, Any], variables: Mapping[str, Any], now: datetime, notes: list[str]
) -> dict[str, Any]:
    """The values that can be told; what cannot leaves its attribute as it is, and a note."""
    found: dict[str, Any] = {}
    for name, authored in mapped.items():
        try:
            found[name] = _value(authored, variables, now)
        except RenderError as error:
            notes.append(f"{name}: {error}.")
    return found


def _value(authored: Any, variables: Mapping[str, Any], now: datetime) -> Any:
    if not isinstance(authored, str):
        return authored
    if not is_path(authored):
        return read_value(render(authored, variables, now=now))
    values = compile_path(authored).read({"response": variables["response"]})
    if not values:
        raise RenderError(f"The answer has no {authored}")
    return values[0]


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=str)


def _release(unit: Unit, place: _Place, row: DeliveryRow, released: str, told: str | None) -> None:
    """Let the journey go on that stands at the delivery's block until it is over."""
    journey = place.journey
    if not place.under_way or not journey.awaits_answer or journey.block is None:
        return
    if place.campaign.actions.get(journey.block) != row.action_id:
        return
    state = wait_state(journey) or WaitState(answer=True)
    journey.wait = state.model_copy(update={"released": released, "told": told}).model_dump(mode="json")
    unit.changed_journey(journey)
    unit.wake(journey, "answer")


__all__ = ["conclude", "read_answer"]
