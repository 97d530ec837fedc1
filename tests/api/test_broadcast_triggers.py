"""Triggering a broadcast by API: every body, every refusal, whose turn it is (CHN-16 to CHN-22, APP-03)."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from tests.support.looking import OTHER
from tests.support.triggering import NEWS, Triggering

ULID = r"\(reference [0-9A-HJKMNP-TV-Z]{26}\)"
EXACTLY_ONE = 'exactly one of "recipients", "ids", "emails", "per_user_data", or "data_file_url" must be provided'
POINTER = "/data/attributes/recipients"
SEGMENTS = [
    {"kind": "segment", "key": "one", "name": "One", "type": "manual"},
    {"kind": "segment", "key": "two", "name": "Two", "type": "manual"},
]


@pytest.fixture
async def here(workspace) -> Triggering:
    """A workspace with a running broadcast to everybody."""
    made = Triggering(workspace)
    await made.define(NEWS)
    return made


def refusal(answer, status: int) -> dict[str, Any]:
    """The only entry of a refusal, in the vendor's shape."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    (entry,) = body["errors"]
    assert entry["status"] == str(status)
    assert body["meta"]["error"] == entry["detail"]
    return entry


async def test_a_trigger_stands_in_the_queue_and_is_asked_for_in_the_same_commit(here):
    answer = await here.trigger({"data": {"headline": "H"}})
    assert (answer.status_code, answer.json()) == (200, {"id": 1})
    (row,) = await here.stored()
    assert (row["state"], row["audience"], row["data"]) == ("queued", {}, {"headline": "H"})
    assert (row["accepted"], row["paused"], row["position"], row["rate_sent"]) == (True, False, 0, 0)
    async with here.workspace.db.connection() as conn:
        asked = await conn.fetch("SELECT kind, workflow_id FROM outbox WHERE workspace_id = $1", here.workspace.id)
    name = f"broadcast/{here.workspace.id}/{here.ids['news']}/1"
    assert [tuple(row) for row in asked] == [("broadcast", name)]


async def test_by_id_and_by_the_older_path(here):
    assert await here.accepted(key=here.ids["news"]) == 1
    answer = await here.trigger(path=f"/v1/api/campaigns/{here.ids['news']}/triggers")
    assert answer.json() == {"id": 2}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"recipients": {}, "data": None}, {}),
        ({"recipients": {}, "ids": ["ann", 7, 7.0, "ann"]}, {"ids": ["ann", "7"], "id_ignore_missing": False}),
        (
            {
                "emails": ["Ann@Example.com", "ann@example.com "],
                "email_add_duplicates": True,
                "id_ignore_missing": True,
            },
            {"emails": ["Ann@Example.com"], "email_ignore_missing": False, "email_add_duplicates": True},
        ),
        (
            {
                "per_user_data": [{"id": "ann", "data": {"a": 1}}, {"email": "nobody@x.io"}],
                "email_ignore_missing": True,
            },
            {
                "per_user_data": [{"id": "ann", "data": {"a": 1}}, {"email": "nobody@x.io", "data": {}}],
                "id_ignore_missing": False,
                "email_ignore_missing": True,
                "email_add_duplicates": False,
            },
        ),
        (
            {"data_file_url": "https://user:pass@files.example.com/a.json"},
            {
                "data_file_url": "https://user:pass@files.example.com/a.json",
                "id_ignore_missing": False,
                "email_ignore_missing": False,
                "email_add_duplicates": False,
            },
        ),
        (
            {"recipients": {"not": {"attribute": {"field": "team", "operator": "exists", "value": ""}}}},
            {"recipients": {"not": {"attribute": {"field": "team", "operator": "exists"}}}},
        ),
    ],
    ids=["ui", "ids", "emails", "per_user_data", "data_file_url", "recipients"],
)
async def test_each_of_the_six_bodies_is_kept_as_it_is_carried_out(here, body, kept):
    await here.people(ann="ann@example.com", **{"7": ""})
    await here.accepted(body)
    (row,) = await here.stored()
    assert (row["audience"], row["data"]) == (kept, {})


async def test_chn_case_18_ids_that_nobody_has_refuse_the_whole_call(here):
    await here.people(wiley="wiley@coyote.com")
    body = {"ids": ["wiley", "coyottee", "crocodile"]}
    entry = refusal(await here.trigger(body), 422)
    assert entry["detail"] == "the following ids are missing: coyottee, crocodile"
    assert (await here.errors(1))["errors"] == [entry["detail"]]
    assert await here.accepted({**body, "id_ignore_missing": True}) == 2
    many = refusal(await here.trigger({"ids": [str(n) for n in range(10_001)]}), 422)
    assert many["source"] == {"pointer": "/data/attributes/ids"}
    async with here.workspace.db.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM people WHERE workspace_id = $1", here.workspace.id) == 1
    assert [row["state"] for row in await here.stored()] == ["failed", "queued", "failed"]


async def test_chn_case_17_addresses_of_nobody_and_of_several(workspace):
    here = Triggering(workspace)
    settings = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}
    await here.define(settings, NEWS)
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE tasks SET state = 'succeeded' WHERE workspace_id = $1", workspace.id)
    await here.people(
        **{"1": "wiley@coyote.com", "2": "Wiley@Coyote.com ", "3": "john@coyote.com", "4": "zoë@coyote.com"}
    )
    body = {"emails": ["wiley@coyote.com", "john@coyote.com", "matt@coyote.com"]}
    assert await here.accepted({**body, "email_ignore_missing": True, "email_add_duplicates": True}) == 1
    missing = refusal(await here.trigger({**body, "email_add_duplicates": True}), 422)
    assert missing["detail"] == "the following emails are missing: matt@coyote.com"
    shared = refusal(await here.trigger({**body, "email_ignore_missing": True}), 422)
    assert shared["detail"] == "the following emails belong to more than one person: wiley@coyote.com"
    both = await here.trigger(body)
    assert [entry["detail"] for entry in both.json()["errors"]] == [missing["detail"], shared["detail"]]
    assert both.json()["meta"]["error"] == f"{missing['detail']}; {shared['detail']}"
    assert await here.accepted({"emails": ["ZOË@coyote.com"]}) == 5


async def test_addresses_that_are_names(here):
    await here.people(ann="ann@example.com")
    assert await here.accepted({"emails": ["ANN@example.com"]}) == 1
    entry = refusal(await here.trigger({"emails": ["ann@example.com", "bob@example.com"]}), 422)
    assert entry["detail"] == "the following emails are missing: bob@example.com"
    assert entry["source"] == {"pointer": "/data/attributes/emails"}


@pytest.mark.parametrize(
    "body",
    [
        {"recipients": {"segment": {"id": 1}}, "ids": ["a"]},
        {"per_user_data": [{"id": "a", "data": {}}], "emails": ["a@x.io"]},
        {"recipients": {"segment": {"id": 1}}, "data_file_url": "https://example.com/a"},
    ],
)
async def test_chn_case_21_more_than_one_audience(here, body):
    entry = refusal(await here.trigger(body), 422)
    assert (entry["detail"], entry["source"]) == (EXACTLY_ONE, {"pointer": POINTER})


async def test_chn_case_22_without_an_audience_the_broadcast_needs_one(workspace):
    here = Triggering(workspace)
    nobody = {name: value for name, value in NEWS.items() if name != "recipients"}
    await here.define(*SEGMENTS, nobody)
    for body in ({}, {"data": {}}, {"recipients": {}}):
        entry = refusal(await here.trigger(body), 422)
        assert (entry["detail"], entry["source"]) == (EXACTLY_ONE, {"pointer": POINTER})
    await here.define({**nobody, "recipients": {"segment": {"id": here.ids["one"]}}}, start=False)
    assert await here.accepted({"data": {"a": 1}}) == 4
    assert await here.accepted({"recipients": {"segment": {"id": here.ids["two"]}}}) == 5
    kept = [row["audience"] for row in await here.stored() if row["accepted"]]
    assert kept == [{}, {"recipients": {"segment": {"id": here.ids["two"]}}}]


async def test_chn_case_19_the_filter_of_the_vendor_is_taken(workspace):
    here = Triggering(workspace)
    await here.define(*SEGMENTS, NEWS)
    where = {"field": "species", "operator": "eq", "value": "roadrunners"}
    either = [{"attribute": {**where, "field": "interest"}}, {"not": {"attribute": where}}]
    body = {"and": [{"segment": {"id": here.ids["two"]}}, {"or": either}]}
    assert await here.accepted({"recipients": body}) == 1
    found = await here.status(1)
    assert json.loads(found["recipients_filter"]) == body
    assert found["audience"] == "recipients"


@pytest.mark.parametrize(
    "filtered",
    [
        [],
        "everyone",
        7,
        {"and": []},
        {"and": {"segment": {"id": 1}}},
        {"not": [{"segment": {"id": 1}}]},
        {"and": [], "or": []},
        {"segment": 1},
        {"segment": {"id": "1"}},
        {"segment": {"key": "one"}},
        {"segment": {"id": 1, "inverse": True}},
        {"segment": {"id": 99}},
        {"segment": {"id": True}},
        {"performed": {"event": "bought"}},
        {"attribute": {"field": "plan", "operator": "gt", "value": 1}},
        {"attribute": {"field": "plan", "operator": "eq"}},
        {"attribute": {"field": "plan", "operator": "eq", "value": {"from": "customer.x"}}},
        {"attribute": {"field": "", "operator": "exists"}},
        {"attribute": {"field": "plan"}},
        {"attribute": {"field": "plan", "operator": "exists", "inverse": True}},
        {"attribute": "plan"},
    ],
    ids=repr,
)
async def test_what_is_no_filter_is_refused_where_the_vendor_points(workspace, filtered):
    here = Triggering(workspace)
    await here.define(SEGMENTS[0], NEWS)
    entry = refusal(await here.trigger({"recipients": filtered}), 422)
    assert (entry["detail"], entry["source"]) == ("recipients filter is not valid", {"pointer": POINTER})
    lines = (await here.errors(1))["errors"]
    assert lines == [entry["detail"], entry["message"]]


async def test_a_filter_has_an_end(here):
    deep: Any = {"attribute": {"field": "plan", "operator": "exists"}}
    for _ in range(40):
        deep = {"not": deep}
    assert refusal(await here.trigger({"recipients": deep}), 422)["detail"] == "recipients filter is not valid"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": []}, "data"),
        ({"data": "text"}, "data"),
        ({"ids": "ann"}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": [None]}, "ids"),
        ({"ids": [True]}, "ids"),
        ({"emails": [{"email": "a@x.io"}]}, "emails"),
        ({"emails": ["a@x.io"], "email_ignore_missing": "yes"}, "email_ignore_missing"),
        ({"per_user_data": {"id": "a"}}, "per_user_data"),
        ({"per_user_data": [{"id": "a"}] * 10_001}, "per_user_data"),
        ({"data_file_url": "ftp://example.com/a"}, "data_file_url"),
        ({"data_file_url": 7}, "data_file_url"),
        ({"data_file_url": "https://" + "a" * 10_000}, "data_file_url"),
        ({"receipients": {"segment": {"id": 1}}}, "receipients"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_wrong_with_a_body_is_pointed_at(here, body, field):
    entry = refusal(await here.trigger(body), 422)
    assert entry["source"] == {"pointer": f"/data/attributes/{field}"}


async def test_a_body_that_is_no_object(here):
    assert "source" not in refusal(await here.trigger(b"[]"), 422)


async def test_bad_entries_are_listed_by_line_under_the_trigger_that_is_named(here):
    entries = [{"id": "a", "data": {}}, {"id": "a", "email": "a@x.io"}, "a", {"data": {}}, {"id": "a", "data": []}]
    entry = refusal(await here.trigger({"per_user_data": entries}), 422)
    assert entry["source"] == {"pointer": "/data/attributes/per_user_data"}
    name = f"{here.ids['news']}-1"
    assert name in entry["detail"]
    assert entry["meta"] == {"trigger_id": name}
    lines = [f"line {number}: couldn't parse json data" for number in (2, 3, 4, 5)]
    assert await here.errors(1) == {"errors": lines, "next": 0}
    assert await here.errors(1, limit=3) == {"errors": lines[:3], "next": 4}
    assert await here.errors(1, limit=3, start=4) == {"errors": lines[3:], "next": 0}


async def test_people_that_only_the_data_names_are_looked_for_later(here):
    assert await here.accepted({"per_user_data": [{"id": "nobody", "data": {}}]}) == 1
    found = await here.status(1)
    assert (found["found_per_user_data"], found["per_user_data_error_count"]) == (True, 0)


async def test_json_that_is_none(here):
    answer = await here.trigger(b'{"data": ')
    entry = refusal(answer, 400)
    assert re.fullmatch(rf"bad request {ULID}", entry["detail"])
    assert "not valid JSON" in entry["message"]
    assert await here.stored() == []


async def test_a_body_that_does_not_say_that_it_is_json(here):
    answer = await here.trigger({"data": {}}, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert "application/json" in refusal(answer, 422)["detail"]
    assert [row["state"] for row in await here.stored()] == ["failed"]
    assert (await here.trigger({}, headers={"Content-Type": "application/json; charset=utf-8"})).status_code == 200


async def test_a_body_over_10_mb(here):
    answer = await here.trigger(b'{"data": {"a": "' + b"x" * (10 * 1024 * 1024) + b'"}}')
    assert answer.status_code == 413
    assert await here.stored() == []


async def test_a_broadcast_that_is_not_there(here):
    assert refusal(await here.trigger(key=99), 404)["detail"] == "broadcast with id 99 does not exist"
    refusal(await here.trigger(key="nothing"), 404)
    refusal(await here.trigger(key="No%20Key"), 400)


async def test_a_campaign_is_no_broadcast(here):
    number = await here.define(OTHER)
    refusal(await here.trigger(key=number), 404)


async def test_who_may_not(here):
    stranger = await here.trigger({}, headers={"Authorization": "Bearer nobody"})
    assert refusal(stranger, 401)["detail"] == "unauthorized"
    body = {"kind": "app", "name": "reader", "scopes": ["read"]}
    path = f"/v1/workspaces/{here.workspace.id}/credentials"
    made = await here.workspace.call("POST", path, body, headers=here.workspace.admin)
    assert made.status_code == 201, made.text
    reader = {"Authorization": f"Bearer {made.json()['app_key']}"}
    assert refusal(await here.trigger({}, headers=reader), 403)["code"] == "forbidden_scope"
    assert await here.stored() == []


async def test_other_methods(here):
    answer = await here.workspace.call("GET", "/v1/campaigns/news/triggers")
    assert refusal(answer, 405)["code"] == "method_not_allowed"


@pytest.mark.parametrize("state", ["draft", "stopped"])
async def test_a_broadcast_that_does_not_run(workspace, state):
    here = Triggering(workspace)
    number = await here.define(NEWS, start=state == "stopped")
    if state == "stopped":
        assert (await here.verb("news", "stop")).json()["state"] == "stopped"
    entry = refusal(await here.trigger(), 422)
    assert entry["detail"] == f"broadcast with id {number} is not active"
    assert (await here.status(1))["state"] == "failed"


async def test_chn_case_26_whose_turn_it_is(here):
    assert (await here.trigger()).json() == {"id": 1}
    await here.wait(9)
    early = await here.trigger()
    assert "rate limited to 1 request per 10s" in refusal(early, 429)["detail"]
    assert early.headers["Retry-After"] == "1"
    await here.wait(1)
    assert (await here.trigger()).json() == {"id": 2}
    await here.wait(10)
    assert [await here.accepted() for _ in range(3)] == [3, 4, 5]
    sixth = await here.trigger()
    assert "at most 5 triggers" in refusal(sixth, 429)["detail"]
    await here.become(1, "finished")
    assert await here.accepted() == 6


async def test_the_rate_is_looked_at_before_the_body(here):
    await here.trigger()
    assert (await here.trigger(b"{")).status_code == 429
    assert (await here.trigger({"ids": []})).status_code == 429
    assert len(await here.stored()) == 1


async def test_a_refused_trigger_takes_a_number_but_nobodys_turn(here):
    for number in range(1, 8):
        assert (await here.trigger({"ids": ["nobody"]})).status_code == 422
        assert (await here.status(number))["state"] == "failed"
    assert (await here.trigger()).json() == {"id": 8}


async def test_of_many_at_the_same_instant_one_is_accepted(here):
    answers = await asyncio.gather(*(here.trigger() for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[429] * 7]
    assert [row["trigger_no"] for row in await here.stored()] == [1]


async def test_broadcasts_do_not_wait_for_each_other(here):
    await here.define({**NEWS, "key": "other"})
    assert (await here.trigger()).json() == {"id": 1}
    assert (await here.trigger(key="other")).json() == {"id": 1}


async def test_chn_case_25_the_status_by_number_and_by_id(here):
    number = here.ids["news"]
    async with here.workspace.db.transaction() as conn:
        await conn.execute("INSERT INTO counters VALUES ($1, $2, 36)", here.workspace.id, f"trigger/{number}")
    assert (await here.trigger({"data": {"headline": "H"}}, number)).json() == {"id": 37}
    found = await here.status(37, number)
    assert (found["id"], found["campaign_id"], found["broadcast_id"]) == (f"{number}-37", number, number)
    assert json.loads(found["data"]) == {"headline": "H"}
    assert (found["state"], found["processed_at"], found["recipients_count"]) == ("queued", 0, 0)
    assert (found["recipients_filter"], found["workflow_action_ids"]) == (None, [])
    assert "found_per_user_data" not in found
    assert await here.status(f"{number}-37", number) == found


@pytest.mark.parametrize("path", ["2", "1-1", "99999999999"])
async def test_a_trigger_that_is_not_there(here, path):
    await here.define({**NEWS, "key": "other"})
    await here.trigger(key="other")
    for end in ("", "/errors"):
        answer = await here.workspace.call("GET", f"/v1/campaigns/other/triggers/{path}{end}")
        assert answer.status_code == (400 if len(path) > 10 else 404)
        if answer.status_code == 404:
            assert re.fullmatch(rf"not found {ULID}", refusal(answer, 404)["detail"])


async def test_a_trigger_that_cannot_be(here):
    for path in ("news/triggers/x", "news/triggers/1-2-3", "No%20Key/triggers/1"):
        answer = await here.workspace.call("GET", f"/v1/campaigns/{path}")
        assert answer.status_code == 400, path
    answer = await here.workspace.call("GET", "/v1/campaigns/news/triggers/1/errors?start=x")
    assert answer.status_code in (400, 404)


async def test_broadcasts_are_read_in_the_vendors_shape(here):
    draft = {**NEWS, "key": "draft", "tags": ["weekly"]}
    await here.define(draft, start=False)
    answer = (await here.workspace.call("GET", "/v1/broadcasts")).json()
    first, second = answer["broadcasts"]
    assert (first["id"], first["key"], first["type"]) == (here.ids["news"], "news", "triggered_broadcast")
    assert (first["state"], first["active"], first["lifecycle"], first["tags"]) == ("running", True, "running", None)
    assert first["first_started"] > 0
    assert first["deduplicate_id"] == f"{first['id']}:{first['updated']}"
    assert [action["type"] for action in first["actions"]] == ["email"]
    assert (second["state"], second["active"], second["first_started"]) == ("draft", False, 0)
    assert second["tags"] == ["weekly"]
    one = await here.workspace.call("GET", f"/v1/broadcasts/{first['id']}")
    assert one.json() == {"broadcast": first}
    assert (await here.workspace.call("GET", "/v1/broadcasts/99")).status_code == 404
    assert (await here.workspace.call("GET", "/v1/broadcasts/No!")).status_code == 400


async def test_triggers_are_listed_newest_first(here):
    for _ in range(3):
        await here.accepted()
    page = (await here.workspace.call("GET", "/v1/broadcasts/news/triggers", params={"limit": 2})).json()
    assert ([one["id"] for one in page["triggers"]], page["next"]) == ([3, 2], "2")
    assert {"id", "broadcast_id", "created_at", "processed_at"} <= set(page["triggers"][0])
    rest = await here.workspace.call("GET", "/v1/broadcasts/news/triggers", params={"start": page["next"]})
    assert ([one["id"] for one in rest.json()["triggers"]], rest.json()["next"]) == ([1], "")
