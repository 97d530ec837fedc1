"""The data index over HTTP (PPL-51, APP-22): what is seen, who uses it, what people say of it, an attribute purged."""

from __future__ import annotations

import csv
import io

import pytest

from api.management.data_index import DataNameAnswer, DataNames
from domain.definitions import read_definition
from tests.api.conftest import Keys
from tests.api.pipelines_source import make_source
from tests.support.working import apply_all, run_tasks

LETTER = {
    "kind": "campaign",
    "key": "letter",
    "name": "Letter",
    "trigger": {"type": "event", "event": "Bought"},
    "goal": {"event": "renewed"},
    "workflow": {
        "start": "hello",
        "blocks": {
            "hello": {
                "type": "email",
                "sending_state": "automatic",
                "message": {
                    "subject": "Hi {{ customer.first_name }}",
                    "body": '<p>{{ customer["favourite colour"] }} {{ event.price }}</p>',
                },
                "next": "mark",
            },
            "mark": {"type": "update_person", "set": {"greeted": True, "copy": {"from": "customer.nick"}}},
        },
    },
}
PAYING = {
    "kind": "segment",
    "key": "paying",
    "name": "Paying",
    "conditions": {"and": [{"attribute": {"field": "plan", "value": "pro"}}, {"performed": {"event": "vis*"}}]},
}
FRAME = {"kind": "layout", "key": "frame", "name": "Frame", "body": "<b>{{ customer.logo }}</b>{{ content }}"}


async def get(keys: Keys, path: str, status: int = 200, **params):
    answer = await keys.call("GET", f"/v1/data_index/{path}", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def define(keys: Keys, *documents) -> None:
    for document in documents:
        assert read_definition(document)[1] == []
    answer = await keys.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    assert answer.status_code == 200, answer.text


async def names(keys: Keys, what: str = "attributes", **params) -> list[str]:
    return [entry["name"] for entry in (await get(keys, what, **params))["names"]]


async def rows(keys: Keys, what: str, form: str) -> list[list[str]]:
    answer = await keys.call("GET", f"/v1/data_index/{what}", params={"format": form})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text)))


async def test_what_calls_bring_is_listed(workspace):
    await workspace.put("7", {"plan": "pro", "seats": 3, "email": "ann@example.com"})
    await workspace.put("8", {"plan": 5})
    await workspace.track("POST", "/api/v1/customers/7/events", {"name": "bought", "data": {"price": 3}})
    await workspace.track("POST", "/api/v1/customers/7/events", {"name": "/shop", "type": "page"})
    await workspace.put("8", {"plan": None})
    await apply_all(workspace.db)
    answer = await get(workspace, "attributes")
    DataNames.model_validate(answer)
    assert [entry["name"] for entry in answer["names"]] == ["email", "plan", "seats"]
    plan = answer["names"][1]
    assert (plan["types"], plan["seen"], plan["holders"]) == ({"string": 1, "number": 1}, 2, 1)
    assert plan["sources"] == [{"label": "Track API", "name": "Default", "seen": 2}]
    assert plan["first_seen"] == plan["last_seen"] is not None
    assert (answer["next"], answer["beyond"]) == ("", 0)
    listed = (await get(workspace, "events"))["names"]
    assert [(entry["kind"], entry["name"]) for entry in listed] == [("page", "/shop"), ("event", "bought")]
    assert await names(workspace, "events", type="event") == ["bought"]
    assert await names(workspace, "objects/1") == await names(workspace, "relationships/1") == []


async def test_pages_and_search(workspace):
    await workspace.put("7", dict.fromkeys(("alpha", "Beta", "beta_2", "gamma", "Ünder"), 1))
    await apply_all(workspace.db)
    assert await names(workspace, name="BETA") == ["Beta", "beta_2"]
    assert await names(workspace, name="ünd") == ["Ünder"]
    walked, start = [], ""
    while True:
        page = await get(workspace, "attributes", limit=2, start=start)
        walked += [entry["name"] for entry in page["names"]]
        start = page["next"]
        if not start:
            break
    assert walked == ["Beta", "alpha", "beta_2", "gamma", "Ünder"]
    await get(workspace, "attributes", 400, start="e30")
    await get(workspace, "attributes", 400, limit=0)


async def test_every_use_is_found(workspace):
    await define(workspace, LETTER, PAYING, FRAME)
    used = ["first_name", "favourite colour", "greeted", "nick", "plan", "logo", "copy"]
    await workspace.put("7", dict.fromkeys([*used, "price", "free"], 1))
    for name in ("bought", "Visited", "renewed", "other"):
        await workspace.track("POST", "/api/v1/customers/7/events", {"name": name})
    await apply_all(workspace.db)
    listed = {entry["name"]: entry["usage"] for entry in (await get(workspace, "attributes"))["names"]}
    places = {name: {kind for kind, count in usage.items() if count} for name, usage in listed.items()}
    campaign = {"campaigns"}
    assert places == {
        **dict.fromkeys(["first_name", "favourite colour", "greeted", "nick", "copy"], campaign),
        "plan": {"segments"},
        "logo": {"layouts"},
        "price": set(),
        "free": set(),
    }
    events = {entry["name"]: entry["usage"] for entry in (await get(workspace, "events"))["names"]}
    assert {name: (u["campaigns"], u["segments"]) for name, u in events.items()} == {
        "bought": (1, 0),
        "Visited": (0, 1),
        "renewed": (1, 0),
        "other": (0, 0),
    }
    one = await get(workspace, "attributes/first_name")
    DataNameAnswer.model_validate(one)
    (user,) = one["name"]["used_in"]
    assert (user["kind"], user["key"], user["name"]) == ("campaign", "letter", "Letter")
    assert user["pointer"] == "/workflow/blocks/hello/message/subject"
    assert await rows(workspace, "attributes", "usage_csv") == [
        ["Name", "Used In", "Usage Name", "Link"],
        *[[name, "campaign", "Letter", "/v1/definitions/campaign/letter"] for name in ("copy", "favourite colour")],
        *[[name, "campaign", "Letter", "/v1/definitions/campaign/letter"] for name in ("first_name", "greeted")],
        ["logo", "layout", "Frame", "/v1/definitions/layout/frame"],
        ["nick", "campaign", "Letter", "/v1/definitions/campaign/letter"],
        ["plan", "segment", "Paying", "/v1/definitions/segment/paying"],
    ]


async def test_one_name_says_what_happened_to_it_lately(workspace):
    for plan in range(7):
        await workspace.put("7", {"plan": plan, "n": plan})
        await workspace.track("POST", "/api/v1/customers/7/events", {"name": "tick", "data": {"n": plan}})
    await apply_all(workspace.db)
    plan = (await get(workspace, "attributes/plan"))["name"]
    changes = [change["data"]["plan"] for change in plan["latest_changes"]]
    assert changes == [{"from": n - 1, "to": n} for n in (6, 5, 4, 3, 2)]
    tick = (await get(workspace, "events/tick"))["name"]
    assert [change["data"] for change in tick["latest_changes"]] == [{"n": n} for n in (6, 5, 4, 3, 2)]
    for path in ("attributes/none", "events/plan", "attributes/tick", "attributes/a%00b"):
        await get(workspace, path, 404 if "%" not in path else 400)
    await get(workspace, "events/tick", 404, type="page")


async def test_files_have_the_documented_columns(workspace):
    await workspace.put("7", {"plan": 'a "quoted", value'})
    for n, person in enumerate(("7", "8", "7")):
        await workspace.track("POST", f"/api/v1/customers/{person}/events", {"name": "bought", "data": {"n": n}})
    await apply_all(workspace.db)
    at = str((await get(workspace, "attributes"))["names"][0]["last_seen"])
    assert await rows(workspace, "attributes", "csv") == [
        ["Name", "Campaigns", "Segments", "Newsletters", "People", "Last Updated"],
        ["plan", "0", "0", "0", "1", at],
    ]
    assert await rows(workspace, "events", "csv") == [
        ["Name", "Campaigns", "Segments", "People", "Last Received", "Last Data"],
        ["bought", "0", "0", "2", at, '{"n":2}'],
    ]


async def post(keys: Keys, what: str, body, status: int = 204):
    answer = await keys.call("POST", f"/v1/data_index/{what}", body)
    assert answer.status_code == status, answer.text
    return answer.json()["errors"][0]["detail"] if status != 204 else None


async def test_names_are_described(workspace):
    notes = [{"name": "plan", "description": "What they pay", "privacy_level": 1}, {"name": "city"}]
    await post(workspace, "attributes", {"attributes": notes})
    await post(
        workspace,
        "attributes",
        {"attributes": [{"name": "plan", "description": "x"}, {"name": "city", "privacy_level": 1}]},
    )
    await post(workspace, "events", {"events": [{"name": "bought", "description": "Money"}]})
    listed = (await get(workspace, "attributes"))["names"]
    said = [(entry["name"], entry["description"], entry["privacy_level"]) for entry in listed]
    assert said == [("city", "", 1), ("plan", "x", 1)]
    assert (await get(workspace, "events/bought"))["name"]["description"] == "Money"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"{", 400, "Invalid request format"),
        ([], 400, "Invalid request format"),
        ({"attributes": {}}, 400, "Invalid request format"),
        ({"attributes": [{"description": "x"}]}, 400, "Invalid request format"),
        ({"attributes": [{"name": "a", "privacy_level": 2}]}, 400, "Invalid request format"),
        ({"attributes": []}, 422, "At least one attribute is required"),
        (
            {"attributes": [{"name": str(n)} for n in range(101)]},
            422,
            "Can not update more than 100 attributes at once",
        ),
        (
            {"attributes": [{"name": "a", "description": "x" * 256}]},
            422,
            "Description can not be longer than 255 characters",
        ),
    ],
)
async def test_descriptions_that_make_no_sense(workspace, body, status, text):
    assert await post(workspace, "attributes", body, status) == text


async def test_the_same_of_events(workspace):
    assert await post(workspace, "events", {"events": []}, 422) == "At least one event is required"
    many = {"events": [{"name": str(n)} for n in range(101)]}
    assert await post(workspace, "events", many, 422) == "Can not update more than 100 events at once"


async def purge(keys: Keys, name: str, status: int = 202):
    answer = await keys.call("DELETE", f"/v1/data_index/attributes/{name}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_an_attribute_that_is_used_stays(workspace):
    await define(workspace, PAYING, LETTER)
    await workspace.put("7", {"plan": "pro", "unsubscribed": False, "first_name": "Ann", "email": "a@example.com"})
    await apply_all(workspace.db)
    (error,) = (await purge(workspace, "plan", 409))["errors"]
    assert (error["code"], error["referents"]) == (
        "in_use",
        [{"kind": "segment", "key": "paying", "pointer": "/conditions"}],
    )
    (error,) = (await purge(workspace, "first_name", 409))["errors"]
    assert error["referents"][0]["pointer"] == "/workflow/blocks/hello/message/subject"
    for name in ("unsubscribed", "email"):
        assert (await purge(workspace, name, 409))["errors"][0]["code"] == "in_use"
    await purge(workspace, "none", 404)


async def test_an_attribute_is_taken_from_everybody_and_out_of_the_index(workspace):
    for person in range(5):
        await workspace.put(str(person), {"shoe size": 40 + person, "plan": "pro"} if person else {"plan": "pro"})
    await apply_all(workspace.db)
    task = (await purge(workspace, "shoe%20size"))["task_id"]
    await run_tasks(workspace.db)
    await apply_all(workspace.db)
    done = (await workspace.call("GET", f"/v1/tasks/{task}")).json()
    assert (done["type"], done["state"], done["progress"]) == ("purge_attribute", "succeeded", {"done": 5, "total": 5})
    async with workspace.db.connection() as conn:
        left = await conn.fetch("SELECT attributes FROM people WHERE workspace_id = $1", workspace.id)
    assert [row["attributes"] for row in left] == [{"plan": "pro"}] * 5
    assert await names(workspace) == ["plan"]
    lines = await workspace.call("GET", "/v1/activities", params={"type": "attribute_change", "name": "shoe size"})
    assert lines.json()["activities"][0]["data"] == {"shoe size": {"from": 44, "to": None}}
    await workspace.put("9", {"shoe size": 39})
    await apply_all(workspace.db)
    assert [(e["name"], e["seen"], e["holders"]) for e in (await get(workspace, "attributes"))["names"]] == [
        ("plan", 5, 5),
        ("shoe size", 1, 1),
    ]


async def test_who_may_do_what(workspace):
    made = await workspace.http.post(
        f"/v1/workspaces/{workspace.id}/credentials",
        json={"kind": "app", "name": "reader", "scopes": ["read"]},
        headers=workspace.admin,
    )
    reader = {"Authorization": f"Bearer {made.json()['app_key']}"}
    for method, path in (("POST", "attributes"), ("POST", "events"), ("DELETE", "attributes/plan")):
        answer = await workspace.http.request(method, f"/v1/data_index/{path}", json={}, headers=reader)
        assert answer.status_code == 403
    assert (await workspace.http.get("/v1/data_index/attributes", headers=reader)).status_code == 200


async def test_pages_of_long_addresses_follow_each_other(workspace):
    urls = [f"https://example.com/{letter * 900}" for letter in "abc"]
    source = await make_source(workspace)
    for url in urls:
        await source.take("/v1/page", {"userId": "7", "properties": {"url": url}}, strict=True)
    await apply_all(workspace.db)
    found, start = [], ""
    for _ in urls:
        page = await get(workspace, "events", limit=1, start=start)
        found += [entry["name"] for entry in page["names"]]
        start = page["next"]
    assert (len(set(found)), start) == (3, "")
