"""A broadcast's life by API, and what is done to triggers under way (CHN-15)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.looking import OTHER
from tests.support.triggering import NEWS, Triggering


@pytest.fixture
def here(workspace) -> Triggering:
    return Triggering(workspace)


def code(answer, status: int) -> str:
    assert answer.status_code == status, answer.text
    (entry,) = answer.json()["errors"]
    found: str = entry["code"]
    return found


async def get(here: Triggering, path: str) -> dict[str, Any]:
    answer = await here.workspace.call("GET", path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_draft_running_stopped_and_running_again(here):
    sender = {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com"}
    await here.define(sender, NEWS, start=False)
    assert (await get(here, "/v1/definitions/broadcast/news"))["status"]["state"] == "draft"
    assert code(await here.verb("news", "stop"), 409) == "invalid_state"
    started = (await here.verb("news", "start")).json()
    assert (started["state"], started["problems"]) == ("running", [])
    assert started["first_started"] > 0
    assert code(await here.verb("news", "start"), 409) == "invalid_state"
    assert (await here.verb("news", "stop")).json()["state"] == "stopped"
    await here.wait(100)
    again = (await here.verb(here.ids["news"], "start")).json()
    assert (again["state"], again["first_started"]) == ("running", started["first_started"])


async def test_a_start_demands_what_a_start_demands(here):
    empty = {**NEWS, "workflow": {"blocks": {}}}
    await here.define(empty, start=False)
    assert code(await here.verb("news", "start"), 422) == "empty_workflow"
    drafted = {**NEWS, "key": "drafted"}
    block = {**NEWS["workflow"]["blocks"]["mail"], "sending_state": "draft"}
    await here.define({**drafted, "workflow": {"start": "mail", "blocks": {"mail": block}}}, start=False)
    warnings = (await here.verb("drafted", "start")).json()["problems"]
    assert "nothing_sends" in [warning["code"] for warning in warnings]


async def test_one_that_is_not_there(here):
    for verb in ("start", "stop", "archive", "unarchive", "duplicate"):
        assert code(await here.verb("nothing", verb), 404) == "not_found"


async def test_a_stop_lets_triggers_run_and_takes_no_more(here):
    await here.define(NEWS)
    await here.accepted()
    assert (await here.verb("news", "stop")).status_code == 200
    assert (await here.trigger()).status_code == 422
    assert (await here.status(1))["state"] == "queued"


async def test_nothing_is_put_away_or_deleted_while_triggers_are_not_over(here):
    await here.define(NEWS)
    await here.accepted()
    assert code(await here.verb("news", "archive"), 409) == "invalid_state"
    gone = await here.workspace.call("DELETE", "/v1/definitions/broadcast/news")
    assert code(gone, 409) == "invalid_state"
    assert (await get(here, "/v1/definitions/broadcast/news"))["status"]["state"] == "running"
    assert (await here.verb("news/triggers/1", "cancel")).json()["trigger"]["state"] == "cancelled"
    archived = (await here.verb("news", "archive")).json()
    assert archived["state"] == "archived"
    task = await get(here, f"/v1/tasks/{archived['task_id']}")
    assert task["type"] == "delete_drafts"
    assert (await here.trigger()).status_code == 422
    assert code(await here.verb("news", "start"), 409) == "invalid_state"
    locked = await here.workspace.call("PUT", "/v1/definitions/broadcast/news", {**NEWS, "name": "Other"})
    assert code(locked, 409) == "locked"
    assert (await here.verb("news", "unarchive")).json()["state"] == "stopped"
    assert code(await here.verb("news", "unarchive"), 409) == "invalid_state"
    assert (await here.workspace.call("DELETE", "/v1/definitions/broadcast/news")).status_code == 204
    assert (await here.workspace.call("GET", "/v1/campaigns/news/triggers/1")).status_code == 404


async def test_a_copy_is_a_draft_of_its_own(here):
    await here.define(NEWS)
    await here.accepted()
    answer = await here.verb("news", "duplicate")
    assert answer.status_code == 201
    made = answer.json()
    assert (made["definition"]["name"], made["definition"]["key"]) == ("[COPY] News", "copy-news")
    assert (made["status"]["state"], made["status"]["first_started"]) == ("draft", None)
    assert made["status"]["id"] == here.ids["news"] + 1
    assert (
        made["status"]["actions"]["mail"] != (await get(here, "/v1/broadcasts/news"))["broadcast"]["actions"][0]["id"]
    )
    assert (await get(here, "/v1/broadcasts/copy-news/triggers"))["triggers"] == []
    named = await here.verb("news", "duplicate", {"key": "second", "name": "Second"})
    assert named.json()["definition"]["key"] == "second"
    assert code(await here.verb("news", "duplicate", {"key": "second"}), 422) == "duplicate"
    assert code(await here.verb("news", "duplicate", {"title": "x"}), 422) == "unknown_field"


async def test_campaigns_and_broadcasts_are_counted_together(here):
    first = await here.define(NEWS)
    second = await here.define(OTHER)
    third = await here.define({**NEWS, "key": "third"})
    assert (first, second, third) == (1, 2, 3)


async def test_a_trigger_is_paused_and_goes_on(here):
    await here.define(NEWS)
    await here.accepted()
    paused = await here.verb("news/triggers/1", "pause")
    assert (paused.status_code, paused.json()["trigger"]["paused"]) == (200, True)
    assert (await here.status(1))["paused"] is True
    assert code(await here.verb("news/triggers/1", "pause"), 409) == "invalid_state"
    assert (await here.verb("news/triggers/1", "resume")).json()["trigger"]["paused"] is False
    assert code(await here.verb("news/triggers/1", "resume"), 409) == "invalid_state"


async def test_a_paused_trigger_keeps_its_place(here):
    await here.define(NEWS)
    for number in range(1, 6):
        await here.accepted()
        await here.verb(f"news/triggers/{number}", "pause")
    assert (await here.trigger()).status_code == 429
    await here.verb("news/triggers/3", "cancel")
    assert (await here.trigger()).status_code == 200
    assert code(await here.verb("news/triggers/3", "resume"), 409) == "invalid_state"


async def test_the_rate_of_a_trigger(here):
    await here.define({**NEWS, "send_rate": {"limit": 10, "per": "minute"}})
    await here.accepted()
    assert (await here.status(1))["send_rate"] == {"limit": 10, "per": "minute"}
    path = "/v1/broadcasts/news/triggers/1/send_rate"
    faster = {"limit": 500, "per": "second"}
    assert (await here.workspace.call("PUT", path, {"send_rate": faster})).json()["trigger"]["send_rate"] == faster
    assert (await here.workspace.call("PUT", path, {"send_rate": None})).json()["trigger"]["send_rate"] is None
    for body in ({}, [], {"send_rate": 7}, {"send_rate": {"limit": 0, "per": "minute"}}, {"send_rate": faster, "x": 1}):
        answer = await here.workspace.call("PUT", path, body)
        assert answer.status_code == 422, body
        assert answer.json()["errors"][0]["pointer"].startswith("/send_rate")


async def test_triggers_that_are_not_there(here):
    await here.define(NEWS)
    for verb in ("pause", "resume", "cancel"):
        assert code(await here.verb("news/triggers/7", verb), 404) == "not_found"
        assert code(await here.verb("nothing/triggers/1", verb), 404) == "not_found"
        assert code(await here.verb("news/triggers/x", verb), 400) == "invalid_parameter"


@pytest.mark.parametrize("data", [5, [1], "text", None])
async def test_sample_data_is_an_object(here, data):
    answer = await here.workspace.call(
        "PUT", "/v1/definitions/broadcast/other", {**NEWS, "key": "other", "sample_data": data}
    )
    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [("/sample_data", "type")]
