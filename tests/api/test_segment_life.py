"""A segment's life over HTTP: archived and brought back, copied, deleted with all that hangs on it (PPL-29, PPL-40)."""

from __future__ import annotations

from typing import Any

import pytest

from api.management import schemas
from api.management import segment_shapes as shapes
from services import metrics
from tests.support.working import apply_all, run_tasks

PRO = {"kind": "segment", "key": "pro", "name": "Pro", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}
VIP = {"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"}
HAPPY = {"kind": "segment", "key": "happy", "name": "Happy", "conditions": {"segment": "pro"}}
RECENT = {
    "kind": "segment",
    "key": "recent",
    "name": "Recent",
    "conditions": {"performed": {"event": "buy", "within": "P30D"}},
}


def campaign(conditions: Any) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "segment", "conditions": conditions},
        "workflow": {"start": "a", "blocks": {"a": {"type": "time_delay", "duration": "P1D"}}},
    }


async def ask(workspace, method: str, path: str, body: Any = None, status: int = 200, **params: Any) -> Any:
    answer = await workspace.call(method, path, body, params=params)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def define(workspace, *documents: dict[str, Any]) -> None:
    await ask(workspace, "PUT", "/v1/definitions", {"definitions": list(documents)})
    await run_tasks(workspace.db)


async def verb(workspace, key: str, word: str, status: int = 200) -> Any:
    return await ask(workspace, "POST", f"/v1/segments/{key}/{word}", status=status)


async def refused(workspace, method: str, path: str, body: Any = None, status: int = 409) -> tuple[str, str]:
    (error,) = (await ask(workspace, method, path, body, status))["errors"]
    return error["code"], error["pointer"]


async def segment(workspace, key: str) -> dict[str, Any]:
    return (await ask(workspace, "GET", f"/v1/segments/{key}"))["segment"]


async def members(workspace, key: str) -> list[str]:
    return (await ask(workspace, "GET", f"/v1/segments/{key}/membership"))["ids"]


async def person(workspace, name: str, **attributes: Any) -> None:
    assert (await workspace.put(name, attributes)).status_code == 200
    await apply_all(workspace.db)


async def rows(workspace, query: str) -> list[dict[str, Any]]:
    async with workspace.db.connection() as conn:
        return [dict(record) for record in await conn.fetch(query, workspace.id)]


async def test_ppl_case_29_a_nested_segment(workspace):
    await define(workspace, PRO, VIP, HAPPY)
    nested = {**PRO, "conditions": {"and": [PRO["conditions"], {"segment": "vip"}]}}
    assert await refused(workspace, "PUT", "/v1/definitions/segment/pro", nested, 422) == (
        "nested_segment",
        "/conditions/and/1/segment",
    )
    answer = await ask(workspace, "DELETE", "/v1/definitions/segment/pro", status=409)
    (error,) = answer["errors"]
    assert (error["code"], error["referents"]) == (
        "in_use",
        [{"kind": "segment", "key": "happy", "pointer": "/conditions/segment"}],
    )
    await verb(workspace, "happy", "archive")
    await ask(workspace, "DELETE", "/v1/definitions/segment/pro", status=204)


async def test_ppl_case_29_a_trigger_needs_something_positive(workspace):
    await define(workspace, VIP)
    absent = {"segment": {"key": "vip", "inverse": True}}
    code, pointer = await refused(workspace, "PUT", "/v1/definitions/campaign/c", campaign(absent), 422)
    assert (code, pointer) == ("no_positive_condition", "/trigger/conditions")
    both = {"and": [{"attribute": {"field": "plan", "operator": "exists"}}, absent]}
    await ask(workspace, "PUT", "/v1/definitions/campaign/c", campaign(both), 201)


async def test_ppl_case_29_who_never_was_a_member_is_not_in_it(workspace):
    outside = {"and": [{"segment": {"key": "vip", "inverse": True}}]}
    await define(workspace, VIP, {**HAPPY, "key": "outside", "conditions": outside})
    await person(workspace, "ann")
    assert await members(workspace, "outside") == ["ann"]
    number = (await segment(workspace, "vip"))["id"]
    await workspace.track("POST", f"/api/v1/segments/{number}/add_customers", {"ids": ["ann"]})
    await apply_all(workspace.db)
    assert (await members(workspace, "outside"), await members(workspace, "vip")) == ([], ["ann"])


async def test_an_archived_segment_stays_as_it_was(workspace):
    await define(workspace, PRO, RECENT)
    await person(workspace, "ann", plan="pro")
    await person(workspace, "bob", plan="free")
    await workspace.track("POST", "/api/v1/customers/ann/events", {"name": "buy"})
    await apply_all(workspace.db)
    status = await verb(workspace, "pro", "archive")
    schemas.Status.model_validate(status)
    assert (status["key"], status["state"], status["revision"]) == ("pro", "archived", 1)
    await verb(workspace, "recent", "archive")
    await run_tasks(workspace.db)
    assert await rows(workspace, "SELECT 1 FROM memberships WHERE workspace_id = $1 AND flips_at IS NOT NULL") == []
    await person(workspace, "ann", plan="free")
    await person(workspace, "bob", plan="pro")
    shown = await segment(workspace, "pro")
    shapes.Segment.model_validate(shown)
    assert (shown["archived"], shown["lifecycle"], shown["state"], shown["members"]) == (
        True,
        "archived",
        "finished",
        1,
    )
    assert await members(workspace, "pro") == await members(workspace, "recent") == ["ann"]
    listed = (await ask(workspace, "GET", "/v1/segments"))["segments"]
    assert [one["archived"] for one in listed] == [True, True]
    record = await ask(workspace, "GET", "/v1/definitions/segment/pro")
    assert record["status"]["state"] == "archived"
    pages = await ask(workspace, "GET", "/v1/definitions/segment", state="archived")
    assert len(pages["definitions"]) == 2
    theirs = await ask(workspace, "GET", "/v1/customers/ann/segments")
    assert theirs["segments"] == []


async def test_an_archived_segment_is_brought_back_and_built(workspace):
    await define(workspace, PRO)
    await person(workspace, "ann", plan="pro")
    await person(workspace, "bob", plan="free")
    await verb(workspace, "pro", "archive")
    await person(workspace, "ann", plan="free")
    await person(workspace, "bob", plan="pro")
    assert await refused(workspace, "POST", "/v1/segments/pro/archive") == ("invalid_state", "")
    status = await verb(workspace, "pro", "unarchive")
    schemas.Status.model_validate(status)
    assert status["state"] == "building"
    task = await ask(workspace, "GET", f"/v1/tasks/{status['task_id']}")
    assert (task["type"], task["state"]) == ("segment_build", "queued")
    await run_tasks(workspace.db)
    assert await members(workspace, "pro") == ["bob"]
    shown = await segment(workspace, "pro")
    assert (shown["archived"], shown["lifecycle"], shown["members"]) == (False, "ready", 1)
    assert await refused(workspace, "POST", "/v1/segments/pro/unarchive") == ("invalid_state", "")
    for word in ("archive", "unarchive", "duplicate"):
        await verb(workspace, "nowhere", word, 404)


async def test_a_build_ends_with_the_segment(workspace):
    await person(workspace, "ann", plan="pro")
    await ask(workspace, "PUT", "/v1/definitions/segment/pro", PRO, 201)
    await verb(workspace, "pro", "archive")
    await run_tasks(workspace.db)
    tasks = (await ask(workspace, "GET", "/v1/tasks"))["tasks"]
    assert {task["type"]: task["state"] for task in tasks} == {
        "segment_build": "cancelled",
        "freeze_memberships": "succeeded",
    }
    assert (await segment(workspace, "pro"))["lifecycle"] == "archived"
    assert await members(workspace, "pro") == []


async def test_a_manual_segment_comes_back_with_its_members(workspace):
    await define(workspace, VIP, PRO)
    number = (await segment(workspace, "vip"))["id"]
    path = f"/api/v1/segments/{number}"
    await workspace.track("POST", f"{path}/add_customers", {"ids": ["ann", "bob"]})
    await apply_all(workspace.db)
    await workspace.track("POST", f"{path}/add_customers", {"ids": ["late"]})
    await verb(workspace, "vip", "archive")
    await apply_all(workspace.db)
    log = (await ask(workspace, "GET", "/v1/data_in"))["data_in"]
    (late,) = [entry for entry in log if "vip" in str(entry)]
    assert "The segment 'vip' is archived." in str(late)
    answer = await workspace.track("POST", f"{path}/add_customers", {"ids": ["carl"]})
    assert (answer.status_code, answer.json()["meta"]["error"]) == (400, "segment is archived")
    assert await refused(workspace, "POST", "/v1/segments/vip/clear") == ("invalid_state", "")
    request = {"name": "n", "type": "people", "identifier": "id", "data": "id\nann\n", "segment": "vip"}
    answer = await ask(workspace, "POST", "/v1/imports", {"import": request}, 422)
    assert (answer["errors"][0]["code"], answer["errors"][0]["pointer"]) == ("unknown_reference", "/import/segment")
    assert "archived" in answer["errors"][0]["message"]
    merge = {"primary": {"id": "new"}, "secondary": {"id": "bob"}}
    await person(workspace, "new")
    assert (await workspace.track("POST", "/api/v1/merge_customers", merge)).status_code == 200
    await apply_all(workspace.db)
    assert (await verb(workspace, "vip", "unarchive"))["state"] == "ready"
    assert sorted(await members(workspace, "vip")) == ["ann", "new"]
    assert (await segment(workspace, "vip"))["members"] == 2
    await workspace.track("POST", f"{path}/remove_customers", {"ids": ["ann"]})
    await apply_all(workspace.db)
    assert await members(workspace, "vip") == ["new"]


async def test_what_is_used_is_not_archived(workspace):
    await define(workspace, PRO, HAPPY, campaign({"segment": "pro"}))
    answer = await verb(workspace, "pro", "archive", 409)
    (error,) = answer["errors"]
    assert error["code"] == "in_use"
    assert {(one["kind"], one["key"], one["pointer"]) for one in error["referents"]} == {
        ("segment", "happy", "/conditions/segment"),
        ("campaign", "c", "/trigger/conditions/segment"),
    }
    await ask(workspace, "DELETE", "/v1/definitions/campaign/c", status=204)
    await verb(workspace, "pro", "archive", 409)
    await verb(workspace, "happy", "archive")
    await verb(workspace, "pro", "archive")
    used = (await ask(workspace, "GET", "/v1/segments/pro/used_by"))["used_by"]
    assert [(one["key"], one["state"]) for one in used["referents"]] == [("happy", "archived")]


async def test_an_archived_segment_can_neither_be_changed_nor_referred_to(workspace):
    await define(workspace, PRO)
    await verb(workspace, "pro", "archive")
    put = "/v1/definitions/segment/pro"
    assert await refused(workspace, "PUT", put, {**PRO, "name": "Other"}) == ("locked", "")
    assert (await ask(workspace, "PUT", put, PRO))["change"]["action"] == "unchanged"
    for ref in ("pro", (await segment(workspace, "pro"))["id"]):
        for document, pointer in (
            ({**HAPPY, "conditions": {"segment": ref}}, "/conditions/segment"),
            (campaign({"segment": ref}), "/trigger/conditions/segment"),
            (
                campaign({"attribute": {"field": "a", "value": 1}}) | {"goal": {"enters_segment": ref}},
                "/goal/enters_segment",
            ),
        ):
            path = f"/v1/definitions/{document['kind']}/{document['key']}"
            answer = await ask(workspace, "PUT", path, document, 422)
            (error,) = answer["errors"]
            assert (error["code"], error["pointer"]) == ("unknown_reference", pointer)
            assert "is archived: unarchive it first." in error["message"]
    report = await ask(workspace, "POST", "/v1/definitions/validate", HAPPY)
    assert report["valid"] is False


async def test_what_an_archived_segment_says_counts_only_once_it_is_back(workspace):
    await define(workspace, PRO, VIP, HAPPY)
    await verb(workspace, "happy", "archive")
    # Nothing that is kept up to date is made of it, so that it may be made of segments itself.
    await define(workspace, {**PRO, "conditions": {"segment": "vip"}})
    answer = await verb(workspace, "happy", "unarchive", 409)
    assert answer["errors"][0]["code"] == "invalid_state"
    await define(workspace, PRO)
    await verb(workspace, "pro", "archive")
    assert "is archived" in (await verb(workspace, "happy", "unarchive", 409))["errors"][0]["message"]
    await ask(workspace, "DELETE", "/v1/definitions/segment/pro", status=204)
    message = (await verb(workspace, "happy", "unarchive", 409))["errors"][0]["message"]
    assert "There is no segment 'pro'. (/conditions/segment)" in message
    await define(workspace, PRO)
    assert (await verb(workspace, "happy", "unarchive"))["state"] == "building"


async def test_a_copy_is_built(workspace):
    await define(workspace, {**PRO, "tags": ["money"], "description": "Who pays"}, VIP)
    await person(workspace, "ann", plan="pro")
    made = (await ask(workspace, "POST", "/v1/segments/pro/duplicate", status=201))["segment"]
    shapes.Segment.model_validate(made)
    kept = ("name", "key", "description", "tags", "lifecycle", "archived")
    assert tuple(made[name] for name in kept) == ("[COPY] Pro", "copy-pro", "Who pays", ["money"], "building", False)
    assert made["conditions"] == (await segment(workspace, "pro"))["conditions"]
    await run_tasks(workspace.db)
    assert await members(workspace, "copy-pro") == ["ann"]
    body = {"key": "mine", "name": "Mine"}
    made = (await ask(workspace, "POST", "/v1/segments/pro/duplicate", body, 201))["segment"]
    assert (made["key"], made["name"]) == ("mine", "Mine")
    await define(workspace, {**PRO, "key": "long", "name": "x" * 190})
    made = (await ask(workspace, "POST", "/v1/segments/long/duplicate", status=201))["segment"]
    assert made["name"] == "[COPY] " + "x" * 183
    await verb(workspace, "vip", "duplicate", 409)
    await verb(workspace, "mine", "archive")
    await verb(workspace, "mine", "duplicate", 409)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"key": "pro"}, ("duplicate", "/key")),
        ({"key": "No"}, ("format", "/key")),
        ({"name": ""}, ("length", "/name")),
        ({"name": "x" * 191}, ("length", "/name")),
        ({"name": 5}, ("type", "/name")),
        ({"colour": "red"}, ("unknown_field", "/colour")),
        ([], ("type", "")),
    ],
)
async def test_what_a_copy_may_say(workspace, body, problem):
    await define(workspace, PRO)
    assert await refused(workspace, "POST", "/v1/segments/pro/duplicate", body, 422) == problem


async def test_a_segment_is_built_again(workspace):
    await define(workspace, PRO, VIP)
    await person(workspace, "ann", plan="pro")
    async with workspace.db.transaction() as conn:
        await conn.execute(
            "UPDATE definitions SET state = 'unbuilt' WHERE workspace_id = $1 AND key = 'pro'", workspace.id
        )
        await conn.execute("DELETE FROM memberships WHERE workspace_id = $1", workspace.id)
    shown = await segment(workspace, "pro")
    assert (shown["state"], shown["lifecycle"], shown["progress"]) == ("build_queued", "unbuilt", None)
    task = await verb(workspace, "pro", "rebuild", 202)
    schemas.Task.model_validate(task)
    assert task["type"] == "segment_build"
    assert (await segment(workspace, "pro"))["lifecycle"] == "building"
    assert await refused(workspace, "POST", "/v1/segments/pro/rebuild") == ("invalid_state", "")
    await run_tasks(workspace.db)
    assert (await segment(workspace, "pro"))["lifecycle"] == "ready"
    assert await members(workspace, "pro") == ["ann"]
    await verb(workspace, "pro", "archive")
    for key, status in (("vip", 409), ("pro", 409), ("nowhere", 404)):
        await verb(workspace, key, "rebuild", status)


async def test_what_is_deleted_leaves_nothing_behind(workspace):
    await define(workspace, PRO, VIP)
    for name in ("ann", "bob"):
        await person(workspace, name, plan="pro")
    await metrics.fold_once(workspace.db)
    await person(workspace, "carl", plan="pro")
    await ask(workspace, "DELETE", "/v1/definitions/segment/pro", status=204)
    await run_tasks(workspace.db)
    (task,) = [t for t in (await ask(workspace, "GET", "/v1/tasks"))["tasks"] if t["type"] == "purge_memberships"]
    assert (task["state"], task["progress"]) == ("succeeded", {"done": 3, "total": 3})
    assert await rows(workspace, "SELECT 1 FROM memberships WHERE workspace_id = $1") == []
    for table in ("metric_totals", "metric_deltas"):
        assert await rows(workspace, f"SELECT 1 FROM {table} WHERE workspace_id = $1 AND kind = 'segment'") == []


async def test_scopes(workspace):
    await define(workspace, PRO)
    path, body = f"/v1/workspaces/{workspace.id}/credentials", {"kind": "app", "name": "n", "scopes": ["read"]}
    made = (await workspace.call("POST", path, body, headers=workspace.admin)).json()
    reader = {"Authorization": f"Bearer {made['app_key']}"}
    for word in ("archive", "unarchive", "duplicate", "rebuild"):
        answer = await workspace.call("POST", f"/v1/segments/pro/{word}", headers=reader)
        assert answer.status_code == 403
