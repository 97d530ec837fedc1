from __future__ import annotations

from datetime import timedelta

import pytest

from api.management import shapes
from domain.ids import cio_id
from tests.support.looking import OTHER, START, UNIX, WELCOME, Scene


@pytest.fixture
async def here(workspace) -> Scene:
    made = Scene(workspace.db, workspace.id)
    await made.define(WELCOME, OTHER)
    return made


async def get(workspace, path: str, status: int = 200, **params):
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ids(workspace, **params) -> list[str]:
    answer = await get(workspace, "/v1/journeys", **params)
    shapes.Journeys.model_validate(answer)
    return [journey["id"] for journey in answer["journeys"]]


async def test_one_journey_with_its_steps(workspace, here):
    ann = await here.person("7", "ann@example.com")
    journey = await here.journey(ann)
    await here.step(journey, "hello", delivery_id="d", left_at=START + timedelta(seconds=2))
    await here.step(journey, "pause", "waiting", output_type="delay", delay_ends_at=START + timedelta(days=1))
    answer = await get(workspace, f"/v1/journeys/{journey.journey_id}")
    shapes.JourneyAnswer.model_validate(answer)
    shown = answer["journey"]
    assert shown["campaign"] == "welcome"
    assert shown["customer_identifiers"] == {"id": "7", "email": "ann@example.com", "cio_id": cio_id(ann)}
    assert (shown["state"], shown["reason"], shown["ended_at"]) == ("in_progress", None, None)
    assert shown["position"] == {
        "block": "pause",
        "action_id": here.actions["pause"],
        "arrived_at": UNIX,
        "due_at": UNIX + 86_400,
        "stuck": False,
    }
    assert shown["trigger"] == {
        "event": {"name": "signed_up", "type": "event", "id": None, "timestamp": UNIX, "data": {"plan": "pro"}}
    }
    hello, pause = shown["steps"]
    assert (hello["seq_num"], hello["block"], hello["outcome"], hello["delivery_id"]) == (1, "hello", "done", "d")
    assert (hello["created_at"], hello["left_at"]) == (UNIX, UNIX + 2)
    assert (pause["output_type"], pause["delay_ends_at"], pause["left_at"]) == ("delay", UNIX + 86_400, None)


async def test_an_ended_journey_says_why_and_keeps_no_attributes(workspace, here):
    journey = await here.ended(await here.person("7"), "goal", "The goal was met.", attributes={"secret": 1})
    shown = (await get(workspace, f"/v1/journeys/{journey.journey_id}"))["journey"]
    assert (shown["state"], shown["reason"], shown["explanation"]) == ("exited_early", "goal", "The goal was met.")
    assert (shown["position"], shown["attributes"], shown["steps"]) == (None, {}, [])
    assert shown["ended_at"] == UNIX + 3600


@pytest.mark.parametrize(("data", "stuck"), [({}, True), ({"departs_at": "soon"}, True), ({"departs_at": UNIX}, False)])
async def test_a_wait_that_can_never_end_is_stuck(workspace, here, data, stuck):
    journey = await here.journey(await here.person("7"), data=data, block="trip", due_at=None, wait={"due_at": None})
    position = (await get(workspace, f"/v1/journeys/{journey.journey_id}"))["journey"]["position"]
    assert (position["block"], position["stuck"]) == ("trip", stuck)


async def test_every_filter_and_every_name_of_a_person(workspace, here):
    ann, bela = await here.person("7", "ann@example.com"), await here.person("8")
    first = await here.journey(ann)
    other = await here.journey(bela, campaign_id=here.campaigns["other"])
    late = await here.ended(ann, "completed", at=START + timedelta(seconds=9))
    assert await ids(workspace) == [late.journey_id, other.journey_id, first.journey_id]
    assert await ids(workspace, campaign="welcome") == [late.journey_id, first.journey_id]
    assert await ids(workspace, campaign=here.campaigns["other"]) == [other.journey_id]
    assert await ids(workspace, customer="7") == [late.journey_id, first.journey_id]
    assert await ids(workspace, customer="ANN@example.com", id_type="email", state="finished") == [late.journey_id]
    assert await ids(workspace, customer=f"cio_{cio_id(bela)}", id_type="cio_id") == [other.journey_id]
    assert await ids(workspace, customer="nobody") == []
    assert await ids(workspace, block="pause", campaign="welcome") == [first.journey_id]
    assert await ids(workspace, started_after=UNIX) == [late.journey_id]
    assert await ids(workspace, started_before=UNIX + 9) == [other.journey_id, first.journey_id]


async def test_pages_go_on_where_the_last_one_ended(workspace, here):
    person = await here.person("7")
    made = [(await here.journey(person)).journey_id for _ in range(5)][::-1]
    first = await get(workspace, "/v1/journeys", limit=2)
    await here.journey(person)
    second = await get(workspace, "/v1/journeys", limit=2, start=first["next"])
    third = await get(workspace, "/v1/journeys", limit=2, start=second["next"])
    walked = [j["id"] for page in (first, second, third) for j in page["journeys"]]
    assert (walked, third["next"]) == (made, "")


@pytest.mark.parametrize(
    ("params", "status", "pointer", "code"),
    [
        ({"limit": 0}, 400, "/limit", "invalid_parameter"),
        ({"limit": 1001}, 400, "/limit", "invalid_parameter"),
        ({"start": "x"}, 400, "/start", "invalid_parameter"),
        ({"state": "lost"}, 400, "/state", "invalid_parameter"),
        ({"block": "No Key"}, 400, "/block", "invalid_parameter"),
        ({"started_after": "yesterday"}, 400, "/started_after", "invalid_parameter"),
        ({"customer": "+39", "id_type": "phone"}, 400, "/id_type", "invalid_parameter"),
        ({"id_type": "name"}, 400, "/id_type", "invalid_parameter"),
        ({"campaign": "gone"}, 422, "/campaign", "unknown_reference"),
        ({"campaign": 99_999}, 422, "/campaign", "unknown_reference"),
        ({"broadcast": "news"}, 422, "/broadcast", "unknown_reference"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_pointed_at(workspace, params, status, pointer, code):
    (error,) = (await get(workspace, "/v1/journeys", status, **params))["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


async def test_a_persons_journeys(workspace, here):
    ann = await here.person("a/7", "ann@example.com")
    made = [(await here.journey(ann)).journey_id for _ in range(3)][::-1]
    await here.journey(await here.person("8"))
    page = await get(workspace, "/v1/customers/a%2F7/journeys", limit=2)
    assert [j["id"] for j in page["journeys"]] == made[:2]
    rest = await get(workspace, "/v1/customers/ann@example.com/journeys", id_type="email", start=page["next"], limit=2)
    assert ([j["id"] for j in rest["journeys"]], rest["next"]) == (made[2:], "")
    await get(workspace, "/v1/customers/nobody/journeys", 404)


async def test_a_journey_ended_by_hand(workspace, here):
    journey = await here.journey(await here.person("7"))
    await here.step(journey, "pause", "waiting")
    path = f"/v1/journeys/{journey.journey_id}/end"
    shown = (await workspace.call("POST", path)).json()["journey"]
    assert (shown["state"], shown["reason"]) == ("exited_early", "manual")
    assert shown["explanation"] == "The person was manually removed from the campaign."
    assert [step["outcome"] for step in shown["steps"]] == ["exited"]
    again = await workspace.call("POST", path)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "invalid_state")


@pytest.mark.parametrize("journey_id", ["01J", "%00", "x" * 300, "a%2Fb", "..%2F.."])
async def test_a_journey_that_is_not_there(workspace, journey_id):
    for method, path in (("GET", f"/v1/journeys/{journey_id}"), ("POST", f"/v1/journeys/{journey_id}/end")):
        assert (await workspace.call(method, path)).status_code in (400, 404)


async def test_another_workspace_sees_nothing(workspace, live, here):
    journey = await here.journey(await here.person("7"))
    await get(live, f"/v1/journeys/{journey.journey_id}", 404)
    assert await ids(live) == []


async def test_the_journeys_of_a_deleted_campaign_are_still_there(workspace, here):
    journey = await here.ended(await here.person("7"), "archived", campaign_id=4711)
    shown = (await get(workspace, f"/v1/journeys/{journey.journey_id}"))["journey"]
    assert "campaign" not in shown
    assert shown["campaign_id"] == 4711
