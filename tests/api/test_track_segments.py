"""Track v1, manual segments: who is put in, who is taken out, and which segments take it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Keys

MANUAL = {"name": "By hand", "type": "manual"}
DYNAMIC = {"name": "Paying", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}


async def made(keys: Keys, key: str, document: dict[str, Any]) -> int:
    answer = await keys.call("PUT", f"/v1/definitions/segment/{key}", document)
    assert answer.status_code == 201, answer.text
    async with keys.db.connection() as conn:
        return await conn.fetchval(
            "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment' AND key = $2",
            keys.id,
            key,
        )


async def change(keys: Keys, segment: object, body: Any, word: str = "add", query: str = "") -> tuple[int, Any]:
    answer = await keys.track("POST", f"/api/v1/segments/{segment}/{word}_customers{query}", body)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("word", ["add", "remove"])
@pytest.mark.parametrize("prefix", ["/api/v1", "/v1", "/api//v1"])
async def test_one_operation_for_each(workspace: Keys, word: str, prefix: str) -> None:
    number = await made(workspace, "hand", MANUAL)
    path = f"{prefix}/segments/{number}/{word}_customers/"
    answer = await workspace.track("POST", path, {"ids": ["7", "b@x.io", 8]})
    assert (answer.status_code, answer.content) == (200, b"{}")
    log = await workspace.log()
    assert [(row["op"], row["subject"]["kind"], row["subject"]["value"]) for row in log] == [
        ("segment_member", "id", "7"),
        ("segment_member", "id", "b@x.io"),
        ("segment_member", "id", "8"),
    ]
    assert {(row["segment_id"], row.get("member", True)) for row in log} == {(number, word == "add")}


async def test_api_case_39_entries_of_another_kind_are_left_out(workspace: Keys) -> None:
    number = await made(workspace, "hand", MANUAL)
    assert await change(workspace, number, {"ids": ["a@x", "7"]}, query="?id_type=email") == (200, {})
    assert [row["subject"] for row in await workspace.log()] == [{"kind": "email", "value": "a@x"}]


@pytest.mark.parametrize(
    ("query", "ids", "taken"),
    [
        ("", ["", " ", None, True, [], "x" * 151, "cio_1"], [("id", "cio_1")]),
        ("?id_type=id", ["1"], [("id", "1")]),
        ("?id_type=", ["1"], [("id", "1")]),
        ("?id_type=cio_id", ["cio_0300001f", "0300001f", "a@x", "cio_"], [("cio_id", "0300001f")] * 2),
        ("?id_type=email", ["7", ""], []),
    ],
)
async def test_what_is_taken(workspace: Keys, query: str, ids: list[Any], taken: list[tuple[str, str]]) -> None:
    number = await made(workspace, "hand", MANUAL)
    assert await change(workspace, number, {"ids": ids}, query=query) == (200, {})
    assert [(row["subject"]["kind"], row["subject"]["value"]) for row in await workspace.log()] == taken


async def test_api_case_39_a_thousand_at_most(workspace: Keys) -> None:
    number = await made(workspace, "hand", MANUAL)
    ids = [str(n) for n in range(1001)]
    status, answer = await change(workspace, number, {"ids": ids})
    said = "ids cannot hold more than 1000 entries"
    assert (status, answer) == (400, {"meta": {"error": said, "errors": [said]}})
    assert await workspace.log() == []
    assert await change(workspace, number, {"ids": ids[:1000]}) == (200, {})
    assert len(await workspace.log()) == 1000


@pytest.mark.parametrize("word", ["add", "remove"])
async def test_api_case_39_a_segment_of_conditions_takes_nobody(workspace: Keys, word: str) -> None:
    number = await made(workspace, "paying", DYNAMIC)
    for segment, said in (
        (number, "segment is not a manual segment"),
        (number + 1, "segment does not exist"),
        ("paying", "segment does not exist"),
        ("9" * 30, "segment does not exist"),
        ("%20", "segment does not exist"),
    ):
        status, answer = await change(workspace, segment, {"ids": ["7"]}, word)
        assert (status, answer) == (400, {"meta": {"error": said, "errors": [said]}})
    assert await workspace.log() == []


@pytest.mark.parametrize(
    ("body", "query", "said"),
    [
        ({}, "", "ids must be present"),
        ([], "", "ids must be present"),
        ({"ids": None}, "", "ids must be present"),
        ({"ids": "7"}, "", "ids must be an array"),
        ({"ids": []}, "", "ids cannot be empty"),
        ({"ids": ["7"]}, "?id_type=phone", "id_type must be id, email or cio_id"),
    ],
)
async def test_refusals(workspace: Keys, body: Any, query: str, said: str) -> None:
    number = await made(workspace, "hand", MANUAL)
    status, answer = await change(workspace, number, body, query=query)
    assert (status, answer["meta"]) == (400, {"error": said, "errors": [said]})
    assert await workspace.log() == []


async def test_where_email_is_no_identifier(workspace: Keys) -> None:
    number = await made(workspace, "hand", MANUAL)
    await workspace.call("PUT", "/v1/definitions/settings/workspace", {"identifiers": "id_only"})
    status, answer = await change(workspace, number, {"ids": ["a@x"]}, query="?id_type=email")
    assert (status, answer["meta"]["error"]) == (400, "email is not an identifier in this workspace")


async def test_a_credential_is_asked_for(workspace: Keys) -> None:
    answer = await workspace.http.post("/v1/segments/1/add_customers", content=b"{")
    assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized request"}})
