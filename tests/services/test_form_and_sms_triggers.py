"""Campaigns that forms and replies to text messages begin (CMP-06, CMP-10)."""

from __future__ import annotations

from typing import Any

from domain.inbound_sms import INBOUND_SMS, inbound_data
from domain.operations import Identifier, Identify, TrackEvent
from tests.support.database import START, Room

ANN = Identifier(kind="email", value="ann@example.com")
HOUR = 3_600


def campaign(trigger: dict[str, Any], key: str = "c", **fields: Any) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "key": key,
        "name": "C",
        "trigger": trigger,
        "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P1D"}}},
        **fields,
    }


def form(**trigger: Any) -> dict[str, Any]:
    return {"type": "form", "forms": ["demo", "Contact us"], **trigger}


def submitted(form_id: str = "f-1", *, at: int | None = None, **fields: str) -> TrackEvent:
    names = {"form_id": form_id, "form_key": form_id, "form_name": form_id, "form_type": "custom"}
    return TrackEvent(subject=ANN, name="form_submit", data={**fields, **names}, timestamp=at)


def reply(body: str, *, to: str = "+15559876543") -> TrackEvent:
    data = inbound_data(body=body, sender="+15551234567", to=to, sid="SM1", messaging_service_sid="MG1")
    return TrackEvent(subject=ANN, name=INBOUND_SMS, data=data)


async def begun(room: Room) -> list[dict[str, Any]]:
    """The data that each journey was begun with."""
    return [row["trigger"]["event"]["data"] for row in await room.journeys()]


async def running(room: Room, document: dict[str, Any]) -> None:
    await room.define(document)
    await room.run_campaign(document["key"])


async def test_cmp_06_submissions_of_the_named_forms_begin_journeys_every_time(room: Room):
    await running(room, campaign(form()))
    await room.apply(submitted("demo"), submitted("demo"), submitted("CONTACT US"), submitted("other"))
    assert [data["form_id"] for data in await begun(room)] == ["demo", "demo", "CONTACT US"]


async def test_cmp_06_a_hidden_field_tells_pages_apart(room: Room):
    where = {"field": "page", "operator": "contains", "value": "/enterprise"}
    await running(room, campaign(form(where=where)))
    await room.apply(submitted("demo", page="/shop"), submitted("demo", page="/enterprise/a", first_name="Ann"))
    assert [data["first_name"] for data in await begun(room)] == ["Ann"]


async def test_cmp_06_once_ever_or_within_a_period(room: Room):
    await room.define(
        campaign(form(), "once", frequency={"mode": "once"}),
        campaign(form(), "daily", frequency={"mode": "once_per", "period": "PT24H"}),
    )
    for key in ("once", "daily"):
        await room.run_campaign(key)
    await room.apply(submitted("demo"), submitted("demo"))
    await room.move(hours=24)
    await room.apply(submitted("demo"))
    rows = await room.rows(
        """SELECT d.key, count(*) AS journeys FROM journeys j
           JOIN definitions d ON d.workspace_id = j.workspace_id AND d.kind = 'campaign' AND d.definition_id = j.campaign_id
           WHERE j.workspace_id = $1 GROUP BY d.key"""
    )
    assert {row["key"]: row["journeys"] for row in rows} == {"once": 1, "daily": 2}


async def test_cmp_06_filters_see_the_attributes_of_the_submission(room: Room):
    pro = {"attribute": {"field": "plan", "value": "pro"}}
    await room.define({"kind": "segment", "key": "pro", "name": "Pro", "conditions": pro})
    await running(room, campaign(form(), filters={"segment": "pro"}))
    await room.apply(Identify(subject=ANN, attributes={"plan": "pro"}), submitted("demo"))
    assert len(await room.journeys()) == 1


async def test_cmp_12_late_submissions_count_for_72_hours_and_none_from_before_the_start(room: Room):
    await running(room, campaign(form()))
    start = int(START.timestamp())
    await room.move(hours=100)
    await room.apply(
        submitted("demo", at=start - 1),
        submitted("demo", at=start + 27 * HOUR),
        submitted("demo", at=start + 29 * HOUR, n="late"),
    )
    assert [data.get("n") for data in await begun(room)] == ["late"]


async def test_cmp_10_a_reply_begins_a_journey_with_its_keyword(room: Room):
    where = {"field": "keyword", "value": "yes"}
    await running(room, campaign({"type": "event", "inbound_sms": True, "where": where}))
    await room.apply(reply("\U0001f44d"), reply("yes please"), reply("Ok"), reply("no"))
    assert [data["body"] for data in await begun(room)] == ["\U0001f44d", "Ok"]


async def test_cmp_10_the_number_it_was_sent_to_is_a_filter(room: Room):
    where = {"field": "to", "value": "+15550000000"}
    await running(room, campaign({"type": "event", "inbound_sms": True, "where": where}))
    await room.apply(reply("hi"), reply("hi", to="+15550000000"))
    assert [data["to"] for data in await begun(room)] == ["+15550000000"]


async def test_cmp_10_conditions_know_replies_as_events(room: Room):
    performed = {"performed": {"event": INBOUND_SMS, "where": {"field": "keyword", "value": "STOP"}}}
    await room.define({"kind": "segment", "key": "left", "name": "Left", "conditions": performed})
    await room.apply(Identify(subject=ANN, attributes={"id": "1"}), reply("Unsubscribe"))
    assert await room.members("left") == ["1"]
