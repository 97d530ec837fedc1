"""Segments over HTTP: read, made, deleted, emptied, filled with the Track API (APP-11, API-11)."""

from __future__ import annotations

from typing import Any

import pytest

from api.management import segments as shapes
from clock import system_now
from domain.ids import cio_id
from ingest.apply import Applier
from ingest.catalog import Catalogs
from services.definition_making import free_key
from store.notify import Notifier
from tests.support.working import run_tasks

PAYING = {
    "kind": "segment",
    "key": "paying",
    "name": "Paying",
    "tags": ["money"],
    "conditions": {"attribute": {"field": "plan", "value": "pro"}},
}
VIP = {"kind": "segment", "key": "vip", "name": "VIP", "description": "By hand", "type": "manual"}
ON_VIP = {
    "kind": "campaign",
    "key": "on-vip",
    "name": "On VIP",
    "trigger": {"type": "segment", "conditions": {"segment": "vip"}},
    "workflow": {"start": "a", "blocks": {"a": {"type": "time_delay", "duration": "P1D"}}},
}
HAPPY = {**PAYING, "key": "happy", "name": "Happy", "conditions": {"segment": "vip"}}


async def get(workspace, path: str, status: int = 200, **params: Any) -> Any:
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def define(workspace, *documents: dict[str, Any]) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    assert answer.status_code == 200, answer.text


async def number(workspace, key: str = "vip") -> int:
    return (await get(workspace, f"/v1/segments/{key}"))["segment"]["id"]


async def applied(workspace) -> None:
    applier = Applier(workspace.db, Catalogs(), Notifier(workspace.db.pool))
    while await applier.apply_once(system_now()):
        pass


async def put(workspace, *people: str, word: str = "add", status: int = 200, **params: Any) -> Any:
    path = f"/api/v1/segments/{await number(workspace)}/{word}_customers"
    answer = await workspace.track("POST", path, {"ids": list(people)}, params=params)
    assert answer.status_code == status, answer.text
    await applied(workspace)
    return answer.json()


def code(answer: Any) -> tuple[int, str, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["code"], error["pointer"]


async def test_a_manual_segment_is_made_read_and_deleted(workspace):
    body = {"segment": {"name": "  Beta testers ", "description": "Who asked for it"}}
    answer = await workspace.call("POST", "/v1/segments", body)
    assert answer.status_code == 200, answer.text
    shapes.SegmentAnswer.model_validate(answer.json())
    made = answer.json()["segment"]
    assert made | {"created_at": 0, "updated_at": 0, "deduplicate_id": ""} == {
        "id": made["id"],
        "deduplicate_id": "",
        "key": "beta-testers",
        "name": "Beta testers",
        "description": "Who asked for it",
        "state": "finished",
        "lifecycle": "ready",
        "archived": False,
        "progress": None,
        "build": None,
        "type": "manual",
        "conditions": None,
        "members": 0,
        "tags": None,
        "created_at": 0,
        "updated_at": 0,
    }
    assert made["deduplicate_id"] == f"{made['id']}:{made['updated_at']}"
    second = (await workspace.call("POST", "/v1/segments", {"segment": {"name": "Beta testers"}})).json()["segment"]
    assert (second["key"], second["id"], second["description"]) == ("beta-testers-2", made["id"] + 1, "")
    assert await get(workspace, f"/v1/segments/{made['id']}") == {"segment": made}
    assert await get(workspace, "/v1/segments/beta-testers") == {"segment": made}
    assert [segment["id"] for segment in (await get(workspace, "/v1/segments"))["segments"]] == [
        made["id"],
        second["id"],
    ]
    answer = await workspace.call("DELETE", f"/v1/segments/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    await get(workspace, f"/v1/segments/{made['id']}", 404)
    assert (await workspace.call("DELETE", f"/v1/segments/{made['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/segment"),
        ([], "/segment"),
        ({"segment": "x"}, "/segment"),
        ({"segment": {}}, "/segment/name"),
        ({"segment": {"name": "  "}}, "/segment/name"),
        ({"segment": {"name": 5}}, "/segment/name"),
        ({"segment": {"name": "x" * 191}}, "/segment/name"),
        ({"segment": {"name": "x", "description": 5}}, "/segment/description"),
        ({"segment": {"name": "x", "conditions": {"attribute": {"field": "a", "value": 1}}}}, "/segment/conditions"),
        ({"segment": {"name": "x", "tags": ["a"]}}, "/segment/tags"),
        ({"segment": {"name": "x"}, "name": "y"}, "/name"),
    ],
)
async def test_what_a_new_segment_must_say(workspace, body, pointer):
    answer = await workspace.call("POST", "/v1/segments", body)
    assert code(answer) == (400, "invalid_parameter", pointer)
    assert await get(workspace, "/v1/segments") == {"segments": []}


async def test_states_and_progress(workspace):
    await define(workspace, PAYING, VIP)
    paying, vip = (await get(workspace, "/v1/segments"))["segments"]
    shapes.Segments.model_validate({"segments": [paying, vip]})
    assert (paying["state"], paying["progress"], paying["tags"], paying["type"]) == ("build", 0, ["money"], "dynamic")
    assert (vip["state"], vip["progress"], vip["tags"], vip["description"]) == ("finished", None, None, "By hand")
    assert (paying["lifecycle"], vip["lifecycle"]) == ("building", "ready")
    assert (paying["conditions"]["attribute"]["field"], vip["conditions"]) == ("plan", None)
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE tasks SET done = 50, total = 200 WHERE workspace_id = $1", workspace.id)
    paying = (await get(workspace, "/v1/segments/paying"))["segment"]
    shapes.Segments.model_validate({"segments": [paying]})
    assert paying["progress"] == 25
    assert (paying["build"]["state"], paying["build"]["done"], paying["build"]["total"]) == ("queued", 50, 200)


async def test_a_segment_names_the_task_that_builds_it(workspace):
    await define(workspace, PAYING, VIP)
    paying = (await get(workspace, "/v1/segments/paying"))["segment"]
    task = paying["build"]["task_id"]
    assert (await get(workspace, f"/v1/tasks/{task}"))["about"] == {"kind": "segment", "id": paying["id"]}
    assert (await workspace.call("POST", f"/v1/tasks/{task}/cancel")).status_code == 200
    broken = (await get(workspace, "/v1/segments/paying"))["segment"]
    assert (broken["lifecycle"], broken["build"]["state"], broken["build"]["task_id"]) == ("unbuilt", "cancelled", task)
    again = (await workspace.call("POST", "/v1/segments/paying/rebuild")).json()["id"]
    paying, vip = (await get(workspace, "/v1/segments"))["segments"]
    assert (paying["build"]["task_id"], vip["build"]) == (again, None)
    await run_tasks(workspace.db)
    assert (await get(workspace, "/v1/segments/paying"))["segment"]["build"] is None


async def test_ppl_40_what_is_used_or_has_conditions_is_not_deleted(workspace):
    await define(workspace, VIP, PAYING, HAPPY, ON_VIP)
    answer = await workspace.call("DELETE", "/v1/segments/vip")
    assert code(answer) == (400, "invalid_parameter", "")
    referents = answer.json()["errors"][0]["referents"]
    assert {(referent["kind"], referent["key"]) for referent in referents} == {
        ("campaign", "on-vip"),
        ("segment", "happy"),
    }
    assert code(await workspace.call("DELETE", "/v1/segments/paying")) == (400, "invalid_parameter", "")
    answer = await workspace.call("DELETE", "/v1/definitions/segment/vip")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "in_use")
    used = await get(workspace, "/v1/segments/vip/used_by")
    shapes.UsedBy.model_validate(used)
    campaign = (await workspace.call("GET", "/v1/definitions/campaign/on-vip")).json()["status"]["id"]
    happy = await number(workspace, "happy")
    assert used == {
        "segment_id": await number(workspace),
        "used_by": {
            "campaigns": [campaign],
            "broadcasts": [],
            "segments": [happy],
            "forms": [],
            "sent_newsletters": [],
            "draft_newsletters": [],
            "referents": [
                {
                    "kind": "campaign",
                    "key": "on-vip",
                    "id": campaign,
                    "name": "On VIP",
                    "pointer": "/trigger/conditions/segment",
                    "state": "draft",
                },
                {
                    "kind": "segment",
                    "key": "happy",
                    "id": happy,
                    "name": "Happy",
                    "pointer": "/conditions/segment",
                    "state": "building",
                },
            ],
        },
    }
    nobody = (await get(workspace, "/v1/segments/paying/used_by"))["used_by"]
    assert (nobody["campaigns"], nobody["referents"]) == ([], [])


async def test_members_in_pages(workspace):
    await define(workspace, VIP)
    await put(workspace, *[str(n) for n in range(5)])
    await put(workspace, "lead@x.io", id_type="email")
    assert await get(workspace, "/v1/segments/vip/customer_count") == {"count": 6}
    first = await get(workspace, "/v1/segments/vip/membership", limit=4)
    shapes.Membership.model_validate(first)
    assert first["ids"] == ["0", "1", "2", "3"]
    rest = await get(workspace, "/v1/segments/vip/membership", start=first["next"], limit=100_000)
    assert (rest["ids"], rest["next"]) == (["4", ""], "")
    lead = rest["identifiers"][1]
    assert lead.pop("since") > 0
    async with workspace.db.connection() as conn:
        person = await conn.fetchval(
            "SELECT person_id FROM people WHERE workspace_id = $1 AND email = 'lead@x.io'", workspace.id
        )
    assert lead == {"cio_id": cio_id(person), "id": None, "email": "lead@x.io"}
    assert (await get(workspace, "/v1/segments/vip/membership", limit=0))["ids"] == ["0"]
    await get(workspace, "/v1/segments/vip/membership", 400, start="zzz")
    for path in ("membership", "customer_count", "used_by"):
        await get(workspace, f"/v1/segments/nowhere/{path}", 404)


async def test_api_case_39_who_may_be_added(workspace):
    await define(workspace, VIP, PAYING)
    refused = await put(workspace, *[str(n) for n in range(1001)], status=400)
    assert refused["meta"]["errors"] == ["ids cannot hold more than 1000 entries"]
    assert await put(workspace, "a@x", "7", id_type="email") == {}
    members = await get(workspace, "/v1/segments/vip/membership")
    assert [(member["id"], member["email"]) for member in members["identifiers"]] == [(None, "a@x")]
    path = f"/api/v1/segments/{await number(workspace, 'paying')}/add_customers"
    answer = await workspace.track("POST", path, {"ids": ["7"]})
    assert (answer.status_code, answer.json()["meta"]["error"]) == (400, "segment is not a manual segment")
    await put(workspace, "a@x", "nobody@x", word="remove", id_type="email")
    assert await get(workspace, "/v1/segments/vip/customer_count") == {"count": 0}


async def test_clearing_answers_with_a_task(workspace):
    await define(workspace, VIP, PAYING)
    await put(workspace, "1", "2")
    answer = await workspace.call("POST", "/v1/segments/vip/clear")
    assert answer.status_code == 202, answer.text
    task = answer.json()
    assert (task["type"], task["progress"]) == ("segment_clear", {"done": 0, "total": 2})
    assert (await get(workspace, f"/v1/tasks/{task['id']}"))["type"] == "segment_clear"
    answer = await workspace.call("POST", "/v1/segments/vip/clear", {"update_campaign_journeys": True})
    assert answer.status_code == 202
    assert code(await workspace.call("POST", "/v1/segments/paying/clear", {})) == (409, "invalid_state", "")
    assert (await workspace.call("POST", "/v1/segments/nowhere/clear", {})).status_code == 404


@pytest.mark.parametrize(
    ("body", "problem", "pointer"),
    [
        ([], "type", ""),
        ({"update_campaign_journeys": "yes"}, "type", "/update_campaign_journeys"),
        ({"update/journeys": True}, "unknown_field", "/update~1journeys"),
    ],
)
async def test_what_a_clearing_may_say(workspace, body, problem, pointer):
    await define(workspace, VIP)
    assert code(await workspace.call("POST", "/v1/segments/vip/clear", body)) == (422, problem, pointer)


@pytest.mark.parametrize(
    ("named", "taken", "key"),
    [
        ("Beta testers", set(), "beta-testers"),
        ("  Ünïcödé -- Näme!", set(), "unicode-name"),
        ("2026 leads", set(), "segment-2026-leads"),
        ("日本", set(), "segment"),
        ("a", {"a", "a-2"}, "a-3"),
        ("x" * 80, set(), "x" * 64),
        ("x" * 80, {"x" * 64}, "x" * 62 + "-2"),
    ],
)
def test_keys_read_like_names(named, taken, key):
    assert free_key("segment", named, taken) == key
