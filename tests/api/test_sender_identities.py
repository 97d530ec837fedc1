"""Sender identities of the App API (APP-17)."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Keys

SENDERS = [
    {"kind": "sender", "key": "team", "name": 'The "A" team', "email": "team@example.com", "default": True},
    {"kind": "sender", "key": "bare", "email": "bare@example.com", "hidden": True},
    {"kind": "sender", "key": "number", "phone": "+15551230000"},
]
MESSAGE = {"type": "email", "message": {"sender": "team", "subject": "Hi", "body": "<p>Hi</p>"}}
CAMPAIGN = {
    "kind": "campaign",
    "key": "c",
    "name": "C",
    "trigger": {"type": "event", "event": "go"},
    "workflow": {"start": "a", "blocks": {"a": {**MESSAGE, "next": "b"}, "b": MESSAGE}},
}
RECEIPT = {
    "kind": "transactional",
    "key": "receipt",
    "name": "Receipt",
    "channel": "email",
    "message": {"sender": 1, "subject": "Hi", "body": "<p>Hi</p>"},
}


async def get(workspace: Keys, path: str, status: int = 200) -> Any:
    answer = await workspace.call("GET", f"/v1/sender_identities{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def define(workspace: Keys, *documents: dict[str, Any]) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    assert answer.status_code == 200, answer.text


async def test_app_17_senders_in_pages(workspace: Keys) -> None:
    await define(workspace, *SENDERS)
    found = await get(workspace, "")
    assert found["next"] == ""
    assert [one["key"] for one in found["sender_identities"]] == ["team", "bare", "number"]
    team, bare, number = found["sender_identities"]
    assert team | {"deduplicate_id": ""} == {
        "id": 1,
        "key": "team",
        "deduplicate_id": "",
        "name": 'The "A" team',
        "email": "team@example.com",
        "address": '"The \\"A\\" team" <team@example.com>',
        "template_type": "email",
        "auto_generated": False,
        "hidden": False,
    }
    assert team["deduplicate_id"].startswith("1:")
    assert (bare["address"], bare["hidden"]) == ("bare@example.com", True)
    assert (number["template_type"], number["phone"]) == ("phone", "+15551230000")
    first = await get(workspace, "?limit=2&sort=desc")
    assert ([one["id"] for one in first["sender_identities"]], first["next"]) == ([3, 2], "2")
    rest = await get(workspace, f"?limit=2&sort=desc&start={first['next']}")
    assert ([one["id"] for one in rest["sender_identities"]], rest["next"]) == ([1], "")
    assert [one["id"] for one in (await get(workspace, "?hidden=true"))["sender_identities"]] == [2]
    assert [one["id"] for one in (await get(workspace, "?hidden=false"))["sender_identities"]] == [1, 3]
    assert (await get(workspace, "/1"))["sender_identity"] == team
    assert (await get(workspace, "/team"))["sender_identity"] == team
    await get(workspace, "/9", 404)
    await get(workspace, "?start=x", 400)
    await get(workspace, "?sort=up", 400)


async def test_app_17_what_names_a_sender(workspace: Keys) -> None:
    await define(workspace, *SENDERS)
    await define(workspace, CAMPAIGN, RECEIPT)
    used = await get(workspace, "/1/used_by")
    assert (used["campaigns"], used["sent_newsletters"], used["draft_newsletters"]) == ([1], [], [])
    assert (used["broadcasts"], used["transactional"]) == ([], [2])
    assert (await get(workspace, "/bare/used_by"))["campaigns"] == []
    await get(workspace, "/9/used_by", 404)
