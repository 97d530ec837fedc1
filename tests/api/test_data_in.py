"""The Data In log over HTTP (API-40, API-15, PPL-17): what came in and became what, what was refused, events again."""

from __future__ import annotations

import asyncio

import pytest

from api.management.data_in import DataInAnswer, DataInPage
from clock import system_now
from services.rejections import Rejections, beginning
from store.reads import data_in as reads
from tests.api.conftest import Keys
from tests.support.working import apply_all

PLAIN = "Track API: Default"


async def get(keys: Keys, path: str = "/v1/data_in", expected: int = 200, **params):
    answer = await keys.call("GET", path, params=params)
    assert answer.status_code == expected
    return answer.json()


async def listed(keys: Keys, path: str = "/v1/data_in", **params) -> list[dict]:
    return (await get(keys, path, **params))["data_in"]


async def walked(keys: Keys, **params) -> list[dict]:
    found, start = [], ""
    while True:
        page = await get(keys, start=start, **params)
        found += page["data_in"]
        start = page["next"]
        if not start:
            return found


async def event(keys: Keys, person: str = "7", **body):
    answer = await keys.track("POST", f"/api/v1/customers/{person}/events", {"name": "bought", **body})
    assert answer.status_code == 200


async def test_what_came_in_and_what_became_of_it(workspace):
    await workspace.put("7", {"email": "ann@example.com", "plan": "pro"})
    await event(workspace, id="e1", data={"price": 3})
    await event(workspace, id="e1")
    await workspace.put("cio_deadbeef", {"x": 1})
    await workspace.put("new", {"_update": True})
    await apply_all(workspace.db)
    await event(workspace)
    answer = await get(workspace)
    DataInPage.model_validate(answer)
    entries = answer["data_in"]
    assert [(entry["op"], entry["status"]) for entry in entries] == [
        ("event", "pending"),
        ("identify", "failed"),
        ("identify", "ignored"),
        ("event", "duplicate"),
        ("event", "applied"),
        ("identify", "applied"),
    ]
    first = entries[-1]
    assert first["source"] == PLAIN
    assert first["identifiers"] == [{"id": "7"}, {"email": "ann@example.com"}]
    assert first["body"]["attributes"] == {"email": "ann@example.com", "plan": "pro"}
    assert first["cio_id"]
    assert first["received_at"]
    assert first["applied_at"]
    assert entries[0]["applied_at"] is entries[0]["cio_id"] is None
    assert "Nobody matches" in entries[1]["note"]
    one = await get(workspace, f"/v1/data_in/{first['seq']}")
    DataInAnswer.model_validate(one)
    assert one["data_in"] == first


async def test_filters(workspace):
    await workspace.put("7", {"email": "ann@example.com"})
    await workspace.put("8", {"email": "ann@example.com"})
    await event(workspace)
    await apply_all(workspace.db)
    await workspace.put("ann@example.com", {"plan": "pro"})
    await workspace.put("nobody", {"_update": True})
    await apply_all(workspace.db)
    await event(workspace, person="ann@example.com")
    assert {entry["status"] for entry in await listed(workspace, status="pending")} == {"pending"}
    failed = await listed(workspace, status="failed")
    assert failed[0]["identifiers"] == [{"id": "nobody"}]
    assert [entry["op"] for entry in await listed(workspace, op="event")] == ["event", "event"]
    hers = await listed(workspace, customer_id="7")
    assert [(entry["op"], entry["status"]) for entry in hers] == [
        ("event", "pending"),
        ("identify", "applied"),
        ("event", "applied"),
        ("identify", "failed"),
        ("identify", "applied"),
    ]
    assert await listed(workspace, customer_id="ANN@example.com", id_type="email") == hers
    assert await listed(workspace, customer_id=hers[1]["cio_id"], id_type="cio_id") == hers
    assert await listed(workspace, customer_id="7", status="applied", op="event") == [hers[2]]
    # Whom nobody is may still have been named.
    assert [entry["status"] for entry in await listed(workspace, customer_id="nobody")] == ["failed"]
    assert await listed(workspace, customer_id="stranger") == []
    assert len(await listed(workspace, source=PLAIN)) == len(await listed(workspace, source="Track API")) == 6
    assert await listed(workspace, source="App API") == []
    for params in ({"status": "gone"}, {"limit": 0}, {"start": "e30"}, {"customer_id": "1", "id_type": "phone"}):
        await get(workspace, expected=400, **params)


async def test_refused_calls_stand_among_the_others(workspace):
    await workspace.put("7", {"plan": "pro"})
    refused = await workspace.put("7", {"long": "x" * 2000, "note": "\u00e9" * 200})
    assert refused.status_code == 400
    await workspace.track("POST", "/api/v1/customers/a%2Fb/events", b'{"name": "\\u0000"}')
    await workspace.track("POST", "/api/v2/entity", {"type": "person"})
    await event(workspace)
    entries = await listed(workspace)
    assert [entry["status"] for entry in entries] == ["pending", "rejected", "rejected", "rejected", "pending"]
    assert await walked(workspace, limit=1) == await walked(workspace, limit=2) == entries
    rejected = await listed(workspace, status="rejected")
    assert rejected == entries[1:4]
    long = rejected[2]
    assert (long["source"], long["path"], long["http_status"]) == (PLAIN, "/api/v1/customers/7", 400)
    assert long["note"] == "value for attribute 'long' cannot be longer than 1000 bytes"
    assert long["body"].startswith('{"long": "xxx')
    assert len(long["body"].encode()) == 1024
    assert rejected[1]["path"] == "/api/v1/customers/a/b/events"
    assert (await get(workspace, f"/v1/data_in/{long['id']}"))["data_in"] == long
    assert [e["status"] for e in await listed(workspace, customer_id="7")] == ["pending", "pending"]
    assert await listed(workspace, op="event", status="rejected") == []
    assert len(await listed(workspace, source="Track API", status="rejected")) == 3
    assert await listed(workspace, source="Pipelines API", status="rejected") == []


async def test_a_batch_that_is_taken_in_part(workspace):
    good = {"type": "person", "action": "identify", "identifiers": {"id": "7"}, "attributes": {}}
    bad = {"type": "person", "action": "event", "identifiers": {"id": "7"}}
    answer = await workspace.track("POST", "/api/v2/batch", {"batch": [good, bad]})
    assert answer.status_code == 207
    (entry,) = await listed(workspace, status="rejected")
    assert (entry["http_status"], entry["note"]) == (207, "event name must not be blank")


async def test_whoever_is_not_known_leaves_no_trace(workspace):
    answer = await workspace.http.put("/api/v1/customers/7", auth=("site", "key"), content=b"{")
    assert answer.status_code == 401
    assert (await workspace.call("PUT", "/v1/definitions/segment/x", b"{")).status_code == 400
    assert await listed(workspace) == []


async def test_a_flood_of_refused_calls_is_kept_in_part(workspace):
    rejections = Rejections(workspace.db, most=3)
    now = system_now()
    call = {"source": "s", "path": "/p", "status": 400, "errors": ["e" * 900] * 30}
    for _ in range(8):
        await rejections.note(workspace.id, **call, body=b"{", at=now)
    assert rejections.dropped == 5
    kept = await listed(workspace, status="rejected")
    assert len(kept) == 3
    assert len(kept[0]["note"]) < 10_000
    answers = await asyncio.gather(*(workspace.put("7", b"{") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {400}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", ""),
        (b"\xff\x00{", "\ufffd{"),
        (b"x" * 1023 + "é".encode(), "x" * 1023),
        (b"x" * 1022 + "é".encode() + b"y", "x" * 1022 + "é"),
        (b"x" * 5000, "x" * 1024),
    ],
)
def test_the_beginning_of_a_body_is_text(body, kept):
    assert beginning(body) == kept


async def test_suppressed_people_are_hidden_and_deleted_ones_say_nothing(workspace):
    await workspace.put("7", {"email": "ann@example.com", "plan": "secret"})
    await workspace.put("8", {"plan": "secret"})
    await apply_all(workspace.db)
    await workspace.track("POST", "/api/v1/customers/7/suppress")
    await workspace.track("DELETE", "/api/v1/customers/8")
    await apply_all(workspace.db)
    await workspace.put("7", {"plan": "secret"})
    await workspace.put("ann@example.com", {"plan": "secret"})
    before = await listed(workspace, status="pending")
    await apply_all(workspace.db)
    entries = await listed(workspace)
    assert "secret" not in str(entries)
    assert {entry["status"] for entry in entries} == {"erased"}
    await get(workspace, f"/v1/data_in/{before[0]['seq']}", 404)


async def test_events_happen_again(workspace):
    await event(workspace, id="e1", data={"price": 3}, timestamp=1_700_000_000)
    await apply_all(workspace.db)
    (first,) = await listed(workspace)
    for _ in range(2):
        answer = await workspace.call("POST", f"/v1/data_in/{first['seq']}/resend")
        assert answer.status_code == 202
    await apply_all(workspace.db)
    again = (await listed(workspace))[0]
    assert (again["status"], again["source"]) == ("applied", "Resend: Default")
    assert (again["body"]["name"], again["body"]["data"]) == ("bought", {"price": 3})
    assert not {"event_id", "timestamp"} & again["body"].keys()
    async with workspace.db.connection() as conn:
        count = await conn.fetchval("SELECT count(*) FROM events WHERE workspace_id = $1", workspace.id)
    assert count == 3


async def test_what_cannot_happen_again(workspace):
    await workspace.put("7", {"plan": "pro"})
    await workspace.put("7", b"{")
    refused, accepted = await listed(workspace)
    answer = await workspace.call("POST", f"/v1/data_in/{accepted['id']}/resend")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not_applicable")
    for name in (refused["id"], "123456789", "x", "r", "9" * 30):
        assert (await workspace.call("POST", f"/v1/data_in/{name}/resend")).status_code == 404
        if name != refused["id"]:
            await get(workspace, f"/v1/data_in/{name}", 404)


async def test_the_log_of_one_source(workspace):
    made = await workspace.http.post(
        f"/v1/workspaces/{workspace.id}/credentials",
        json={"kind": "track", "name": "Shop: web"},
        headers=workspace.admin,
    )
    shop = made.json()
    pair = (shop["site_id"], shop["api_key"])
    await workspace.put("7", {})
    await workspace.http.put("/api/v1/customers/8", auth=pair, content=b"{}")
    await workspace.http.put("/api/v1/customers/8", auth=pair, content=b"[")
    entries = await listed(workspace, f"/admin/sources/{shop['id']}/log")
    assert [(entry["source"], entry["status"]) for entry in entries] == [
        ("Track API: Shop: web", "rejected"),
        ("Track API: Shop: web", "pending"),
    ]
    assert len(await listed(workspace, f"/admin/sources/{shop['id']}/log", status="rejected")) == 1
    await get(workspace, "/admin/sources/99/log", 404)


async def test_a_search_in_vain_goes_on_where_it_stopped(workspace, monkeypatch):
    monkeypatch.setattr(reads, "SCAN_ROWS", 2)
    await workspace.put("7", {})
    await workspace.put("7", b"[")
    for _ in range(15):
        await event(workspace)
    page = await get(workspace, op="identify")
    assert (page["data_in"], bool(page["next"])) == ([], True)
    assert [entry["op"] for entry in await walked(workspace, op="identify")] == ["identify"]
    whole = await walked(workspace)
    assert [entry["status"] for entry in whole] == ["pending"] * 15 + ["rejected", "pending"]
    assert await walked(workspace, limit=4) == whole
