"""Tags over HTTP, and finding campaigns by what they are about (CMP-35)."""

from __future__ import annotations

from typing import Any


def campaign(key: str, tags: list[str], trigger: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "kind": "campaign",
        "key": key,
        "name": key.title(),
        "tags": tags,
        "trigger": trigger or {"type": "event", "event": "go"},
        "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P1D"}}},
        **fields,
    }


SEGMENT = {
    "kind": "segment",
    "key": "pro",
    "name": "Pro",
    "tags": ["spring"],
    "conditions": {"attribute": {"field": "a", "value": 1}},
}


async def define(workspace: Any, *documents: dict[str, Any]) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    assert answer.status_code == 200, answer.text


async def tags(workspace: Any) -> dict[str, int]:
    answer = (await workspace.call("GET", "/v1/tags")).json()["tags"]
    assert [one["name"] for one in answer] == sorted(one["name"] for one in answer)
    return {one["name"]: one["used"] for one in answer}


async def found(workspace: Any, **params: str) -> list[str]:
    answer = await workspace.call("GET", "/v1/definitions/campaign", params=params)
    assert answer.status_code == 200, answer.text
    return [record["definition"]["key"] for record in answer.json()["definitions"]]


async def test_tags_are_shared_renamed_and_taken_off(workspace):
    assert await tags(workspace) == {}
    await define(workspace, campaign("a", ["spring", "mail"]), campaign("b", ["summer", "spring"]), SEGMENT)
    assert await tags(workspace) == {"mail": 1, "spring": 3, "summer": 1}
    answer = await workspace.call("PUT", "/v1/tags/spring", {"name": "summer"})
    assert (answer.status_code, answer.json()) == (200, {"name": "summer", "used": 3})
    assert await tags(workspace) == {"mail": 1, "summer": 3}
    record = (await workspace.call("GET", "/v1/definitions/campaign/b")).json()
    assert (record["definition"]["tags"], record["status"]["revision"]) == (["summer"], 2)
    assert (await workspace.call("DELETE", "/v1/tags/summer")).status_code == 204
    assert await tags(workspace) == {"mail": 1}
    for method, body in (("PUT", {"name": "x"}), ("DELETE", None)):
        assert (await workspace.call(method, "/v1/tags/summer", body)).status_code == 404


async def test_a_tag_is_called_something(workspace):
    await define(workspace, campaign("a", ["with space/and ü"]))
    path = "/v1/tags/with%20space%2Fand%20%C3%BC"
    for body, code in (
        ({}, "required"),
        ({"name": ""}, "length"),
        ({"name": 1}, "type"),
        ({"title": "x"}, "unknown_field"),
        ([], "type"),
    ):
        answer = await workspace.call("PUT", path, body)
        assert answer.status_code == 422
        assert code in {problem["code"] for problem in answer.json()["errors"]}
    assert (await workspace.call("PUT", path, {"name": "plain"})).json() == {"name": "plain", "used": 1}


async def test_campaigns_are_found_by_what_they_are_about(workspace):
    account = {
        "kind": "object_type",
        "key": "account",
        "name": "Accounts",
        "singular_name": "Account",
        "slug": "accounts",
        "singular_slug": "account",
    }
    by_object = {"type": "object", "object_type": "account", "where": {"field": "plan", "value": "pro"}}
    branch = {"type": "true_false", "conditions": {"related": {"to": "account"}}}
    await define(
        workspace,
        account,
        campaign("plain", ["mail"], description="About shoes"),
        campaign("by-object", [], by_object),
        campaign("hook", [], {"type": "webhook"}),
        campaign("branched", [], workflow={"start": "ask", "blocks": {"ask": branch}}),
    )
    status = (await workspace.call("GET", "/v1/definitions/object_type/account")).json()["status"]
    for name in ("account", str(status["id"])):
        assert await found(workspace, object_type=name) == ["branched", "by-object"]
    assert await found(workspace, object_type="account", limit="1") == ["branched"]
    assert await found(workspace, object_type="nothing") == []
    assert await found(workspace, trigger="webhook") == ["hook"]
    assert await found(workspace, tag="mail") == ["plain"]
    assert await found(workspace, search="SHOES") == ["plain"]
    assert await found(workspace, state="running") == []
    assert await found(workspace, search="by-", state="draft", trigger="object") == ["by-object"]
