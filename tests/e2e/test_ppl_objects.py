"""Objects, relationships and devices through the running product (PPL-19, PPL-24 to PPL-26)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.live import START, Workspace

pytestmark = pytest.mark.stack

ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}


async def entity(workspace: Workspace, **body: Any) -> None:
    answer = await workspace.client.post("/api/v2/entity", json=body, headers=workspace.track_auth)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text


def account(object_id: str, /, *people: str, **attributes: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "action": "identify",
        "identifiers": {"object_type_id": "1", "object_id": object_id},
        "attributes": attributes,
        "cio_relationships": [{"identifiers": {"id": person}} for person in people],
    }


async def test_api_case_21_from_the_call_to_what_is_read_back(sandbox: Workspace):
    await sandbox.define(ACCOUNT)
    await entity(sandbox, **account("acme", "1", "2", name="Acme", plan="pro"))
    await sandbox.settle()
    shown = (await sandbox.get("/v1/objects/1/acme/attributes"))["object"]
    assert (shown["attributes"], shown["timestamps"]["plan"]) == ({"name": "Acme", "plan": "pro"}, START)
    people = (await sandbox.get("/v1/objects/1/acme/relationships"))["cio_relationships"]
    assert [row["identifiers"]["id"] for row in people] == ["1", "2"]
    await entity(sandbox, **account("acme", name=""))
    await entity(sandbox, type="object", action="delete", identifiers={"object_type_id": 1, "object_id": "acme"})
    await sandbox.settle()
    assert (await sandbox.get("/v1/customers/1/relationships"))["cio_relationships"] == []
    lines = (await sandbox.get("/v1/customers/1/timeline", types="activity"))["timeline"]
    assert [line["data"]["type"] for line in lines][:2] == ["delete_relationship", "add_relationship"]


async def test_a_deleted_type_is_empty_once_all_is_settled(sandbox: Workspace):
    await sandbox.define(ACCOUNT)
    for number in range(3):
        await entity(sandbox, **account(f"a{number}", "1"))
    await sandbox.settle()
    await sandbox.call("DELETE", "/v1/definitions/object_type/account", status=204)
    await sandbox.settle()
    assert (await sandbox.get("/v1/tasks"))["tasks"][0]["state"] == "succeeded"
    assert (await sandbox.get("/v1/customers/1/relationships"))["cio_relationships"] == []
    await entity(sandbox, **account("late", "1"))
    await sandbox.settle()
    assert (await sandbox.get("/v1/object_types"))["types"] == []
    assert (await sandbox.get("/v1/customers/1/relationships"))["cio_relationships"] == []


async def test_the_device_of_somebody_goes_over_to_somebody_else(sandbox: Workspace):
    device = {"device": {"id": "token", "platform": "android", "last_used": str(START - 5)}}
    for person in ("7", "8"):
        path = f"/api/v1/customers/{person}/devices"
        answer = await sandbox.client.put(path, json=device, headers=sandbox.track_auth)
        assert answer.status_code == 200, answer.text
    await sandbox.settle()
    assert (await sandbox.get("/v1/customers/7/attributes"))["customer"]["devices"] == []
    (shown,) = (await sandbox.get("/v1/customers/8/attributes"))["customer"]["devices"]
    assert (shown["id"], shown["last_used"]) == ("token", START - 5)
    await sandbox.call("DELETE", "/v1/customers/8/devices/token", status=204)
    await sandbox.settle()
    assert (await sandbox.get("/v1/customers/8/attributes"))["customer"]["devices"] == []
