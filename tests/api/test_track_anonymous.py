"""Track v1, events of people not known yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys

EVENTS = "/api/v1/events"


async def test_api_case_14_an_anonymous_event_then_its_person(workspace: Keys) -> None:
    assert (await workspace.track("POST", EVENTS, {"name": "cart", "anonymous_id": "a1"})).content == b"{}"
    assert (await workspace.put("7", {"anonymous_id": "a1"})).content == b"{}"
    event, identify, bind = await workspace.log()
    assert event == {
        "source": "Track API: Default",
        "op": "anonymous_event",
        "anonymous_id": "a1",
        "name": "cart",
    }
    assert (identify["op"], identify.get("attributes", {})) == ("identify", {})
    assert (bind["op"], bind["anonymous_id"]) == ("bind_anonymous", "a1")


async def test_everything_an_event_has(workspace: Keys) -> None:
    body = {"name": " cart ", "anonymous_id": 17, "type": "page", "timestamp": "5", "id": "e1", "data": {"a": [None]}}
    assert (await workspace.track("POST", EVENTS, body)).status_code == 200
    (row,) = await workspace.log()
    assert row.pop("source") == "Track API: Default"
    assert row == {
        "op": "anonymous_event",
        "anonymous_id": "17",
        "name": "cart",
        "type": "page",
        "timestamp": 5,
        "event_id": "e1",
        "data": {"a": [None]},
    }


@pytest.mark.parametrize("given", [{}, {"anonymous_id": ""}, {"anonymous_id": None}, {"anonymous_id": "  "}])
async def test_an_invite_event_names_its_recipient_only(workspace: Keys, given: dict[str, Any]) -> None:
    body = {"name": "invited", "data": {"recipient": "ann@example.com"}, **given}
    assert (await workspace.track("POST", EVENTS, body)).status_code == 200
    (row,) = await workspace.log()
    assert row.get("anonymous_id", "") == ""
    assert row["data"] == {"recipient": "ann@example.com"}


@pytest.mark.parametrize("path", [EVENTS, f"{EVENTS}/", "/v1/events", "/api//v1/events"])
async def test_spellings_and_forms(workspace: Keys, path: str) -> None:
    form = b"name=cart&anonymous_id=a1&data[price]=2"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await workspace.track("POST", path, form, headers=headers)).content == b"{}"
    (row,) = await workspace.log()
    assert (row["anonymous_id"], row["data"]) == ("a1", {"price": "2"})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"anonymous_id": "a1"}, "event name must not be blank"),
        ({"name": "x" * 101}, "event name cannot be longer than 100 bytes"),
        ({"name": "e", "anonymous_id": "ü" * 76}, "anonymous_id cannot be longer than 150 bytes"),
        ({"name": "e", "anonymous_id": {}}, "anonymous_id must be a string value"),
        ({"name": "e", "anonymous_id": True}, "anonymous_id must be a string value"),
        ({"name": "e", "data": []}, "event data must be a hash"),
        ([], "the event must be a hash"),
    ],
)
async def test_refusals(workspace: Keys, body: Any, said: str) -> None:
    answer = await workspace.track("POST", EVENTS, body)
    assert answer.status_code == 400
    assert answer.json()["meta"] == {"error": said, "errors": [said]}
    assert await workspace.log() == []


async def test_a_credential_is_asked_for(workspace: Keys) -> None:
    answer = await workspace.http.post("/v1/events", content=b"{")
    assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized request"}})


async def test_an_anonymous_id_beside_a_person_binds_nothing(workspace: Keys) -> None:
    body = {"name": "e", "type": "screen", "anonymous_id": "a1"}
    assert (await workspace.track("POST", "/api/v1/customers/7/events", body)).status_code == 200
    (row,) = await workspace.log()
    assert (row["op"], row["type"]) == ("event", "screen")
    assert "anonymous_id" not in row
