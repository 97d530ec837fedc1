"""The Track API as its published description has it: every documented call is taken, every documented answer exists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from api.app import create_app
from api.deps import Parts
from domain.deliveries import delivery_id
from tests.api.conftest import Keys
from tests.support.looking import Scene

FACTS: dict[str, Any] = json.loads((Path(__file__).parent / "track_facts.json").read_text())
OPERATIONS: dict[str, Any] = FACTS["operations"]
ENTITIES: dict[str, Any] = FACTS["entities"]
PARTS: Any = dict.fromkeys(("db", "notifier", "acceptor", "access", "catalogs", "health"))
PATHS: dict[str, Any] = create_app(Parts(**PARTS, base_url="http://localhost", version="test")).openapi()["paths"]
DELIVERY = "{delivery}"
ULID = "01BX5ZZKBKACTAV9WEVGEMMVRY"
NOW = 1_767_261_600

ACME = {"object_type_id": "1", "object_id": "acme"}
TO_ACME = [{"identifiers": ACME, "relationship_attributes": {"role": "owner"}}]
PEOPLE = [{"identifiers": {"id": "7"}, "relationship_attributes": {"role": "owner"}}, {"identifiers": {"email": "a@x"}}]
SOMEBODY = [{"identifiers": {"anonymous_id": "a1"}, "relationship_attributes": {}}]
PERSON = {"type": "person", "identifiers": {"id": "7"}}
OBJECT = {"type": "object", "identifiers": ACME}
DEVICE = {"platform": "ios", "last_used": NOW, "attributes": {"device_os": "18", "push_enabled": "true", "mine": "x"}}
PAGE = {"url": "https://example.com/", "path": "/", "referrer": "", "search": "", "title": "", "keywords": ["a"]}

ENTITY: dict[str, dict[str, Any]] = {
    "identify_person": {
        **PERSON,
        "action": "identify",
        "timestamp": NOW,
        "attributes": {"plan": "pro", "_update": False, "cio_subscription_preferences": {"topics": {"topic_1": True}}},
        "cio_relationships": TO_ACME,
    },
    "person_delete": {**PERSON, "action": "delete"},
    "person_event": {
        **PERSON,
        "action": "event",
        "id": ULID,
        "name": "bought",
        "timestamp": NOW,
        "attributes": {"price": 2, "recipient": "b@x.io", "from_address": "c@x.io", "reply_to": "d@x.io"},
    },
    "person_page": {**PERSON, "action": "page", "id": ULID, "name": "/", "timestamp": NOW, "attributes": PAGE},
    "person_screen": {**PERSON, "action": "screen", "name": "home", "attributes": {"a": 1}},
    "person_add_relationships": {**PERSON, "action": "add_relationships", "cio_relationships": TO_ACME},
    "person_delete_relationships": {**PERSON, "action": "delete_relationships", "cio_relationships": TO_ACME},
    "person_add_device": {**PERSON, "action": "add_device", "device": {"token": "t", **DEVICE}},
    "person_delete_device": {**PERSON, "action": "delete_device", "device": {"token": "t"}},
    "person_merge": {"type": "person", "action": "merge", "primary": {"id": "7"}, "secondary": {"email": "a@x"}},
    "person_suppress": {**PERSON, "action": "suppress"},
    "person_unsuppress": {**PERSON, "action": "unsuppress"},
    "object_identify": {**OBJECT, "action": "identify", "attributes": {"name": "Acme"}, "cio_relationships": PEOPLE},
    "object_identify_anonymous": {
        **OBJECT,
        "action": "identify_anonymous",
        "attributes": {"name": "Acme"},
        "cio_relationships": SOMEBODY,
    },
    "object_delete": {"type": "object", "identifiers": {"cio_object_id": "oba886080104"}, "action": "delete"},
    "object_add_relationships": {**OBJECT, "action": "add_relationships", "cio_relationships": PEOPLE},
    "object_delete_relationships": {**OBJECT, "action": "delete_relationships", "cio_relationships": PEOPLE},
    "delivery_operations": {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": DELIVERY},
        "name": "opened",
        "attributes": {"device_token": "t"},
    },
}
BODIES: dict[str, list[Any]] = {
    "identify": [
        {},
        {
            "id": "7",
            "email": "ann@example.com",
            "anonymous_id": "a1",
            "created_at": NOW,
            "_timestamp": NOW,
            "_update": False,
            "cio_relationships": {"action": "add_relationships", "relationships": TO_ACME},
            "unsubscribed": False,
            "cio_subscription_preferences": {"topics": {"topic_1": True}},
            "plan": "pro",
        },
    ],
    "add_device": [{"device": {"id": "t", **DEVICE}}],
    "unsubscribe": [{"unsubscribe": True}],
    "track": [
        {"name": "bought", "id": ULID, "type": "event", "timestamp": NOW, "data": {"recipient": "b@x.io", "price": 2}},
        {"name": "https://example.com/", "type": "page", "data": {}},
        {"name": "home", "type": "screen", "anonymous_id": "a1"},
    ],
    "trackAnonymous": [
        {"anonymous_id": "a1", "name": "bought", "id": ULID, "type": "event", "timestamp": NOW, "data": {"price": 2}},
        {"anonymous_id": "a1", "name": "/", "type": "page"},
        {"name": "invited", "data": {"recipient": "b@x.io", "from_address": "c@x.io", "reply_to": "d@x.io"}},
    ],
    "merge": [
        {"primary": {"id": "7"}, "secondary": {"email": "a@x"}},
        {"primary": {"cio_id": "0300001f"}, "secondary": {"id": "8"}},
    ],
    "metrics": [
        {
            "delivery_id": DELIVERY,
            "metric": word,
            "timestamp": NOW,
            "recipient": "a@x",
            "reason": "r",
            "href": "https://x",
        }
        for word in ("bounced", "clicked", "converted", "deferred", "delivered", "dropped", "opened", "spammed")
    ],
    "pushMetrics": [
        {"delivery_id": DELIVERY, "event": word, "device_id": "t", "timestamp": NOW}
        for word in ("opened", "converted", "delivered")
    ],
    "add_to_segment": [{"ids": ["7", "8"]}],
    "remove_from_segment": [{"ids": ["7", "8"]}],
    "entity": list(ENTITY.values()),
    "batch": [{"batch": list(ENTITY.values())}, {"batch": []}],
}
WRONG: dict[str, Any] = {
    "add_device": {"device": {"id": "t"}},
    "unsubscribe": {},
    "track": {"name": ""},
    "trackAnonymous": {"name": ""},
    "merge": {"primary": {"id": "7", "email": "a@x"}, "secondary": {"id": "8"}},
    "add_to_segment": {"ids": [str(number) for number in range(1001)]},
    "remove_from_segment": {"ids": "7"},
    "entity": {"type": "person", "action": "identify"},
    "batch": {"batch": 5},
}
OURS = {"metrics": "reportMetric"}
"""Where our description calls an operation otherwise."""
PLACES = {"identifier": "7", "device_id": "t"}


async def call(keys: Keys, name: str, body: Any = None, places: dict[str, Any] | None = None, **options: Any) -> Any:
    """The answer to one call of an operation."""
    facts = OPERATIONS[name]
    found = delivery_id(b"k" * 32, f"contract/{keys.id}")
    path = facts["path"].format(**{**PLACES, "delivery_id": found, **(places or {})})
    content = None if body is None else json.dumps(body).replace(DELIVERY, found).encode()
    headers = {"Content-Type": "application/json"}
    return await keys.http.request(facts["method"], path, content=content, headers=headers, **options)


async def scene(keys: Keys) -> dict[str, Any]:
    """A delivery to somebody and a manual segment; returns what their paths are made of."""
    here = Scene(keys.db, keys.id)
    person = await here.person("7", "ann@example.com")
    await here.delivery(delivery_id(b"k" * 32, f"contract/{keys.id}"), person)
    await here.define({"kind": "segment", "key": "hand", "name": "By hand", "type": "manual"})
    return {"segment_id": here.segments["hand"]}


def fits(schema: Any, value: Any) -> None:
    if schema is not None:
        jsonschema.validate(value, schema)


def test_every_documented_entity_has_an_example() -> None:
    assert set(ENTITY) == set(ENTITIES)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_a_documented_call_is_taken(workspace: Keys, name: str) -> None:
    facts = OPERATIONS[name]
    places = await scene(workspace)
    auth = {"auth": workspace.basic} if facts["credential"] else {}
    for body in BODIES.get(name, [None]):
        fits(facts["body"], body)
        answer = await call(workspace, name, body, places, **auth)
        assert answer.status_code == 200, answer.text
        schema = facts["responses"]["200"]
        fits(schema, answer.json())
        assert schema is not None or answer.json() == {}
    assert await workspace.log() or facts["method"] == "GET"


@pytest.mark.parametrize("name", sorted(ENTITIES))
async def test_a_documented_entity_is_taken(workspace: Keys, name: str) -> None:
    await scene(workspace)
    fits(ENTITIES[name], ENTITY[name])
    answer = await call(workspace, "entity", ENTITY[name], auth=workspace.basic)
    assert (answer.status_code, answer.json()) == (200, {})
    assert await workspace.log()


@pytest.mark.parametrize("name", sorted(name for name, facts in OPERATIONS.items() if facts["credential"]))
async def test_the_documented_refusal_of_a_caller(workspace: Keys, name: str) -> None:
    assert "401" in OPERATIONS[name]["responses"]
    body = BODIES.get(name, [None])[0]
    for options in ({}, {"auth": (workspace.site_id, "wrong")}):
        answer = await call(workspace, name, body, {"segment_id": 1}, **options)
        assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized request"}})
    assert await workspace.log() == []


@pytest.mark.parametrize("name", sorted(name for name, facts in OPERATIONS.items() if "400" in facts["responses"]))
async def test_the_documented_refusal_of_a_call(workspace: Keys, name: str) -> None:
    places = await scene(workspace) | {"device_id": "t" * 1001}
    auth = {"auth": workspace.basic} if OPERATIONS[name]["credential"] else {}
    answer = await call(workspace, name, WRONG.get(name), places, **auth)
    assert answer.status_code == 400
    body = answer.json()
    fits(OPERATIONS[name]["responses"]["400"], body)
    if "errors" in body:
        assert all(set(error) == {"reason", "field", "message"} for error in body["errors"])
    else:
        assert body["meta"]["error"] == body["meta"]["errors"][0]
    assert await workspace.log() == []


async def test_a_batch_taken_in_part(workspace: Keys) -> None:
    await scene(workspace)
    batch = [ENTITY["identify_person"], {"type": "person"}, ENTITY["object_identify"], {}]
    answer = await call(workspace, "batch", {"batch": batch}, auth=workspace.basic)
    assert answer.status_code == 207
    fits(OPERATIONS["batch"]["responses"]["207"], answer.json())
    assert [error["batch_index"] for error in answer.json()["errors"]] == [1, 3, 3]
    assert [row["op"] for row in await workspace.log()] == [
        "identify",
        "relationships",
        "identify_object",
        "relationships",
    ]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_it_is_described(name: str) -> None:
    facts = OPERATIONS[name]
    described = PATHS[facts["path"]][facts["method"].lower()]
    assert described["operationId"] == OURS.get(name, name)
    if facts["path"].startswith("/api/"):
        assert set(facts["responses"]) <= set(described["responses"])
        assert bool(described["security"]) is facts["credential"]
    documented = {(item["name"], item["in"]) for item in facts["parameters"]}
    found = {(item["name"], item["in"]) for item in described.get("parameters", [])}
    assert documented == found
