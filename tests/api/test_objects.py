"""Object types, objects, relationships and devices over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from api.management import objects as shapes
from api.management import shapes as people_shapes
from clock import system_now
from ingest.apply import Applier
from ingest.catalog import Catalogs
from store.notify import Notifier
from tests.api.conftest import Keys

ACCOUNT = {"name": "Accounts", "singular_name": "Account"}


async def settle(workspace: Keys) -> None:
    applier = Applier(workspace.db, Catalogs(), Notifier(workspace.db.pool))
    while await applier.apply_once(system_now()):
        pass


async def entity(workspace: Keys, **body: Any) -> None:
    answer = await workspace.track("POST", "/api/v2/entity", body)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text


async def put(workspace: Keys, object_id: str, *people: str, **attributes: Any) -> None:
    await entity(
        workspace,
        type="object",
        action="identify",
        identifiers={"object_type_id": "1", "object_id": object_id},
        attributes=attributes,
        cio_relationships=[{"identifiers": {"id": who}, "relationship_attributes": {"seat": 1}} for who in people],
    )


async def get(workspace: Keys, path: str, status: int = 200, **params: Any) -> Any:
    answer = await workspace.call("GET", path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def find(workspace: Keys, filtered: Any, status: int = 200, kind: Any = "1", **params: Any) -> Any:
    body = {"object_type_id": kind, "filter": filtered}
    answer = await workspace.call("POST", "/v1/objects", body, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


def has(field: str, value: Any = None, kind: str = "1") -> dict[str, Any]:
    test = {"operator": "exists"} if value is None else {"operator": "eq", "value": value}
    return {"object_attribute": {"field": field, "type_id": kind, **test}}


@pytest.fixture
async def here(workspace: Keys) -> Keys:
    answer = await workspace.call("PUT", "/v1/definitions/object_type/account", ACCOUNT)
    assert answer.status_code == 201, answer.text
    return workspace


async def test_api_case_21_an_object_with_two_people(here: Keys):
    await put(here, "acme", "1", "2", name="Acme", seats=3, tags=["a"])
    await settle(here)
    answer = await get(here, "/v1/objects/1/acme/attributes")
    shapes.ObjectAnswer.model_validate(answer)
    assert answer["object"]["attributes"] == {"name": "Acme", "seats": "3", "tags": '["a"]'}
    assert set(answer["object"]["timestamps"]) == {"name", "seats", "tags"}
    given = answer["object"]["identifiers"]["cio_object_id"]
    assert await get(here, f"/v1/objects/1/{given}/attributes", id_type="cio_object_id") == answer
    related = await get(here, "/v1/objects/1/acme/relationships")
    shapes.RelatedPeople.model_validate(related)
    assert [row["identifiers"]["id"] for row in related["cio_relationships"]] == ["1", "2"]
    assert {row["object_type_disabled"] for row in related["cio_relationships"]} == {False}
    await put(here, "acme", name="")
    await settle(here)
    assert "name" not in (await get(here, "/v1/objects/1/acme/attributes"))["object"]["attributes"]
    await entity(here, type="object", action="delete", identifiers={"object_type_id": "1", "object_id": "acme"})
    await settle(here)
    await get(here, "/v1/objects/1/acme/attributes", 404)
    assert (await get(here, "/v1/customers/1/relationships"))["cio_relationships"] == []


async def test_what_somebody_belongs_to_in_pages(here: Keys):
    for name in ("a", "b", "c"):
        await put(here, name, "7")
    await settle(here)
    first = await get(here, "/v1/customers/7/relationships", limit=2)
    people_shapes.RelatedObjects.model_validate(first)
    assert [row["identifiers"]["object_id"] for row in first["cio_relationships"]] == ["a", "b"]
    assert first["cio_relationships"][0]["attributes"] == {"seat": "1"}
    assert first["cio_relationships"][0]["timestamps"]["seat"] > 0
    rest = await get(here, "/v1/customers/7/relationships", limit=2, start=first["next"])
    assert ([row["identifiers"]["object_id"] for row in rest["cio_relationships"]], rest["next"]) == (["c"], "")
    await get(here, "/v1/customers/8/relationships", 404)
    await get(here, "/v1/customers/7/relationships", 400, start="nonsense")
    people = await get(here, "/v1/objects/1/a/relationships", limit=0)
    assert len(people["cio_relationships"]) == 1


async def test_types_are_listed_and_calls_make_more(here: Keys):
    await put(here, "acme")
    await entity(
        here,
        type="object",
        action="identify",
        identifiers={"object_type_id": "5", "object_id": "x"},
        attributes={},
    )
    await settle(here)
    answer = await get(here, "/v1/object_types")
    shapes.ObjectTypes.model_validate(answer)
    assert [(t["id"], t["name"], t["slug"], t["enabled"]) for t in answer["types"]] == [
        ("1", "Accounts", "accounts", True),
        ("5", "Falcons", "falcons", False),
    ]
    record = await get(here, "/v1/definitions/object_type/falcon")
    assert (record["status"]["id"], record["definition"]["object_type_id"]) == (5, 5)
    renamed = {**record["definition"], "name": "Teams", "slug": "teams", "enabled": True}
    answer = await here.call("PUT", "/v1/definitions/object_type/falcon", renamed)
    assert answer.json()["change"]["action"] == "update"
    again = await here.call("PUT", "/v1/definitions/object_type/falcon", {**renamed, "object_type_id": 6})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "immutable")


async def test_an_unchanged_type_is_unchanged_with_and_without_its_number(here: Keys):
    for body in (ACCOUNT, {**ACCOUNT, "object_type_id": 1}):
        answer = (await here.call("PUT", "/v1/definitions/object_type/account", body)).json()
        assert (answer["change"]["action"], answer["status"]["id"]) == ("unchanged", 1)
    report = await here.call(
        "POST", "/v1/definitions/validate", {"kind": "object_type", "key": "b", **ACCOUNT, "object_type_id": 1}
    )
    assert {error["code"] for error in report.json()["errors"]} == {"duplicate"}


async def test_objects_are_found_by_their_attributes(here: Keys):
    for number in range(5):
        await put(here, f"o{number}", plan="pro" if number % 2 else "Free", size=number)
    await put(here, "bare")
    await settle(here)
    answer = await find(here, has("plan", "PRO"))
    shapes.FoundObjects.model_validate(answer)
    assert (answer["ids"], answer["next"]) == (["o1", "o3"], "")
    assert [row["object_id"] for row in answer["identifiers"]] == ["o1", "o3"]
    assert (await find(here, {"not": has("plan")}))["ids"] == ["bare"]
    assert (await find(here, {"and": [has("plan", "free"), {"or": [has("size", 0), has("size", "4")]}]}))["ids"] == [
        "o0",
        "o4",
    ]
    assert (await find(here, has("object_id", "bare")))["ids"] == ["bare"]
    found, start = [], ""
    for _ in range(3):
        page = await find(here, has("plan"), limit=2, start=start)
        found += page["ids"]
        start = page["next"]
    assert (found, start) == (["o0", "o1", "o2", "o3", "o4"], "")


@pytest.mark.parametrize(
    ("filtered", "pointer"),
    [
        ([], "/filter"),
        ({}, "/filter"),
        ({"attribute": {"field": "plan", "operator": "exists"}}, "/filter"),
        ({"and": []}, "/filter/and"),
        ({"object_attribute": {"field": "plan", "operator": "gt", "value": 1, "type_id": "1"}}, "operator"),
        ({"object_attribute": {"field": "plan", "operator": "eq", "type_id": "1"}}, "value"),
        ({"object_attribute": {"field": "plan", "operator": "exists", "type_id": "2"}}, "type_id"),
        ({"object_attribute": {"operator": "exists", "type_id": "1"}}, "field"),
        ({"not": {"object_attribute": []}}, "/filter/not/object_attribute"),
    ],
)
async def test_a_filter_that_is_none_is_refused(here: Keys, filtered: Any, pointer: str):
    answer = await find(here, filtered, 400)
    assert pointer in answer["errors"][0]["pointer"], answer


async def test_what_is_not_there_is_not_found(here: Keys):
    assert (await find(here, has("a", kind="9"), 404, kind="9"))["errors"][0]["code"] == "not_found"
    for body in ([], {}, {"object_type_id": "x", "filter": {}}, {"object_type_id": "1"}, {"other": 1}):
        assert (await here.call("POST", "/v1/objects", body)).status_code == 400
    for path in ("9/a", "x/a", "1/a", "99999999999/a"):
        await get(here, f"/v1/objects/{path}/attributes", 404)
        await get(here, f"/v1/objects/{path}/relationships", 404)
    await get(here, "/v1/objects/1/a/attributes", 400, id_type="name")


async def test_devices_are_shown_with_their_person(here: Keys):
    device = {"id": "t1", "platform": "ios", "last_used": 1_700_000_000, "attributes": {"push_enabled": True}}
    assert (await here.track("PUT", "/api/v1/customers/7/devices", {"device": device})).status_code == 200
    await entity(
        here,
        type="person",
        action="add_device",
        identifiers={"id": "7"},
        device={"token": "t2", "platform": "android", "last_used": 1_700_000_005},
    )
    await here.put("8", {"plan": "pro"})
    await settle(here)
    shown = (await get(here, "/v1/customers/7/attributes"))["customer"]["devices"]
    assert shown == [
        {"id": "t2", "platform": "android", "last_used": 1_700_000_005, "attributes": {"_last_status": ""}},
        {
            "id": "t1",
            "platform": "ios",
            "last_used": 1_700_000_000,
            "attributes": {"_last_status": "", "push_enabled": "true"},
        },
    ]
    answer = (await here.call("POST", "/v1/customers/attributes", {"ids": ["8", "nobody", "7", "8"]})).json()
    people_shapes.PeopleAnswer.model_validate(answer)
    assert [c["customer"]["id"] for c in answer["customers"]] == ["8", "7"]
    assert answer["customers"][1]["customer"]["devices"] == shown
    assert answer["customers"][0]["customer"]["attributes"]["plan"] == "pro"


async def test_an_operator_takes_a_device_away(here: Keys):
    for token in ("t/1", "t2"):
        body = {"device": {"id": token, "platform": "ios"}}
        assert (await here.track("PUT", "/v1/customers/7/devices", body)).status_code == 200
    await settle(here)
    assert (await here.call("DELETE", "/v1/customers/7/devices/t%2F1")).status_code == 204
    await settle(here)
    shown = (await get(here, "/v1/customers/7/attributes"))["customer"]["devices"]
    assert [device["id"] for device in shown] == ["t2"]
    last = (await here.log())[-1]
    assert (last["source"], last["op"]) == ("API", "delete_device")
    missing = await here.call("DELETE", "/v1/customers/8/devices/t2")
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "not_found")
    # The same path is Track's, with its own credentials and words.
    assert (await here.track("DELETE", "/v1/customers/7/devices/t2")).json() == {}
    for headers in ({}, {"Authorization": "Basic " + base64.b64encode(b"no:no").decode()}):
        refused = await here.http.delete("/v1/customers/7/devices/t2", headers=headers)
        assert (refused.status_code, "meta" in refused.json()) == (401, True)
    refused = await here.http.delete("/v1/customers/7/devices/t2", headers={"Authorization": "Bearer no"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("body", [[], {}, {"ids": []}, {"ids": [1]}, {"ids": "7"}, {"ids": ["x"] * 101}])
async def test_people_are_asked_for_by_a_list_of_names(here: Keys, body: Any):
    answer = await here.call("POST", "/v1/customers/attributes", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/ids")
    by_phone = await here.call("POST", "/v1/customers/attributes", {"ids": ["1"]}, params={"id_type": "phone"})
    assert by_phone.status_code == 400
