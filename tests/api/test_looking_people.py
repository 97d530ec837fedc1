from __future__ import annotations

from datetime import timedelta

import pytest

from api.management import shapes
from domain.ids import cio_id
from tests.support.looking import PAYING, START, UNIX, WELCOME, Scene


@pytest.fixture
async def here(workspace) -> Scene:
    made = Scene(workspace.db, workspace.id)
    await made.define(WELCOME, PAYING)
    return made


async def get(workspace, path: str, status: int = 200, **params):
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_attributes_are_text(workspace, here):
    ann = await here.person(
        "7", "ann@example.com", plan="pro", seats=3, ratio=5.0, beta=True, cart={"n": [1]}, none=None
    )
    answer = await get(workspace, "/v1/customers/7/attributes")
    shapes.PersonAnswer.model_validate(answer)
    customer = answer["customer"]
    assert customer["attributes"] == {
        "id": "7",
        "email": "ann@example.com",
        "cio_id": cio_id(ann),
        "plan": "pro",
        "seats": "3",
        "ratio": "5",
        "beta": "true",
        "cart": '{"n":[1]}',
        "none": "null",
    }
    assert customer["timestamps"]["plan"] == UNIX
    assert (customer["id"], customer["unsubscribed"], customer["devices"]) == ("7", False, [])
    by_email = await get(workspace, "/v1/customers/Ann@example.com/attributes", id_type="email")
    by_number = await get(workspace, f"/v1/customers/cio_{cio_id(ann)}/attributes", id_type="cio_id")
    assert by_email == by_number == answer


@pytest.mark.parametrize("value", [True, "TRUE", 1, "1"])
async def test_somebody_unsubscribed(workspace, here, value):
    await here.person("7", unsubscribed=value)
    assert (await get(workspace, "/v1/customers/7/attributes"))["customer"]["unsubscribed"] is True


async def test_segments_and_search(workspace, here):
    ann = await here.person("7", "ann@example.com")
    await here.member(ann, "paying")
    answer = await get(workspace, "/v1/customers/7/segments")
    shapes.PersonSegments.model_validate(answer)
    (segment,) = answer["segments"]
    assert (segment["id"], segment["name"]) == (here.segments["paying"], "Paying <customers>")
    found = await get(workspace, "/v1/customers", email="ANN@Example.com")
    assert found == {"results": [{"id": "7", "email": "ann@example.com", "cio_id": cio_id(ann)}]}
    assert await get(workspace, "/v1/customers", email="nobody@example.com") == {"results": []}
    await get(workspace, "/v1/customers", 400)


@pytest.mark.parametrize("what", ["attributes", "segments", "journeys", "timeline"])
async def test_somebody_who_is_not_there(workspace, what):
    error = (await get(workspace, f"/v1/customers/nobody/{what}", 404))["errors"][0]
    assert error["code"] == "not_found"
    await get(workspace, f"/v1/customers/x/{what}", 400, id_type="phone")


async def a_life(here: Scene) -> None:
    ann = await here.person("7", "ann@example.com")
    await here.activity(ann, "event", "signed_up", {"data": {"plan": "pro"}, "event_id": "e1"})
    await here.activity(ann, "attribute_change", None, {"attributes": {"plan": "pro"}})
    kept = {"segment_id": here.segments["paying"], "segment": "paying", "reason": "attribute plan is pro"}
    await here.activity(ann, "segment_enter", "Paying", kept)
    journey = await here.ended(ann, "goal", "The goal was met.", at=START + timedelta(seconds=1))
    await here.step(journey, "hello", delivery_id="D")
    await here.delivery("D", ann, at=START + timedelta(seconds=2), campaign_id=here.campaigns["welcome"], block="hello")


async def test_the_timeline_says_everything_in_one_order(workspace, here):
    await a_life(here)
    answer = await get(workspace, "/v1/customers/7/timeline")
    shapes.Timeline.model_validate(answer)
    entries = answer["timeline"]
    assert [(e["type"], e["name"]) for e in entries] == [
        ("journey", "exited_early"),
        ("delivery", "delivered"),
        ("delivery", "sent"),
        ("step", "hello"),
        ("journey", "started"),
        ("segment", "paying"),
        ("activity", "attribute_change"),
        ("activity", "signed_up"),
    ]
    ended, delivered, _, step, started, segment, change, event = (e["data"] for e in entries)
    assert (ended["reason"], ended["explanation"], ended["campaign"]) == ("goal", "The goal was met.", "welcome")
    assert (delivered["delivery_id"], delivered["subject"], delivered["campaign"]) == ("D", "Hi", "welcome")
    assert (step["block"], step["outcome"], step["delivery_id"]) == ("hello", "done", "D")
    assert started["journey_id"] == ended["journey_id"] == step["journey_id"]
    assert (segment["change"], segment["segment"], segment["reason"]) == ("entered", "paying", "attribute plan is pro")
    assert (change["type"], change["data"]) == ("attribute_change", {"plan": "pro"})
    assert (event["type"], event["name"], event["data"]) == ("event", "signed_up", {"plan": "pro"})
    assert event["event_id"] == "e1"
    assert (entries[-1]["at"], entries[-1]["processed_at"]) == (UNIX, UNIX)


async def test_pages_and_filters_of_the_timeline(workspace, here):
    await a_life(here)
    whole = (await get(workspace, "/v1/customers/7/timeline"))["timeline"]
    walked, start = [], ""
    while True:
        page = await get(workspace, "/v1/customers/7/timeline", limit=3, start=start)
        walked += page["timeline"]
        start = page["next"]
        if not start:
            break
    assert walked == whole
    two = await get(workspace, "/v1/customers/7/timeline", types=["segment", "step"])
    assert {e["type"] for e in two["timeline"]} == {"segment", "step"}
    assert await get(workspace, "/v1/customers/7/timeline", types="segment,step") == two
    early = await get(workspace, "/v1/customers/7/timeline", until=UNIX)
    assert {e["at"] for e in early["timeline"]} == {UNIX}
    late = await get(workspace, "/v1/customers/7/timeline", since=UNIX + 3)
    assert [e["name"] for e in late["timeline"]] == ["exited_early", "delivered", "sent"]


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"types": "activity,gossip"}, "/types"),
        ({"since": "long ago"}, "/since"),
        ({"limit": 2000}, "/limit"),
        ({"start": "e30"}, "/start"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_pointed_at(workspace, here, params, pointer):
    await here.person("7")
    (error,) = (await get(workspace, "/v1/customers/7/timeline", 400, **params))["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "invalid_parameter")


async def test_addresses_name_nobody_where_only_ids_do(workspace):
    document = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}
    assert (await workspace.call("PUT", "/v1/definitions/settings/workspace", document)).status_code in (200, 201)
    paths = ("attributes", "segments", "activities", "relationships", "timeline", "journeys")
    for path in (f"/v1/customers/ann%40example.com/{path}" for path in paths):
        (error,) = (await get(workspace, path, 400, id_type="email"))["errors"]
        assert (error["pointer"], error["status"]) == ("/id_type", "400"), path
    for path in ("/v1/activities", "/v1/data_in"):
        await get(workspace, path, 400, customer_id="ann@example.com", id_type="email")
