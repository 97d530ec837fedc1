"""Track v1, what ends people and makes one of two: delete, suppress, unsuppress, merge."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys, Server
from tests.support.raw_http import Pair, raw

SEVEN = {"kind": "id", "value": "7"}
ENDINGS = [("DELETE", "", "delete"), ("POST", "/suppress", "suppress"), ("POST", "/unsuppress", "unsuppress")]
MERGE = "/api/v1/merge_customers"


@pytest.mark.parametrize(("method", "below", "op"), ENDINGS)
@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"{not json", b"x" * 200_000])
async def test_the_body_says_nothing(workspace: Keys, method: str, below: str, op: str, body: bytes) -> None:
    answer = await workspace.track(method, f"/api/v1/customers/7{below}", body)
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert await workspace.log() == [{"source": "Track API: Default", "op": op, "subject": SEVEN}]


@pytest.mark.parametrize(("method", "below", "op"), ENDINGS)
@pytest.mark.parametrize("prefix", ["/api/v1/customers", "/v1/customers", "//v1//customers"])
async def test_spellings(workspace: Keys, server: Server, method: str, below: str, op: str, prefix: str) -> None:
    pair = Pair(workspace.site_id, workspace.api_key)
    for end in ("", "/"):
        assert await raw(server.port, pair, method, f"{prefix}/a%2Fb%2B1{below}{end}") == (200, b"{}")
    log = await workspace.log()
    assert [(row["op"], row["subject"]["value"]) for row in log] == [(op, "a/b+1")] * 2


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("a@x.io", {"kind": "email", "value": "a@x.io"}),
        ("cio_0300001f", {"kind": "cio_id", "value": "0300001f"}),
        ("+15551234567", {"kind": "id", "value": "+15551234567"}),
    ],
)
async def test_whom_a_path_means(workspace: Keys, path: str, subject: dict[str, str]) -> None:
    for method, below, _ in ENDINGS:
        assert (await workspace.track(method, f"/api/v1/customers/{path}{below}")).status_code == 200
    assert [row["subject"] for row in await workspace.log()] == [subject] * 3


@pytest.mark.parametrize("path", ["/api/v1/customers/", "/api/v1/customers/%20", "/api/v1/customers/" + "x" * 151])
async def test_identifiers_that_are_none(workspace: Keys, path: str) -> None:
    answer = await workspace.track("DELETE", path)
    assert answer.status_code == 400
    assert answer.json()["meta"]["error"].startswith("id attribute cannot be")
    assert await workspace.log() == []


async def test_who_calls_is_asked_first(workspace: Keys) -> None:
    calls = [(method, f"/api/v1/customers/7{below}") for method, below, _ in ENDINGS]
    for method, path in [*calls, ("POST", MERGE)]:
        answer = await workspace.http.request(method, path)
        assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized request"}})
        assert answer.headers["www-authenticate"].startswith("Basic")


async def test_api_case_17_calls_about_somebody_suppressed_are_accepted(workspace: Keys) -> None:
    await workspace.put("1", {"email": "a@x"})
    assert (await workspace.track("POST", "/api/v1/customers/1/suppress")).content == b"{}"
    assert (await workspace.put("a@x", {"plan": "pro"})).content == b"{}"
    assert [row["op"] for row in await workspace.log()] == ["identify", "suppress", "identify"]


@pytest.mark.parametrize("path", [MERGE, f"{MERGE}/", "/v1/merge_customers"])
async def test_api_case_18_merge(workspace: Keys, path: str) -> None:
    body = {"primary": {"id": "1"}, "secondary": {"cio_id": "cio_0300001f"}}
    assert (await workspace.track("POST", path, body)).content == b"{}"
    (row,) = await workspace.log()
    assert row["op"] == "merge"
    assert row["primary"] == {"kind": "id", "value": "1"}
    assert row["secondary"] == {"kind": "cio_id", "value": "0300001f"}


async def test_a_merge_with_oneself_is_well_formed(workspace: Keys) -> None:
    body = {"primary": {"id": "1"}, "secondary": {"id": "1"}}
    assert (await workspace.track("POST", MERGE, body)).content == b"{}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"primary": {"id": "1", "email": "a@x"}, "secondary": {"id": "2"}},
            ["primary must hold exactly one of id, email and cio_id"],
        ),
        ({"primary": {}, "secondary": {"id": "2"}}, ["primary must hold exactly one of id, email and cio_id"]),
        ({}, ["primary must be present", "secondary must be present"]),
        ({"primary": "1", "secondary": {"id": "2"}}, ["primary must be a hash"]),
        (
            {"primary": {"id": "1"}, "secondary": {"phone": "+15551234567"}},
            ["secondary must hold exactly one of id, email and cio_id"],
        ),
        (
            {"primary": {"anonymous_id": "1"}, "secondary": {"id": "2"}},
            ["primary must hold exactly one of id, email and cio_id"],
        ),
        ({"primary": {"id": ""}, "secondary": {"id": "2"}}, ["primary id attribute cannot be an empty string"]),
        ({"primary": {"id": "1"}, "secondary": {"email": "x"}}, ["secondary email is not a valid address"]),
        ([], ["the request must be a JSON object"]),
    ],
)
async def test_api_case_19_merges_that_are_refused(workspace: Keys, body: Any, said: list[str]) -> None:
    answer = await workspace.track("POST", MERGE, body)
    assert answer.status_code == 400
    assert answer.json()["meta"] == {"error": said[0], "errors": said}
    assert await workspace.log() == []


async def test_where_email_is_no_identifier_nobody_is_merged_by_it(workspace: Keys) -> None:
    await workspace.call("PUT", "/v1/definitions/settings/workspace", {"identifiers": "id_only"})
    answer = await workspace.track("POST", MERGE, {"primary": {"id": "1"}, "secondary": {"email": "a@x"}})
    assert answer.status_code == 400
    assert answer.json()["meta"]["error"] == "secondary email is not an identifier in this workspace"
