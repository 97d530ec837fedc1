"""Collections over HTTP: as the vendor has them, as documents, and their rows from anywhere."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from api.management import collections as shapes
from domain.collections import MOST_BYTES, MOST_COLLECTIONS, MOST_ROW_BYTES
from tests.api.conftest import Keys

ROWS = [{"id": 1, "level": "beginner", "rank": 1.5}, {"id": 2, "tags": ["a"], "level": None}]
URL = "https://example.com/courses"


async def call(workspace: Keys, method: str, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
    answer = await workspace.call(method, path, body, **options)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def make(workspace: Keys, **body: Any) -> dict[str, Any]:
    return (await call(workspace, "POST", "/v1/collections", {"name": "Courses", **body}))["collection"]


async def rows(workspace: Keys, number: int) -> Any:
    return await call(workspace, "GET", f"/v1/collections/{number}/content")


async def answer_with(workspace: Keys, *bodies: Any, **more: Any) -> None:
    """What the outside says to the next calls of a sandbox."""
    rules = [{"channel": "webhook", "outcome": "answer", "body": body, "times": 1, **more} for body in bodies]
    await call(workspace, "PUT", "/v1/mailbox/faults", {"faults": rules})


async def test_a_collection_is_made_read_changed_and_deleted(workspace: Keys):
    made = await make(workspace, data=ROWS)
    shapes.CollectionAnswer.model_validate({"collection": made})
    assert {name: made[name] for name in ("id", "key", "name", "schema", "rows")} == {
        "id": 1,
        "key": "courses",
        "name": "Courses",
        "schema": ["id", "level", "rank", "tags"],
        "rows": 2,
    }
    assert made["bytes"] == len(json.dumps(ROWS, separators=(",", ":")))
    assert await rows(workspace, 1) == ROWS
    assert await call(workspace, "GET", "/v1/collections/1") == {"collection": made}
    assert await call(workspace, "GET", "/v1/collections") == {"collections": [made]}
    renamed = (await call(workspace, "PUT", "/v1/collections/1", {"name": "Lessons"}))["collection"]
    assert (renamed["name"], renamed["key"], renamed["rows"]) == ("Lessons", "courses", 2)
    assert await rows(workspace, 1) == ROWS
    changed = (await call(workspace, "PUT", "/v1/collections/1", {"data": [{"x": 1}]}))["collection"]
    assert (changed["name"], changed["schema"], changed["rows"]) == ("Lessons", ["x"], 1)
    await call(workspace, "DELETE", "/v1/collections/1", status=204)
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        await call(workspace, method, f"/v1/collections/1{path}", status=404)
    assert (await make(workspace, data=[]))["id"] == 2


async def test_the_paths_of_the_guide_are_the_same(workspace: Keys):
    made = (await call(workspace, "POST", "/v1/api/collections", {"name": "A", "data": ROWS}))["collection"]
    path = f"/v1/api/collections/{made['id']}"
    assert await call(workspace, "GET", path) == {"collection": made}
    assert await call(workspace, "GET", f"{path}/content") == ROWS
    await call(workspace, "PUT", path, {"name": "B"})
    await call(workspace, "PUT", f"{path}/content", [])
    assert [c["name"] for c in (await call(workspace, "GET", "/v1/api/collections/"))["collections"]] == ["B"]
    await call(workspace, "DELETE", path, status=204)


@pytest.mark.parametrize(
    ("body", "media", "expected"),
    [
        (b'[{"a": 1}]', "application/json", [{"a": 1}]),
        (b'{"data": [{"a": 1}]}', "application/json", [{"a": 1}]),
        (b'[{"a": 1}]', "", [{"a": 1}]),
        (b'{"a": 1}\n\n{"a": {"b": 2}}\n', "application/x-ndjson", [{"a": 1}, {"a": {"b": 2}}]),
        (b'{"a": 1}\n{"a": 2}', "application/json", [{"a": 1}, {"a": 2}]),
        (b"a,b\r\n1,\r\n\r\n2,x y", "text/csv; charset=utf-8", [{"a": "1", "b": ""}, {"a": "2", "b": "x y"}]),
        ('\ufeffa,b\n"1,5"\n'.encode(), "text/csv", [{"a": "1,5"}]),
        (b"", "text/csv", []),
    ],
)
async def test_rows_come_as_json_as_lines_and_as_csv(workspace: Keys, body: bytes, media: str, expected: Any):
    await make(workspace, data=ROWS)
    headers = {"Content-Type": media} if media else {}
    answer = await call(workspace, "PUT", "/v1/collections/1/content", body, headers=headers)
    assert answer["collection"]["rows"] == len(expected)
    assert await rows(workspace, 1) == expected


async def test_of_a_packed_body_nothing_is_left_out_in_silence(workspace: Keys):
    await make(workspace, data=ROWS)
    packed = gzip.compress(b"a\n1\n") + gzip.compress(b"2\n")
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    await call(workspace, "PUT", "/v1/collections/1/content", packed, status=400, headers=headers)
    assert await rows(workspace, 1) == ROWS


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"{}", "application/json"),
        (b"5", "application/json"),
        (b"[1]", "application/json"),
        (b'[{"a": NaN}]', "application/json"),
        (b'[{"a": "\\u0000"}]', "application/json"),
        (b'{"a": 1}\nnonsense', "application/json"),
        (b"", "application/json"),
        (b"a,a\n1,2", "text/csv"),
        (b"a,\n1,2", "text/csv"),
        (b"a\n1,2", "text/csv"),
        (b'a\n"1', "text/csv"),
        (b"a\n\xff", "text/csv"),
        (b"a\n\x00", "text/csv"),
        (json.dumps([{"a": "x" * MOST_ROW_BYTES}]).encode(), "application/json"),
    ],
)
async def test_rows_that_are_none_are_refused_and_nothing_changes(workspace: Keys, body: bytes, media: str):
    await make(workspace, data=ROWS)
    answer = await call(
        workspace, "PUT", "/v1/collections/1/content", body, status=400, headers={"Content-Type": media}
    )
    assert answer["errors"][0]["message"]
    assert await rows(workspace, 1) == ROWS


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({}, "/name"),
        ({"name": 5, "data": []}, "/name"),
        ({"name": "", "data": []}, "/name"),
        ({"name": "A"}, "/data"),
        ({"name": "A", "data": [], "url": URL}, "/data"),
        ({"name": "A", "data": {}}, "/data"),
        ({"name": "A", "data": {"digest": "0" * 64}}, "/data"),
        ({"name": "A", "data": [{"a": 1}, 2]}, "/data/1"),
        ({"name": "A", "url": 5}, "/url"),
        ({"name": "A", "url": "ftp://example.com"}, "/url"),
        ({"name": "A", "data": [], "schema": []}, "/schema"),
    ],
)
async def test_a_body_that_makes_no_collection_is_refused(workspace: Keys, body: Any, pointer: str):
    answer = await call(workspace, "POST", "/v1/collections", body, status=400)
    assert answer["errors"][0]["pointer"] == pointer
    assert await call(workspace, "GET", "/v1/collections") == {"collections": []}


async def test_a_collection_has_a_size_and_a_workspace_a_number_of_them(workspace: Keys):
    many = [{"a": "x" * 10_000}] * (MOST_BYTES // 10_000 + 1)
    answer = await call(workspace, "POST", "/v1/collections", {"name": "A", "data": many}, status=400)
    assert str(MOST_BYTES) in answer["errors"][0]["message"]
    fitting = await make(workspace, data=many[:-2])
    assert fitting["bytes"] <= MOST_BYTES
    documents = [{"kind": "collection", "key": f"c{n}", "name": "C", "data": []} for n in range(MOST_COLLECTIONS - 1)]
    await call(workspace, "PUT", "/v1/definitions", {"definitions": documents})
    answer = await call(workspace, "POST", "/v1/collections", {"name": "B", "data": []}, status=400)
    assert str(MOST_COLLECTIONS) in answer["errors"][0]["message"]
    await call(workspace, "PUT", f"/v1/collections/{fitting['id']}", {"data": []})


async def test_what_is_not_there_is_not_found(workspace: Keys):
    for name in ("1", "x", "0", "99999999999", "-1"):
        await call(workspace, "GET", f"/v1/collections/{name}", status=404)
        await call(workspace, "PUT", f"/v1/collections/{name}", {"name": "A"}, status=404)
        await call(workspace, "PUT", f"/v1/collections/{name}/content", [], status=404)


async def test_the_same_name_twice_makes_two(workspace: Keys):
    keys = [(await make(workspace, data=[{"n": n}]))["key"] for n in range(3)]
    assert len(set(keys)) == 3
    assert [await rows(workspace, n) for n in (1, 2, 3)] == [[{"n": 0}], [{"n": 1}], [{"n": 2}]]


async def test_rows_are_fetched_from_where_a_url_leads(workspace: Keys):
    await answer_with(workspace, ROWS, [{"b": 2}], "a,b\n1,2")
    made = await make(workspace, url=URL)
    assert (made["rows"], await rows(workspace, 1)) == (2, ROWS)
    # Asked for again, the same url is fetched again.
    await call(workspace, "PUT", "/v1/collections/1", {"url": URL})
    assert await rows(workspace, 1) == [{"b": 2}]
    await call(workspace, "PUT", "/v1/collections/1", {"url": URL + ".csv"})
    assert await rows(workspace, 1) == [{"a": "1", "b": "2"}]
    record = await call(workspace, "GET", "/v1/definitions/collection/courses")
    assert (record["definition"]["url"], "data" in record["definition"]) == (URL + ".csv", False)
    # Rows of its own take the place of the url.
    await call(workspace, "PUT", "/v1/collections/1/content", ROWS)
    record = await call(workspace, "GET", "/v1/definitions/collection/courses")
    assert (record["definition"]["data"], "url" in record["definition"]) == (ROWS, False)


async def test_a_url_that_leads_to_no_rows_is_refused_and_nothing_changes(workspace: Keys, live: Keys):
    await make(workspace, data=ROWS)
    refused = await call(workspace, "PUT", "/v1/collections/1", {"url": URL}, status=400)
    assert (refused["errors"][0]["pointer"], "sandbox" in refused["errors"][0]["message"].lower()) == ("/url", True)
    for said in ("nonsense", {"a": 1}, [1]):
        await answer_with(workspace, said)
        refused = await call(workspace, "PUT", "/v1/collections/1", {"url": URL}, status=400)
        assert refused["errors"][0]["pointer"] == "/url"
    await answer_with(workspace, [], status=500)
    await call(workspace, "PUT", "/v1/collections/1", {"url": URL}, status=400)
    assert await rows(workspace, 1) == ROWS
    inside = await call(live, "POST", "/v1/collections", {"name": "A", "url": "http://127.0.0.1:1/a.json"}, status=400)
    assert "private" in inside["errors"][0]["message"]


async def test_a_document_reads_back_as_it_was_put_and_stays_unchanged(workspace: Keys):
    path = "/v1/definitions/collection/courses"
    document = {"name": "Courses", "data": ROWS}
    first = await call(workspace, "PUT", path, document, status=201)
    assert (first["change"]["action"], first["status"]["id"]) == ("create", 1)
    record = await call(workspace, "GET", path)
    assert record["definition"] == {
        "kind": "collection",
        "key": "courses",
        "name": "Courses",
        "description": None,
        "tags": [],
        "data": ROWS,
    }
    assert (await call(workspace, "GET", path, params={"view": "compact"}))["definition"]["data"] == ROWS
    turned = [dict(reversed(row.items())) for row in ROWS]
    for same in (document, {**document, "data": turned}, record["definition"]):
        assert (await call(workspace, "PUT", path, same))["change"]["action"] == "unchanged"
    changed = await call(workspace, "PUT", path, {**document, "data": ROWS[:1]})
    assert (changed["change"]["action"], changed["change"]["revision"]) == ("update", 2)
    assert await rows(workspace, 1) == ROWS[:1]
    await call(workspace, "PUT", path, {**document, "data": []}, params={"dry_run": "true"})
    assert await rows(workspace, 1) == ROWS[:1]
    async with workspace.db.connection() as conn:
        kept = await conn.fetchval(
            "SELECT document FROM definitions WHERE workspace_id = $1 AND kind = 'collection'", workspace.id
        )
    assert set(kept["data"]) == {"digest"}
    await call(workspace, "DELETE", path, status=204)
    await call(workspace, "GET", "/v1/collections/1", status=404)
    async with workspace.db.connection() as conn:
        left = await conn.fetchval("SELECT count(*) FROM collection_contents WHERE workspace_id = $1", workspace.id)
    assert left == 0


async def test_documents_are_refused_where_they_stand(workspace: Keys):
    bundle = [
        {"kind": "collection", "key": "a", "name": "A", "data": [{"x": 1}, 5]},
        {"kind": "collection", "key": "b", "name": "B"},
        {"kind": "collection", "key": "c", "name": "C", "data": {"digest": "0" * 64}},
    ]
    refused = await call(workspace, "PUT", "/v1/definitions", {"definitions": bundle}, status=422)
    assert {(error["pointer"], error["code"]) for error in refused["errors"]} == {
        ("/definitions/0/data/1", "type"),
        ("/definitions/1/data", "required"),
        ("/definitions/2/data", "type"),
    }
    unfetched = {"definitions": [{"kind": "collection", "key": "d", "name": "D", "url": URL}]}
    refused = await call(workspace, "PUT", "/v1/definitions", unfetched, status=422)
    assert refused["errors"][0]["pointer"] == "/definitions/0/url"
    assert await call(workspace, "GET", "/v1/collections") == {"collections": []}


async def test_a_document_with_a_url_is_fetched_when_it_changes(workspace: Keys):
    document = {"kind": "collection", "key": "d", "name": "D", "url": URL}
    await answer_with(workspace, [{"a": 1}], [{"a": 2}])
    await call(workspace, "PUT", "/v1/definitions", {"definitions": [document]})
    again = await call(workspace, "PUT", "/v1/definitions", {"definitions": [document]})
    assert (again["changes"][0]["action"], await rows(workspace, 1)) == ("unchanged", [{"a": 1}])
    await call(workspace, "PUT", "/v1/definitions/collection/d", {"name": "Other", "url": URL})
    assert await rows(workspace, 1) == [{"a": 1}]
    await call(workspace, "PUT", "/v1/definitions/collection/d", {"name": "Other", "url": URL + "/2"})
    assert await rows(workspace, 1) == [{"a": 2}]


async def test_a_list_of_documents_holds_no_more_rows_than_one_answer_may(workspace: Keys):
    large = [{"a": "x" * 10_000}] * 600
    for name in ("a", "b", "c"):
        await make(workspace, name=name, data=large)
    found, start = [], ""
    for _ in range(3):
        page = await call(workspace, "GET", "/v1/definitions/collection", params={"start": start})
        found += [(record["definition"]["key"], len(record["definition"]["data"])) for record in page["definitions"]]
        start = page["next"]
    assert (found, start) == ([("c", 600), ("b", 600), ("a", 600)], "")
