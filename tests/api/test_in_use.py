"""Saves that something in use forbids: a conflict where that is all, else everything that is wrong with the content."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys

COMPANY = {"kind": "object_type", "key": "company", "name": "Companies", "singular_name": "Company"}
SENT = {"message": {"of": {"campaign": "c", "block": "hello"}, "status": "sent"}}
ASKING = [
    {"kind": "segment", "key": "s", "name": "S", "conditions": SENT},
    {"kind": "segment", "key": "r", "name": "R", "conditions": {"related": {"to": "company"}}},
]
WAIT = {"type": "time_delay", "duration": "P1D"}


def campaign(**blocks: Any) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "event", "event": "go"},
        "workflow": {"start": next(iter(blocks)), "blocks": blocks},
    }


@pytest.fixture
async def here(workspace: Keys) -> Keys:
    mail = {"type": "email", "message": {"subject": "Hi", "body": "Hi"}}
    documents = [COMPANY, campaign(hello=mail), *ASKING]
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": documents})
    assert answer.status_code == 200, answer.text
    return workspace


async def put(here: Keys, *documents: Any) -> tuple[int, list[tuple[str, str]]]:
    answer = await here.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    return answer.status_code, [(error["code"], error["pointer"]) for error in answer.json().get("errors", ())]


async def test_what_is_in_use_is_a_conflict_that_names_its_users(here: Keys) -> None:
    answer = await here.call("PUT", "/v1/definitions/object_type/company", {**COMPANY, "enabled": False})
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("in_use", "/enabled")
    assert [(one["kind"], one["key"]) for one in error["referents"]] == [("segment", "r")]
    answer = await here.call("PUT", "/v1/definitions/campaign/c", campaign(wait=WAIT))
    assert answer.status_code == 409
    assert [one["key"] for one in answer.json()["errors"][0]["referents"]] == ["s"]


async def test_several_at_once_are_all_told(here: Keys) -> None:
    status, found = await put(here, {**COMPANY, "enabled": False}, campaign(wait=WAIT))
    assert status == 409
    assert found == [("in_use", "/definitions/0/enabled"), ("in_use", "/definitions/1/workflow/blocks")]


@pytest.mark.parametrize("first", [True, False])
async def test_with_anything_wrong_in_the_content_it_is_the_content(here: Keys, first: bool) -> None:
    disabled, wrong = (
        {**COMPANY, "enabled": False},
        {"kind": "segment", "key": "t", "name": "T", "conditions": {"segment": "none"}},
    )
    status, found = await put(here, *((disabled, wrong) if first else (wrong, disabled)))
    assert status == 422
    assert {code for code, _ in found} == {"in_use", "unknown_reference"}


async def test_locked_and_in_use_are_a_conflict_together(here: Keys) -> None:
    assert (await here.call("POST", "/v1/campaigns/c/start")).status_code == 200
    other = campaign(wait=WAIT) | {"trigger": {"type": "form", "forms": ["f"]}}
    status, found = await put(here, other)
    assert (status, {code for code, _ in found}) == (409, {"in_use", "locked"})
