"""Track v2, objects: who belongs to them, what they are like, and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys

ENTITY = "/api/v2/entity"
ACME = {"object_type_id": "1", "object_id": "acme"}
REF = {"object_id": "acme"}
"""The object as it stands in the log, which leaves out what is as usual."""


def call(action: str, identifiers: Any = ACME, **more: Any) -> dict[str, Any]:
    return {"type": "object", "action": action, "identifiers": identifiers, **more}


async def rows(keys: Keys, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """What of accepted calls stands in the log."""
    for body in bodies:
        answer = await keys.track("POST", ENTITY, body)
        assert (answer.status_code, answer.content) == (200, b"{}"), answer.text
    log = await keys.log()
    assert {row.pop("source") for row in log} <= {"Track API: Default"}
    return log


async def test_api_case_21_an_object_with_its_people_and_its_end(workspace: Keys) -> None:
    people = [
        {"identifiers": {"id": "42"}, "relationship_attributes": {"role": "owner"}},
        {"identifiers": {"email": "b@x.io"}},
    ]
    log = await rows(
        workspace,
        call("identify", attributes={"name": "Acme", "seats": 5}, cio_relationships=people),
        call("identify", attributes={"name": ""}),
        call("delete"),
    )
    assert log == [
        {"op": "identify_object", "object": REF, "attributes": {"name": "Acme", "seats": 5}},
        {
            "op": "relationships",
            "edges": [
                {"person": {"kind": "id", "value": "42"}, "object": REF, "attributes": {"role": "owner"}},
                {"person": {"kind": "email", "value": "b@x.io"}, "object": REF},
            ],
        },
        {"op": "identify_object", "object": REF, "attributes": {"name": ""}},
        {"op": "delete_object", "object": REF},
    ]


async def test_people_come_and_go(workspace: Keys) -> None:
    people = [{"identifiers": {"cio_id": "cio_0300001f"}, "relationship_attributes": {"role": "x"}}]
    added, deleted = await rows(
        workspace,
        call("add_relationships", cio_relationships=people),
        call("delete_relationships", cio_relationships=people),
    )
    person = {"kind": "cio_id", "value": "0300001f"}
    assert added["edges"] == [{"person": person, "object": REF, "attributes": {"role": "x"}}]
    assert (deleted["action"], deleted["edges"]) == ("delete", [{"person": person, "object": REF}])
    assert "existing_people" not in added


async def test_people_not_known_yet(workspace: Keys) -> None:
    somebody = [{"identifiers": {"anonymous_id": "a1"}, "relationship_attributes": {"role": "x"}}]
    log = await rows(
        workspace,
        call("identify_anonymous", attributes={"name": "Acme"}, cio_relationships=somebody),
        call("identify_anonymous", cio_relationships=[{"identifiers": {"anonymous_id": 17}}]),
        call("identify_anonymous", attributes={}),
    )
    assert log == [
        {"op": "identify_object", "object": REF, "attributes": {"name": "Acme"}},
        {"op": "park_group", "anonymous_id": "a1", "object": REF, "relationship": {"role": "x"}},
        {"op": "park_group", "anonymous_id": "17", "object": REF},
        {"op": "identify_object", "object": REF},
    ]


@pytest.mark.parametrize(
    ("identifiers", "ref"),
    [
        ({"object_id": "acme"}, REF),
        ({"objectId": "acme"}, REF),
        ({"object_type_id": None, "object_id": "acme"}, REF),
        ({"object_type_id": 2, "object_id": "acme"}, {"object_type_id": 2, "object_id": "acme"}),
        ({"object_type_id": "2147483647", "object_id": 5}, {"object_type_id": 2**31 - 1, "object_id": "5"}),
        ({"cio_object_id": "oba886080104"}, {"cio_object_id": "oba886080104"}),
    ],
)
async def test_how_objects_are_named(workspace: Keys, identifiers: Any, ref: dict[str, Any]) -> None:
    (row,) = await rows(workspace, call("delete", identifiers))
    assert row["object"] == ref


@pytest.mark.parametrize(
    ("body", "reason", "field", "message"),
    [
        (call("identify", None), "required", "identifiers", "identifiers must be present"),
        (call("identify", {}), "required", "identifiers", "identifiers must be present"),
        (call("identify", "acme"), "invalid", "identifiers", "identifiers must be a hash"),
        (
            call("delete", {"object_type_id": "1"}),
            "required",
            "identifiers.object_id",
            "object_id must be present",
        ),
        (
            call("delete", {"object_id": "x" * 151}),
            "too_long",
            "identifiers.object_id",
            "object_id cannot be longer than 150 bytes",
        ),
        (
            call("delete", {"object_id": "a", "cio_object_id": "b"}),
            "invalid",
            "identifiers",
            "identifiers must hold either an object_id or a cio_object_id",
        ),
        *[
            (
                call("delete", {"object_type_id": kind, "object_id": "a"}),
                "invalid",
                "identifiers.object_type_id",
                "object_type_id must be a whole number from 1",
            )
            for kind in ("0", 0, -1, 2**31, "x", 1.5, True, [])
        ],
        (call("identify", attributes=[]), "invalid", "attributes", "attributes must be a hash"),
        (
            call("identify", attributes={"relationship": 1}),
            "invalid",
            "attributes",
            "attribute name cannot be 'relationship'",
        ),
        (
            call("identify", attributes={"n": "x" * 1001}),
            "too_long",
            "n",
            "value for attribute 'n' cannot be longer than 1000 bytes",
        ),
        (
            call("identify", attributes={f"a{i}": 1 for i in range(301)}),
            "too_long",
            "attributes",
            "cannot identify more than 300 attributes in one request",
        ),
        (call("add_relationships"), "required", "cio_relationships", "cio_relationships must be present"),
        (
            call("add_relationships", cio_relationships=[{"identifiers": {"phone": "+15551234567"}}]),
            "invalid",
            "cio_relationships.0.identifiers",
            "identifiers must hold exactly one of id, email and cio_id",
        ),
        (
            call("identify_anonymous", cio_relationships=[{"identifiers": {"id": "7"}}]),
            "invalid",
            "cio_relationships.0.identifiers",
            "identifiers must hold an anonymous_id and nothing else",
        ),
        (call("event"), "unknown_action", "action", "'object' 'event' is not supported"),
    ],
)
async def test_refusals(workspace: Keys, body: dict[str, Any], reason: str, field: str, message: str) -> None:
    answer = await workspace.track("POST", ENTITY, body)
    assert answer.status_code == 400
    assert answer.json() == {"errors": [{"reason": reason, "field": field, "message": message}]}
    assert await workspace.log() == []


async def test_nothing_of_a_call_with_one_fault_is_taken(workspace: Keys) -> None:
    people = [{"identifiers": {"id": "42"}}, {"identifiers": {"id": ""}}, 5]
    answer = await workspace.track("POST", ENTITY, call("identify", attributes={"a": 1}, cio_relationships=people))
    assert [error["field"] for error in answer.json()["errors"]] == [
        "cio_relationships.1.identifiers.id",
        "cio_relationships.2",
    ]
    assert await workspace.log() == []


async def test_no_people_is_no_change(workspace: Keys) -> None:
    assert await rows(workspace, call("add_relationships", cio_relationships=[])) == []
