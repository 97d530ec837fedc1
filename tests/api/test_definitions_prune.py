"""Pruning: what was applied under a source and is missing now is deleted with the rest of the bundle, or nothing is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import Keys, Server
from tests.support.definitions import EVERY_KIND, applied, bundle, campaign, segment
from tests.support.triggering import NEWS

SOURCE = "repository"


def pruned(*documents: dict[str, Any], source: str = SOURCE) -> dict[str, Any]:
    return bundle(*documents, source=source, prune=True)


async def apply(workspace: Keys, *documents: dict[str, Any]) -> None:
    await applied(workspace, bundle(*documents, source=SOURCE))


async def refused(workspace: Keys, *documents: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """The status and the errors of a bundle, which are the same in a dry run; nothing was written."""
    before = await names(workspace)
    dry = await workspace.call("PUT", "/v1/definitions?dry_run=true", pruned(*documents))
    answer = await workspace.call("PUT", "/v1/definitions", pruned(*documents))
    assert (dry.status_code, dry.json()) == (answer.status_code, answer.json())
    assert await names(workspace) == before
    errors: list[dict[str, Any]] = answer.json()["errors"]
    return answer.status_code, errors


async def names(workspace: Keys) -> list[tuple[str, str]]:
    found = (await workspace.call("GET", "/v1/definitions")).json()["definitions"]
    return [(document["kind"], document["key"]) for document in found]


async def test_what_is_missing_goes_with_what_is_written(workspace: Keys) -> None:
    await apply(workspace, segment("a"), segment("b"))
    await applied(workspace, bundle(segment("other"), source="another"))
    await applied(workspace, bundle(segment("none")))
    body = pruned(segment("a", "free"), segment("c"))
    expected = [("update", "segment", "a"), ("create", "segment", "c"), ("delete", "segment", "b")]
    assert await applied(workspace, body, "?dry_run=true") == expected
    assert len(await names(workspace)) == 4
    answer = (await workspace.call("PUT", "/v1/definitions", body)).json()
    gone = answer["changes"][-1]
    assert gone == {"kind": "segment", "key": "b", "id": 2, "action": "delete", "revision": 1}
    assert [key for _, key in await names(workspace)] == ["a", "c", "none", "other"]
    assert [action for action, _, _ in await applied(workspace, body)] == ["unchanged", "unchanged"]


async def test_without_prune_what_is_missing_stays(workspace: Keys) -> None:
    await apply(workspace, segment("a"), segment("b"))
    await applied(workspace, {**pruned(segment("a")), "prune": False})
    assert len(await names(workspace)) == 2


async def test_a_document_belongs_to_the_source_that_applied_it_last(workspace: Keys) -> None:
    await apply(workspace, segment("a"), segment("b"))
    await applied(workspace, bundle(segment("b"), source="another"))
    await workspace.call("PUT", "/v1/definitions/segment/a", segment("a", "free"))
    assert await applied(workspace, pruned()) == [("delete", "segment", "a")]
    assert await names(workspace) == [("segment", "b")]


@pytest.mark.parametrize("source", [None, ""])
async def test_a_source_is_needed(workspace: Keys, source: str | None) -> None:
    body = {"definitions": [], "prune": True, **({} if source is None else {"source": source})}
    answer = await workspace.call("PUT", "/v1/definitions", body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("required", "/source")
    assert "source" in error["message"]


async def test_in_yaml_as_in_json(workspace: Keys) -> None:
    await apply(workspace, segment("a"))
    body = b"source: repository\nprune: true\ndefinitions:\n- {kind: snippet, key: s, name: s, value: x}\n"
    changes = await applied(workspace, body, headers={"Content-Type": "application/yaml"})
    assert changes == [("create", "snippet", "s"), ("delete", "segment", "a")]


async def test_everything_of_every_kind_goes_in_whatever_order(workspace: Keys) -> None:
    await apply(workspace, *EVERY_KIND)
    changes = await applied(workspace, pruned())
    assert {action for action, _, _ in changes} == {"delete"}
    assert len(changes) == len(EVERY_KIND)
    assert await names(workspace) == []
    left = await workspace.db.pool.fetchval(
        "SELECT count(*) FROM collection_contents WHERE workspace_id = $1", workspace.id
    )
    assert left == 0


async def test_what_a_single_deletion_does_is_done(workspace: Keys) -> None:
    async def tasks() -> list[str]:
        rows = await workspace.db.pool.fetch("SELECT type FROM tasks WHERE workspace_id = $1 ORDER BY 1", workspace.id)
        return [row["type"] for row in rows]

    documents = [one for one in EVERY_KIND if one["kind"] in ("object_type", "snippet", "form")]
    documents += [campaign("c"), {**NEWS, "recipients": "everyone"}]
    found: list[list[str]] = []
    for prune in (False, True):
        await apply(workspace, *documents)
        await workspace.db.pool.execute("DELETE FROM tasks WHERE workspace_id = $1", workspace.id)
        if prune:
            await applied(workspace, pruned())
        else:
            for document in documents:
                answer = await workspace.call("DELETE", f"/v1/definitions/{document['kind']}/{document['key']}")
                assert answer.status_code == 204, answer.text
        found.append(await tasks())
    assert found == [["delete_drafts", "end_journeys", "object_type_delete", "purge_memberships"]] * 2


@pytest.mark.parametrize("inside", [True, False])
async def test_what_is_still_referred_to_stays_and_so_does_all(workspace: Keys, inside: bool) -> None:
    await apply(workspace, segment("a"), segment("b"))
    await applied(workspace, bundle(campaign("c", of="a"), source=SOURCE if inside else "another"))
    staying = [campaign("c", of="a")] if inside else []
    status, errors = await refused(workspace, segment("new"), *staying)
    assert status == 409
    (error,) = errors
    assert (error["code"], error["pointer"]) == ("in_use", "/prune")
    assert "segment 'a'" in error["message"]
    assert error["referents"] == [{"kind": "campaign", "key": "c", "pointer": "/trigger/conditions/segment"}]


@pytest.mark.parametrize(
    ("gone", "user"),
    [
        (
            {"kind": "snippet", "key": "legal", "name": "legal", "value": "x"},
            {"kind": "layout", "key": "l", "name": "L", "body": "{{ content }}{{ snippets.legal }}"},
        ),
        (
            {"kind": "domain", "key": "d", "domain": "example.com", "use": "sending", "dkim_selector": "s"},
            {"kind": "sender", "key": "us", "name": "Us", "email": "us@example.com"},
        ),
        (
            {"kind": "layout", "key": "l", "name": "L", "body": "{{ content }}", "default": True},
            {
                "kind": "transactional",
                "key": "t",
                "name": "T",
                "channel": "email",
                "message": {"subject": "s", "body": "b"},
            },
        ),
    ],
    ids=["by name in a template", "by its address", "by default"],
)
async def test_uses_without_a_reference_hold_as_well(workspace: Keys, gone: Any, user: Any) -> None:
    await apply(workspace, gone, user)
    status, errors = await refused(workspace, user)
    assert (status, [error["code"] for error in errors]) == (409, ["in_use"])
    assert [one["key"] for one in errors[0]["referents"]] == [user["key"]]
    assert {action for action, _, _ in await applied(workspace, pruned())} == {"delete"}


async def test_the_last_provider_for_all_stays_while_others_need_it(workspace: Keys) -> None:
    def provider(key: str, *uses: str) -> dict[str, Any]:
        return {"kind": "provider", "key": key, "channel": "email", "provider": "capture", "use_for": list(uses)}

    await apply(workspace, provider("one", "all"), provider("two", "newsletters"))
    status, errors = await refused(workspace, provider("two", "newsletters"))
    assert (status, {error["code"] for error in errors}) == (422, {"in_use", "required"})
    assert await applied(workspace, pruned(provider("two", "all"))) == [
        ("update", "provider", "two"),
        ("delete", "provider", "one"),
    ]


async def test_a_document_takes_the_place_of_one_that_leaves(workspace: Keys) -> None:
    await apply(workspace, {"kind": "snippet", "key": "old", "name": "legal", "value": "x"})
    changes = await applied(workspace, pruned({"kind": "snippet", "key": "new", "name": "legal", "value": "x"}))
    assert changes == [("create", "snippet", "new"), ("delete", "snippet", "old")]


async def test_a_number_is_not_taken_over(workspace: Keys) -> None:
    type_of = {"kind": "object_type", "key": "old", "name": "Old", "singular_name": "Old", "object_type_id": 7}
    await apply(workspace, type_of)
    status, errors = await refused(workspace, {**type_of, "key": "new", "name": "New", "singular_name": "New"})
    assert (status, errors[0]["code"], errors[0]["pointer"]) == (422, "duplicate", "/definitions/0/object_type_id")


@pytest.mark.parametrize("kind", ["campaign", "broadcast"])
async def test_what_runs_is_not_deleted_by_the_way(workspace: Keys, kind: str) -> None:
    running = campaign("c") if kind == "campaign" else {**NEWS, "key": "c"}
    sender = {"kind": "sender", "key": "team", "name": "Team", "email": "team@example.com"}
    await applied(workspace, bundle(sender))
    await apply(workspace, running, segment("a"))
    assert (await workspace.call("POST", f"/v1/{kind}s/c/start")).status_code == 200
    status, errors = await refused(workspace, segment("b"))
    assert (status, [(error["code"], error["pointer"]) for error in errors]) == (409, [("invalid_state", "/prune")])
    assert f"{kind} 'c' is" in errors[0]["message"]
    stopped = {"journeys": "finish"} if kind == "campaign" else None
    assert (await workspace.call("POST", f"/v1/{kind}s/c/stop", stopped)).status_code == 200
    assert len(await applied(workspace, pruned())) == 2


async def test_everything_in_the_way_is_told_at_once(workspace: Keys) -> None:
    await apply(workspace, campaign("c"), segment("a"))
    await workspace.call("POST", "/v1/campaigns/c/start")
    await applied(workspace, bundle(campaign("d", of="a")))
    status, errors = await refused(workspace)
    assert (status, [error["code"] for error in errors]) == (409, ["invalid_state", "in_use"])
    status, errors = await refused(workspace, {**segment("b"), "nope": 1})
    assert (status, {error["code"] for error in errors}) == (422, {"unknown_field", "invalid_state", "in_use"})


async def test_who_may_not_configure_does_not_delete_what_configures(workspace: Keys, server: Server) -> None:
    await apply(workspace, {"kind": "provider", "key": "p", "channel": "email", "provider": "capture"}, segment("a"))
    body = {"kind": "app", "name": "writer", "scopes": ["read", "write"]}
    made = await server.http.post(f"/v1/workspaces/{workspace.id}/credentials", headers=workspace.admin, json=body)
    headers = {"Authorization": f"Bearer {made.json()['app_key']}"}
    answer: httpx.Response = await server.http.put("/v1/definitions", headers=headers, json=pruned(segment("a")))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "forbidden_scope")
    assert len(await names(workspace)) == 2
