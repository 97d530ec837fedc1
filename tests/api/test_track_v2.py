"""Track v2 over real HTTP: entities and batches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys

ENTITY = "/api/v2/entity"
BATCH = "/api/v2/batch"
IDENTIFY = {"type": "person", "action": "identify", "identifiers": {"id": "7"}, "attributes": {"plan": "pro"}}
EVENT = {"type": "person", "action": "event", "identifiers": {"email": "a@x.io"}, "name": " bought ", "id": "e1"}


async def test_identify_and_event(workspace: Keys) -> None:
    for body in ({**IDENTIFY, "timestamp": 1_700_000_000}, {**EVENT, "attributes": {"price": 2}}):
        answer = await workspace.track("POST", ENTITY, body)
        assert (answer.status_code, answer.content) == (200, b"{}")
    identify, event = await workspace.log()
    assert (identify["attributes"], identify["timestamp"]) == ({"plan": "pro"}, 1_700_000_000)
    assert event["subject"] == {"kind": "email", "value": "a@x.io"}
    assert (event["name"], event["data"], event["event_id"]) == ("bought", {"price": 2}, "e1")


@pytest.mark.parametrize("action", ["page", "screen"])
async def test_pages_and_screens(workspace: Keys, action: str) -> None:
    assert (await workspace.track("POST", ENTITY, {**EVENT, "action": action})).status_code == 200
    assert [row["type"] for row in await workspace.log()] == [action]


@pytest.mark.parametrize("path", ["/v2/batch", "/v2/batch/", "/api/v2//batch", "/api/v2/batch/"])
async def test_spellings(workspace: Keys, path: str) -> None:
    assert (await workspace.track("POST", path, {"batch": [IDENTIFY]})).status_code == 200
    assert len(await workspace.log()) == 1


@pytest.mark.parametrize(
    ("change", "reason", "field", "message"),
    [
        ({"type": None}, "required", "type", "type must be present"),
        ({"action": ""}, "required", "action", "action must be present"),
        ({"type": "thing"}, "unknown_action", "action", "'thing' 'identify' is not supported"),
        ({"action": "dance"}, "unknown_action", "action", "'person' 'dance' is not supported"),
        ({"type": "delivery"}, "unknown_action", "action", "'delivery' 'identify' is not supported"),
        ({"action": ["x"]}, "unknown_action", "action", "this type and action is not supported"),
        ({"identifiers": None}, "required", "identifiers", "id attribute must be present"),
        ({"identifiers": "7"}, "invalid", "identifiers", "identifiers must be a hash"),
        ({"identifiers": {"id": 7}}, "invalid", "identifiers.id", "id attribute must be a string value"),
        ({"identifiers": {"id": ""}}, "required", "identifiers.id", "id attribute cannot be an empty string"),
        ({"identifiers": {"email": "no"}}, "invalid", "identifiers.email", "email is not a valid address"),
        ({"attributes": []}, "invalid", "attributes", "attributes must be a hash"),
        ({"timestamp": "soon"}, "invalid", "timestamp", "timestamp must be a Unix timestamp in seconds"),
    ],
)
async def test_refusals(workspace: Keys, change: dict[str, Any], reason: str, field: str, message: str) -> None:
    answer = await workspace.track("POST", ENTITY, {**IDENTIFY, **change})
    assert answer.status_code == 400
    assert answer.json() == {"errors": [{"reason": reason, "field": field, "message": message}]}
    assert await workspace.log() == []


@pytest.mark.parametrize("action", ["event", "page", "screen"])
async def test_api_case_22_events_of_an_anonymous_id(workspace: Keys, action: str) -> None:
    body = {**EVENT, "action": action, "identifiers": {"anonymous_id": "a9"}, "attributes": {"price": 2}}
    assert (await workspace.track("POST", ENTITY, body)).content == b"{}"
    (row,) = await workspace.log()
    assert (row["op"], row["anonymous_id"], row["name"]) == ("anonymous_event", "a9", "bought")
    assert (row.get("type", "event"), row["data"], row["event_id"]) == (action, {"price": 2}, "e1")


async def test_identify_binds_an_anonymous_id(workspace: Keys) -> None:
    for body in (
        {**IDENTIFY, "attributes": {"anonymous_id": "a1", "plan": "pro"}},
        {**IDENTIFY, "identifiers": {"id": "7", "anonymous_id": "a1"}},
    ):
        assert (await workspace.track("POST", ENTITY, body)).status_code == 200
    log = await workspace.log()
    assert [row["op"] for row in log] == ["identify", "bind_anonymous"] * 2
    assert {row["anonymous_id"] for row in log[1::2]} == {"a1"}
    assert {str(row["attributes"]) for row in log[::2]} == {"{'plan': 'pro'}"}


async def test_identify_adds_relationships(workspace: Keys) -> None:
    related = [{"identifiers": {"object_type_id": 3, "object_id": "acme"}, "relationship_attributes": {"role": None}}]
    assert (await workspace.track("POST", ENTITY, {**IDENTIFY, "cio_relationships": related})).status_code == 200
    _, relate = await workspace.log()
    assert relate["existing_people"] is True
    assert relate["edges"][0]["object"] == {"object_type_id": 3, "object_id": "acme"}
    assert relate["edges"][0]["attributes"] == {"role": None}
    refused = await workspace.track("POST", ENTITY, {**IDENTIFY, "cio_relationships": {"action": "add_relationships"}})
    assert refused.json()["errors"][0]["message"] == "cio_relationships must be an array"


SEVEN = {"kind": "id", "value": "7"}
ACME = {"identifiers": {"object_id": "acme"}}


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ({"action": "delete"}, {"op": "delete", "subject": SEVEN}),
        ({"action": "suppress"}, {"op": "suppress", "subject": SEVEN}),
        ({"action": "unsuppress"}, {"op": "unsuppress", "subject": SEVEN}),
        (
            {"action": "add_device", "device": {"token": "t", "platform": "ios", "last_used": "5", "x": 1}},
            {
                "op": "add_device",
                "subject": SEVEN,
                "token": "t",
                "platform": "ios",
                "last_used": 5,
                "attributes": {"x": 1},
            },
        ),
        (
            {"action": "delete_device", "device": {"token": "t"}},
            {"op": "delete_device", "subject": SEVEN, "token": "t"},
        ),
        (
            {"action": "merge", "primary": {"id": "7"}, "secondary": {"email": "a@x.io"}, "identifiers": None},
            {"op": "merge", "primary": SEVEN, "secondary": {"kind": "email", "value": "a@x.io"}},
        ),
        (
            {"action": "add_relationships", "cio_relationships": [ACME]},
            {"op": "relationships", "edges": [{"person": SEVEN, "object": {"object_id": "acme"}}]},
        ),
        (
            {"action": "delete_relationships", "cio_relationships": [ACME]},
            {"op": "relationships", "action": "delete", "edges": [{"person": SEVEN, "object": {"object_id": "acme"}}]},
        ),
    ],
)
async def test_what_people_can_be_done_to(workspace: Keys, body: dict[str, Any], row: dict[str, Any]) -> None:
    call = {"type": "person", "identifiers": {"id": "7"}, **body}
    assert (await workspace.track("POST", ENTITY, call)).content == b"{}"
    (found,) = await workspace.log()
    assert found == {"source": "Track API: Default", **row}


@pytest.mark.parametrize("action", ["viewed_content", "clicked_content"])
async def test_content_seen_by_nobody_known_is_taken_and_changes_nothing(workspace: Keys, action: str) -> None:
    body = {"type": "person", "action": action, "identifiers": {"anonymous_id": "a1"}, "attributes": {"content_id": 4}}
    assert (await workspace.track("POST", ENTITY, body)).content == b"{}"
    assert await workspace.log() == []


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"action": "add_device"}, "device", "device must be present"),
        ({"action": "add_device", "device": {"platform": "ios"}}, "device.token", "device token must be present"),
        (
            {"action": "add_device", "device": {"token": "t", "platform": "web"}},
            "device.platform",
            "device platform must be ios or android",
        ),
        ({"action": "delete_device", "device": {}}, "device.token", "device token must be present"),
        ({"action": "merge", "secondary": {"id": "8"}}, "primary", "primary must be present"),
        (
            {"action": "merge", "primary": {"id": "7"}, "secondary": {"id": "8", "email": "a@x.io"}},
            "secondary",
            "secondary must hold exactly one of id, email and cio_id",
        ),
        ({"action": "add_relationships"}, "cio_relationships", "cio_relationships must be present"),
        ({"action": "delete", "identifiers": {}}, "identifiers", "id attribute must be present"),
    ],
)
async def test_refusals_of_other_actions(workspace: Keys, change: dict[str, Any], field: str, message: str) -> None:
    answer = await workspace.track("POST", ENTITY, {"type": "person", "identifiers": {"id": "7"}, **change})
    assert answer.status_code == 400
    assert [(error["field"], error["message"]) for error in answer.json()["errors"]] == [(field, message)]
    assert await workspace.log() == []


@pytest.mark.parametrize(
    "identifiers",
    [{"anonymous_id": ""}, {"phone": "+15551234567"}, {"id": "1", "email": "a@x.io"}, {"x": "1"}],
)
async def test_api_case_22_only_one_name_of_a_person(workspace: Keys, identifiers: dict[str, str]) -> None:
    answer = await workspace.track("POST", ENTITY, {**EVENT, "identifiers": identifiers})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["reason"], error["field"]) == ("invalid", "identifiers")


async def test_a_batch_keeps_its_order(workspace: Keys) -> None:
    items = [{**IDENTIFY, "attributes": {"n": n}} for n in range(100)]
    assert (await workspace.track("POST", BATCH, {"batch": items})).content == b"{}"
    assert [row["attributes"]["n"] for row in await workspace.log()] == list(range(100))


async def test_a_batch_with_some_faults(workspace: Keys) -> None:
    items = [IDENTIFY, {**EVENT, "name": ""}, EVENT, {"type": "object", "action": "dance"}, 5]
    answer = await workspace.track("POST", BATCH, {"batch": items})
    assert answer.status_code == 207
    assert answer.json() == {
        "errors": [
            {"batch_index": 1, "reason": "required", "field": "name", "message": "event name must not be blank"},
            {
                "batch_index": 3,
                "reason": "unknown_action",
                "field": "action",
                "message": "'object' 'dance' is not supported",
            },
            {"batch_index": 4, "reason": "invalid", "field": "", "message": "an operation must be a JSON object"},
        ]
    }
    assert [row["op"] for row in await workspace.log()] == ["identify", "event"]


async def test_an_item_of_32_kb_or_more(workspace: Keys) -> None:
    big = {**EVENT, "attributes": {"x": "y" * 32_700}}
    answer = await workspace.track("POST", BATCH, {"batch": [big, EVENT]})
    assert answer.status_code == 207
    (error,) = answer.json()["errors"]
    assert (error["batch_index"], error["reason"]) == (0, "too_long")
    assert (await workspace.track("POST", ENTITY, big)).status_code == 400
    assert len(await workspace.log()) == 1


async def test_a_batch_over_500_kb(workspace: Keys) -> None:
    items = [{**EVENT, "attributes": {"x": "y" * 30_000}} for _ in range(18)]
    answer = await workspace.track("POST", BATCH, {"batch": items})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["reason"] == "too_long"
    assert await workspace.log() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"batch": {}}', b'{"batch": null}', b'{"batch": [1, 2]}'])
async def test_batches_that_are_none(workspace: Keys, body: bytes) -> None:
    answer = await workspace.track("POST", BATCH, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
    assert await workspace.log() == []


async def test_an_empty_batch(workspace: Keys) -> None:
    assert (await workspace.track("POST", BATCH, {"batch": []})).status_code == 200


async def test_who_calls_is_asked_first(workspace: Keys) -> None:
    answer = await workspace.http.post(BATCH, content=b"{")
    assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized request"}})


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/api/v2/other", 404), ("GET", ENTITY, 405)])
async def test_what_is_not_there(workspace: Keys, method: str, path: str, status: int) -> None:
    answer = await workspace.track(method, path)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["message"]
