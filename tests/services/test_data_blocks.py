"""Blocks that change data: events, people elsewhere, journey attributes; where nobody travels (ACT-21 to ACT-25)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.operations import (
    StartByPayload,
    TrackEvent,
)
from domain.values import to_unix
from tests.support.data_blocks import ANN, DELAY, ON_GO, attributes, events, happens, kept, only, ready, walked
from tests.support.database import Room
from tests.support.driver import Driver
from tests.support.live import campaign, on_event

# --- Send event (ACT-23)


async def test_an_event_of_the_person_does_all_that_events_do(room: Room) -> None:
    block = {
        "type": "send_event",
        "event": {"liquid": "{{ event.kind }}_made"},
        "data": {
            "total": {"from": "event.total"},
            "items": {"liquid": "{{ event.items | to_json }}"},
            "who": {"javascript": "return customer.id"},
            "none": {"javascript": "return customer.nobody"},
            "null": {"javascript": "return null"},
            "plain": "{{ not rendered }}",
        },
    }
    other = campaign("other", on_event("order_made"), "d", {"d": DELAY})
    driver = await ready(room, campaign("c", ON_GO, "s", {"s": block}), other)
    await happens(room, driver, {"kind": "order", "total": 12.5, "items": [{"n": 1}]})
    (event,) = await events(room, "order_made")
    assert event["data"] == {
        "total": 12.5,
        "items": [{"n": 1}],
        "who": "ann",
        "null": None,
        "plain": "{{ not rendered }}",
    }
    assert (event["id"], event["at"]) == ("ann", room.now)
    assert await walked(room) == [("s", "done", None)]
    assert await walked(room, "other") == [("d", "waiting", None)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"javascript": "return {by: customer.id, items: event.items.map(i => i.id)};"}, {"by": "ann", "items": [1]}),
        ({"liquid": "{{ event | to_json }}"}, {"items": [{"id": 1}]}),
        ({"javascript": "return undefined"}, {}),
    ],
)
async def test_one_value_for_the_whole_data(room: Room, data: dict[str, Any], expected: dict[str, Any]) -> None:
    block = {"type": "send_event", "event": "made", "data": data}
    driver = await ready(room, campaign("c", ON_GO, "s", {"s": block}))
    await happens(room, driver, {"items": [{"id": 1}]})
    assert [event["data"] for event in await events(room, "made")] == [expected]


async def test_act_case_27_an_event_to_somebody_unknown_creates_them(room: Room) -> None:
    block = {
        "type": "send_event",
        "event": "invited",
        "target": {"email": {"from": "event.friend"}},
        "data": {"by": {"from": "customer.id"}},
    }
    other = campaign("other", on_event("invited"), "d", {"d": DELAY})
    driver = await ready(room, campaign("c", ON_GO, "s", {"s": block}), other)
    await happens(room, driver, {"friend": "new@example.com"})
    (event,) = await events(room, "invited")
    assert (event["email"], event["data"]) == ("new@example.com", {"by": "ann"})
    assert await walked(room) == [("s", "done", "Another person, named by email, is told.")]
    assert (await only(room, "other"))["state"] == "in_progress"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"event": {"from": "event.nothing"}}, "no name"),
        ({"event": {"from": "event.list"}}, "no name"),
        ({"event": "x" * 101}, "100 bytes"),
        ({"event": "made", "data": {"a": {"javascript": "return 'x'.repeat(99_993)"}}}, "100001 bytes"),
        ({"event": "made", "data": {"liquid": "[1]"}}, "no object"),
        ({"event": "made", "target": {"email": "nobody"}}, "empty or malformed"),
        ({"event": "made", "target": {"id": {"from": "event.nothing"}}}, "empty or malformed"),
        ({"event": "made", "target": {"id": "7", "workspace": 2_000_000}}, "no workspace"),
        ({"event": "made", "data": {"a": {"liquid": "{{ customer.nick }}"}}}, "customer.nick"),
        ({"event": "made", "data": {"a": {"javascript": "return customer.a.b"}}}, "JavaScript"),
    ],
)
async def test_act_case_27_an_event_that_cannot_be_sent_fails_and_the_journey_goes_on(
    room: Room, fields: dict[str, Any], why: str
) -> None:
    blocks = {"s": {"type": "send_event", "next": "d", **fields}, "d": DELAY}
    driver = await ready(room, campaign("c", ON_GO, "s", blocks))
    await happens(room, driver, {"list": [1]})
    (failed, waiting) = await walked(room)
    assert failed[:2] == ("s", "failed")
    assert why in (failed[2] or "")
    assert waiting[:2] == ("d", "waiting")
    assert await events(room, "made") == []


async def test_data_of_exactly_100000_bytes_is_sent(room: Room) -> None:
    block = {"type": "send_event", "event": "made", "data": {"a": {"javascript": "return 'x'.repeat(99_992)"}}}
    driver = await ready(room, campaign("c", ON_GO, "s", {"s": block}))
    await happens(room, driver)
    assert len(await events(room, "made")) == 1


async def test_campaigns_that_start_one_another_come_to_an_end(room: Room) -> None:
    driver = await ready(room, campaign("c", ON_GO, "s", {"s": {"type": "send_event", "event": "go"}}))
    await happens(room, driver, times=30)
    found = await room.rows(
        "SELECT outcome, explanation FROM journey_steps WHERE workspace_id = $1 ORDER BY journey_id, seq_num"
    )
    assert [row["outcome"] for row in found] == ["done"] * 20 + ["failed"]
    assert "20 campaigns" in found[-1]["explanation"]
    assert len(await events(room, "go")) == 21


async def test_a_repeated_event_is_told_from_another(room: Room) -> None:
    driver = await ready(room, campaign("c", ON_GO, "s", {"s": {"type": "send_event", "event": "made"}}))
    await happens(room, driver)
    (event,) = await events(room, "made")
    await room.accept(TrackEvent(subject=ANN, name="made", event_id=event["event_id"]))
    await driver.step()
    assert len(await events(room, "made")) == 1


async def test_events_and_updates_reach_another_workspace(room: Room) -> None:
    other = await Room.make(room.db)
    target = {"id": {"from": "customer.id"}, "workspace": other.workspace_id}
    blocks = {
        "s": {"type": "send_event", "event": "made", "target": target, "next": "u"},
        "u": {"type": "update_person", "set": {"address.city": "Rome"}, "target": target},
    }
    driver = await ready(room, campaign("c", ON_GO, "s", blocks))
    await happens(room, driver)
    await Driver(other).step()
    assert [event["id"] for event in await events(other, "made")] == ["ann"]
    assert await attributes(other) == {"ann": {"address": {"city": "Rome"}}}
    assert await events(room, "made") == []


async def test_a_sandbox_does_not_write_to_a_workspace_that_is_none(room: Room) -> None:
    other = await Room.make(room.db)
    async with room.db.transaction() as conn:
        query = "UPDATE workspaces SET sandbox = false, clock_now = NULL WHERE workspace_id = $1"
        await conn.execute(query, other.workspace_id)
    target = {"id": "7", "workspace": other.workspace_id}
    driver = await ready(room, campaign("c", ON_GO, "s", {"s": {"type": "send_event", "event": "a", "target": target}}))
    await happens(room, driver)
    assert (await walked(room))[0][1] == "failed"
    assert await other.rows("SELECT seq FROM ingest_log WHERE workspace_id = $1") == []


# --- Create or update person (ACT-22, ACT-24)


async def test_scripts_of_an_update_see_the_state_before_it_and_undefined_touches_nothing(room: Room) -> None:
    block = {
        "type": "update_person",
        "set": {
            "first_name": {"javascript": "return customer.full_name.split(' ')[0]"},
            "full_name": {"javascript": "return customer.first_name ?? 'was none'"},
            "plan": {"javascript": "return customer.nothing"},
            "old": {"javascript": "return null"},
            "older": {"javascript": "return ''"},
        },
    }
    driver = await ready(
        room, campaign("c", ON_GO, "u", {"u": block}), full_name="Cool Person", plan="pro", old=1, older=2
    )
    await happens(room, driver)
    assert await attributes(room) == {"ann": {"first_name": "Cool", "full_name": "was none", "plan": "pro"}}


async def test_a_script_that_fails_writes_nothing(room: Room) -> None:
    block = {"type": "update_person", "set": {"a": 1, "b": {"javascript": "throw new Error('no')"}}}
    driver = await ready(room, campaign("c", ON_GO, "u", {"u": block}))
    await happens(room, driver)
    assert await walked(room) == [("u", "failed", "A value could not be computed: JavaScript: Error: no")]
    assert await attributes(room) == {"ann": {}}


async def test_the_clock_of_scripts_is_the_sandboxs(room: Room) -> None:
    block = {"type": "update_person", "set": {"at": {"javascript": "return Date.now() / 1000"}}}
    driver = await ready(room, campaign("c", ON_GO, "u", {"u": block}))
    await happens(room, driver)
    assert await attributes(room) == {"ann": {"at": to_unix(room.now)}}


# --- Journey attributes (ACT-25)


async def test_journey_attributes_are_there_for_the_next_block_and_gone_with_the_journey(room: Room) -> None:
    blocks = {
        "a": {
            "type": "set_journey_attributes",
            "set": {"score": {"javascript": "return customer.visits * 2;"}, "course": {"from": "event.course"}},
            "next": "b",
        },
        "b": {"type": "set_journey_attributes", "set": {"again": {"from": "journey.course.name"}}, "next": "c"},
        "c": {
            "type": "true_false",
            "conditions": {"journey": {"field": "score", "operator": "eq", "value": 8}},
            "then": "d",
        },
        "d": {**DELAY, "next": "e"},
        "e": {"type": "update_person", "set": {"course": {"liquid": "{{ journey.course.name }}"}}},
    }
    driver = await ready(room, campaign("c", ON_GO, "a", blocks), visits=4)
    await happens(room, driver, {"course": {"name": "Liquid"}})
    assert await kept(room) == {"score": 8, "course": {"name": "Liquid"}, "again": "Liquid"}
    async with driver.running():
        await driver.advance(by="P9D")
    assert await attributes(room) == {"ann": {"visits": 4, "course": "Liquid"}}
    assert await kept(room) == {}


async def test_act_case_30_what_is_beyond_the_limits_is_dropped_alone(room: Room) -> None:
    blocks = {
        "many": {"type": "set_journey_attributes", "set": {f"a{n:03}": n for n in range(99)}, "next": "more"},
        "more": {"type": "set_journey_attributes", "set": {"b": 1, "c": 2, "a000": "new"}, "next": "large"},
        "large": {
            "type": "set_journey_attributes",
            "set": {
                "a001": {"javascript": "return 'x'.repeat(49_000)"},
                "a002": {"from": "event.large"},
                "a003": {"from": "event.larger"},
            },
            "next": "d",
        },
        "d": DELAY,
    }
    driver = await ready(room, campaign("c", ON_GO, "many", blocks))
    await happens(room, driver, {"large": "x" * (100 * 1024 - 2), "larger": "x" * (100 * 1024 - 1)})
    found = await kept(room)
    assert len(found) == 100
    assert (found["a000"], found["b"], "c" in found) == ("new", 1, False)
    assert (len(found["a001"]), len(found["a002"]), found["a003"]) == (49_000, 100 * 1024 - 2, 3)
    steps = {block: (outcome, told) for block, outcome, told in await walked(room)}
    assert steps["more"] == ("done", "c: A journey has at most 100 attributes.")
    assert steps["large"] == ("done", "a003: The value of a journey attribute has at most 102400 bytes.")


async def test_a_removed_journey_attribute_is_missing_and_still_counts(room: Room) -> None:
    blocks = {
        "a": {"type": "set_journey_attributes", "set": {"x": 1, "y": 2}, "next": "b"},
        "b": {"type": "set_journey_attributes", "set": {"x": None, "z": ""}, "next": "c"},
        "c": {"type": "update_person", "set": {"seen": {"liquid": "{{ journey.x }}"}}, "next": "d"},
        "d": {"type": "update_person", "set": {"typed": {"javascript": "return typeof journey.x"}}, "next": "e"},
        "e": DELAY,
    }
    driver = await ready(room, campaign("c", ON_GO, "a", blocks))
    await happens(room, driver)
    assert await kept(room) == {"x": None, "y": 2}
    assert [step[:2] for step in await walked(room)][2:4] == [("c", "failed"), ("d", "done")]
    assert await attributes(room) == {"ann": {"typed": "undefined"}}


# --- Where nobody travels (ACT-01), and what is found before anybody arrives (ACT-22)


async def test_a_payload_changes_people_and_scripts_know_no_customer(room: Room) -> None:
    blocks = {
        "remember": {
            "type": "set_journey_attributes",
            "set": {"plan": {"from": "trigger.plan"}, "who": {"javascript": "return typeof customer"}},
            "next": "all",
        },
        "all": {
            "type": "batch_update",
            "match": {"attribute": {"field": "team", "value": {"from": "trigger.team"}}},
            "set": {"plan": {"from": "journey.plan"}, "from": {"liquid": "({{ customer.plan }})"}},
            "next": "one",
        },
        "one": {
            "type": "update_person",
            "target": {"id": {"javascript": "return triggers.identifiers.id;"}},
            "set": {"who": {"from": "journey.who"}},
            "next": "tell",
        },
        "tell": {"type": "send_event", "target": {"id": {"from": "trigger.identifiers.id"}}, "event": "called"},
    }
    driver = await ready(room, campaign("c", {"type": "webhook"}, "remember", blocks), team="red", plan="old")
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'campaign'")
    payload = {"team": "red", "plan": "pro", "identifiers": {"id": "u1"}}
    call = StartByPayload(campaign_id=row["definition_id"], journey_id="01JW0000000000000000000001", payload=payload)
    await room.accept(call)
    for _ in range(3):
        await driver.step()
    assert [step[:2] for step in await walked(room)] == [(key, "done") for key in blocks]
    assert await attributes(room) == {"ann": {"team": "red", "plan": "pro", "from": "()"}, "u1": {"who": "undefined"}}
    assert [event["id"] for event in await events(room, "called")] == ["u1"]


async def test_a_script_that_cannot_be_read_is_refused_when_it_is_saved(room: Room) -> None:
    blocks = {
        "a": {"type": "update_person", "set": {"ok": {"javascript": "return 1"}, "no": {"javascript": "return }{"}}},
    }
    with pytest.raises(InvalidInput) as caught:
        await room.define(campaign("c", ON_GO, "a", blocks))
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer) == (
        "javascript_syntax",
        "/definitions/0/workflow/blocks/a/set/no/javascript",
    )
