"""Who refers to a definition: the same list by which a deletion is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys
from tests.support.definitions import EVERY_KIND, applied, bundle, campaign, segment

MAIL = "/workflow/blocks/mail/message"
USERS: dict[tuple[str, str], list[tuple[str, str, str]]] = {
    ("object_type", "company"): [("segment", "staff", "/conditions/related/to")],
    ("segment", "staff"): [("segment", "paying", "/conditions/segment")],
    ("segment", "paying"): [("campaign", "c", "/filters/segment")],
    ("segment", "hand"): [],
    ("collection", "courses"): [("campaign", "c", "/workflow/blocks/look/collection")],
    ("form", "demo"): [],  # triggers name forms by what submissions say, be they defined or not
    ("snippet", "legal"): [
        ("broadcast", "news", f"{MAIL}/body"),
        ("campaign", "c", f"{MAIL}/body"),
        ("transactional", "receipt", "/message/body"),
    ],
    ("layout", "plain"): [("campaign", "c", f"{MAIL}/layout")],
    ("sender", "us"): [("campaign", "c", f"{MAIL}/sender")],
    ("domain", "main"): [("sender", "us", "/email")],
    ("webhook", "crm"): [("campaign", "c", "/workflow/blocks/call/request/webhook")],
    ("provider", "relay"): [],
    ("campaign", "c"): [],
    ("broadcast", "news"): [],
    ("transactional", "receipt"): [],
    ("settings", "workspace"): [],
}


async def used_by(workspace: Keys, kind: str, key: str | int) -> list[dict[str, Any]]:
    answer = await workspace.call("GET", f"/v1/definitions/{kind}/{key}/used_by")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["used_by"]
    return found


async def test_every_kind_knows_who_refers_to_it_as_a_deletion_does(workspace: Keys) -> None:
    await applied(workspace, bundle(*EVERY_KIND))
    assert {(one["kind"], one["key"]) for one in EVERY_KIND} == set(USERS)
    for (kind, key), expected in USERS.items():
        found = await used_by(workspace, kind, key)
        assert sorted((one["kind"], one["key"], one["pointer"]) for one in found) == expected, (kind, key)
        if not expected:
            continue
        answer = await workspace.call("DELETE", f"/v1/definitions/{kind}/{key}")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "in_use")
        assert answer.json()["errors"][0]["referents"] == found


async def test_what_nobody_refers_to_may_be_deleted(workspace: Keys) -> None:
    await applied(workspace, bundle(*EVERY_KIND))
    for (kind, key), expected in USERS.items():
        if not expected:
            assert (await workspace.call("DELETE", f"/v1/definitions/{kind}/{key}")).status_code == 204, (kind, key)


async def test_messages_hold_what_sent_them(workspace: Keys) -> None:
    mail = {"type": "email", "message": {"subject": "s", "body": "b"}}
    sending = campaign("c", workflow={"start": "mail", "blocks": {"mail": mail}})
    transactional = next(one for one in EVERY_KIND if one["kind"] == "transactional")
    plain = {**transactional, "message": {"subject": "s", "body": "b"}}
    of = [{"campaign": "c", "block": "mail"}, {"transactional": "receipt"}]
    asking = [
        {"kind": "segment", "key": f"s{i}", "name": f"S{i}", "conditions": {"message": {"of": one, "status": "sent"}}}
        for i, one in enumerate(of)
    ]
    await applied(workspace, bundle(sending, plain, *asking))
    assert [one["key"] for one in await used_by(workspace, "campaign", "c")] == ["s0"]
    assert [one["key"] for one in await used_by(workspace, "transactional", "receipt")] == ["s1"]


async def test_references_by_number_and_by_default_count(workspace: Keys) -> None:
    layout = {"kind": "layout", "key": "l", "name": "L", "body": "{{ content }}", "default": True}
    mail = {
        "kind": "transactional",
        "key": "t",
        "name": "T",
        "channel": "email",
        "message": {"subject": "s", "body": "b"},
    }
    await applied(workspace, bundle(segment("a"), layout, mail))
    await applied(workspace, bundle({**segment("b"), "conditions": {"segment": 1}}))
    assert await used_by(workspace, "segment", 1) == [{"kind": "segment", "key": "b", "pointer": "/conditions/segment"}]
    assert [one["key"] for one in await used_by(workspace, "layout", "l")] == ["t"]


async def test_other_providers_hold_the_one_for_all(workspace: Keys) -> None:
    def provider(key: str, channel: str, *uses: str) -> dict[str, Any]:
        return {"kind": "provider", "key": key, "channel": channel, "provider": "capture", "use_for": list(uses)}

    await applied(
        workspace,
        bundle(provider("one", "email", "all"), provider("two", "email", "newsletters"), provider("sms", "sms", "all")),
    )
    assert [one["key"] for one in await used_by(workspace, "provider", "one")] == ["two"]
    answer = await workspace.call("DELETE", "/v1/definitions/provider/one")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (409, "in_use")
    assert "serves 'all'" in error["message"]
    assert [one["key"] for one in error["referents"]] == ["two"]
    for key in ("two", "sms", "one"):
        assert await used_by(workspace, "provider", key) == []
        assert (await workspace.call("DELETE", f"/v1/definitions/provider/{key}")).status_code == 204


async def test_the_vendors_list_tells_of_the_same(workspace: Keys) -> None:
    await applied(
        workspace, bundle(segment("a"), campaign("c", of="a"), {**segment("b"), "conditions": {"segment": "a"}})
    )
    vendors = (await workspace.call("GET", "/v1/segments/a/used_by")).json()["used_by"]["referents"]
    named = [(one["kind"], one["key"], one["pointer"]) for one in vendors]
    assert named == [(one["kind"], one["key"], one["pointer"]) for one in await used_by(workspace, "segment", "a")]
    assert len(named) == 2


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("segment/none", 404, "not_found"), ("nonsense/a", 422, "enum"), ("segment/99999999999", 404, "not_found")],
)
async def test_refusals(workspace: Keys, path: str, status: int, code: str) -> None:
    answer = await workspace.call("GET", f"/v1/definitions/{path}/used_by")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
