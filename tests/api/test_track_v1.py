"""Track v1 over real HTTP: what is accepted stands in the log, what is refused says why and leaves nothing."""

from __future__ import annotations

import gzip
import json
import zlib

import httpx
import pytest

from tests.api.conftest import Keys, Server
from tests.support.raw_http import Pair, raw

ULID = "01BX5ZZKBKACTAV9WEVGEMMVRY"
EVENTS = "/api/v1/customers/7/events"


def pair(keys: Keys) -> Pair:
    return Pair(keys.site_id, keys.api_key)


async def test_api_case_1_identify_and_the_log(workspace: Keys) -> None:
    answer = await workspace.put("5", {"email": "Bob@x.io", "plan": "basic"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"{}", "application/json")
    again = await workspace.put("bob@X.IO", {"plan": "pro"})
    assert again.status_code == 200
    first, second = await workspace.log()
    assert first["subject"] == {"kind": "id", "value": "5"}
    assert first["attributes"] == {"email": "Bob@x.io", "plan": "basic"}
    assert first["source"] == "Track API: Default"
    assert second["subject"] == {"kind": "email", "value": "bob@X.IO"}


async def test_api_case_2_ids_keep_their_case(workspace: Keys) -> None:
    await workspace.put("ab100", {})
    await workspace.put("AB100", {})
    assert [row["subject"]["value"] for row in await workspace.log()] == ["ab100", "AB100"]


async def test_api_case_3_an_email_alone_then_an_id(workspace: Keys) -> None:
    await workspace.put("lead@x.io", {})
    await workspace.put("u1", {"email": "lead@x.io"})
    first, second = await workspace.log()
    assert first["subject"]["kind"] == "email"
    assert (second["subject"], second["attributes"]) == ({"kind": "id", "value": "u1"}, {"email": "lead@x.io"})


async def test_api_case_6_an_unknown_cio_id_is_accepted(workspace: Keys) -> None:
    assert (await workspace.put("cio_deadbeef", {"x": 1})).status_code == 200
    (row,) = await workspace.log()
    assert row["subject"] == {"kind": "cio_id", "value": "deadbeef"}


async def test_api_case_7_update_only(workspace: Keys) -> None:
    assert (await workspace.put("new", {"_update": True, "x": 1})).status_code == 200
    (row,) = await workspace.log()
    assert row["update_only"] is True
    assert row["attributes"] == {"x": 1}


@pytest.mark.parametrize("value", ["TRUE", 1, "1", True, "yes", 0, None])
async def test_api_case_9_unsubscribed_is_kept_as_it_came(workspace: Keys, value: object) -> None:
    assert (await workspace.put("7", {"unsubscribed": value})).status_code == 200
    (row,) = await workspace.log()
    assert row["attributes"] == {"unsubscribed": value}


@pytest.mark.parametrize(
    ("path", "kind", "value"),
    [
        ("a%2Fb%2Bc%40x.com", "email", "a/b+c@x.com"),
        ("a+b@x.com", "email", "a+b@x.com"),
        ("a%2Bb%40x.com", "email", "a+b@x.com"),
        ("a%20b", "id", "a b"),
        ("%2531", "id", "%31"),
        ("%C3%BC", "id", "ü"),
        ("a%2Fb", "id", "a/b"),
        ("%2F", "id", "/"),
        ("..", "id", ".."),
        ("cio_", "id", "cio_"),
    ],
)
async def test_api_case_10_path_values(workspace: Keys, server: Server, path: str, kind: str, value: str) -> None:
    status, _ = await raw(server.port, pair(workspace), "PUT", f"/api/v1/customers/{path}", b"{}")
    assert status == 200
    (row,) = await workspace.log()
    assert row["subject"] == {"kind": kind, "value": value}


@pytest.mark.parametrize("path", ["%FF", "%C3", "%00", "a%00b", "%ED%A0%80"])
async def test_path_values_that_are_no_text(workspace: Keys, server: Server, path: str) -> None:
    status, body = await raw(server.port, pair(workspace), "PUT", f"/api/v1/customers/{path}", b"{}")
    assert status == 400
    assert json.loads(body)["meta"]["error"]
    assert await workspace.log() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/customers/7"),
        ("PUT", "/api/v1/customers/7/"),
        ("PUT", "/api/v1//customers/7"),
        ("PUT", "//api/v1/customers/7//"),
        ("PUT", "/v1/customers/7"),
        ("PUT", "/v1/customers/7/"),
        ("POST", "/api/v1/customer/7"),
    ],
)
async def test_spellings_of_identify(workspace: Keys, server: Server, method: str, path: str) -> None:
    status, body = await raw(server.port, pair(workspace), method, path, b'{"a":1}')
    assert (status, body) == (200, b"{}")
    (row,) = await workspace.log()
    assert (row["op"], row["subject"]["value"]) == ("identify", "7")


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    "path", ["/api/v1/customers/7/events", "/v1/customers/7/events/", "/api/v1//customers/7/events"]
)
async def test_spellings_of_track(workspace: Keys, server: Server, method: str, path: str) -> None:
    status, body = await raw(server.port, pair(workspace), method, path, b'{"name":"e"}')
    assert (status, body) == (200, b"{}")
    (row,) = await workspace.log()
    assert (row["op"], row["name"]) == ("event", "e")


async def test_api_case_11_event_names_and_data(workspace: Keys) -> None:
    kept = await workspace.track("POST", EVENTS, {"name": "  purchased ", "data": {"price": 23.45}})
    assert kept.status_code == 200
    blank = await workspace.track("POST", EVENTS, {"name": "", "data": {}})
    assert blank.status_code == 400
    meta = blank.json()["meta"]
    assert meta["error"] == meta["errors"][0] == "event name must not be blank"
    no_hash = await workspace.track("POST", EVENTS, {"name": "e", "data": ""})
    assert no_hash.status_code == 400
    assert no_hash.json()["meta"]["error"] == "event data must be a hash"
    (row,) = await workspace.log()
    assert (row["name"], row["data"]) == ("purchased", {"price": 23.45})


async def test_api_case_13_an_event_id_may_come_twice(workspace: Keys) -> None:
    for _ in range(2):
        assert (await workspace.track("POST", EVENTS, {"name": "e", "id": ULID})).status_code == 200
    assert [row["event_id"] for row in await workspace.log()] == [ULID, ULID]


async def test_form_encoded_events(workspace: Keys) -> None:
    form = b"name=purchased&data[price]=23.45&data[tags][]=a&data[tags][]=b&timestamp=1700000000"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert (await workspace.track("POST", EVENTS, form, headers=headers)).status_code == 200
    (row,) = await workspace.log()
    assert row["data"] == {"price": "23.45", "tags": ["a", "b"]}
    assert row["timestamp"] == 1_700_000_000


@pytest.mark.parametrize("form", [b"name=a&data=1&data[x]=2", b"name=%00", b"name=%FF", b"&".join([b"a=1"] * 1001)])
async def test_forms_that_are_refused(workspace: Keys, form: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await workspace.track("POST", EVENTS, form, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["meta"]["errors"]
    assert await workspace.log() == []


@pytest.mark.parametrize(
    ("header", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress), ("identity", bytes)],
)
async def test_compressed_bodies(workspace: Keys, header: str, pack: object) -> None:
    body = pack(b'{"plan":"pro"}')  # type: ignore[operator]
    answer = await workspace.track("PUT", "/api/v1/customers/7", body, headers={"Content-Encoding": header})
    assert answer.status_code == 200
    assert [row["attributes"] for row in await workspace.log()] == [{"plan": "pro"}]


async def test_what_unpacks_to_too_much(workspace: Keys) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    answer = await workspace.track("PUT", "/api/v1/customers/7", bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "larger" in answer.json()["meta"]["error"]
    assert await workspace.log() == []


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Encoding": "gzip"}, b"not packed", 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"{}")[:-4], 400),
        ({"Content-Encoding": "br"}, b"{}", 415),
    ],
)
async def test_encodings_that_are_refused(workspace: Keys, headers: dict[str, str], body: bytes, status: int) -> None:
    answer = await workspace.track("PUT", "/api/v1/customers/7", body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["meta"]["errors"]


async def test_the_size_limit_is_128_kb(workspace: Keys) -> None:
    data = {"name": "e", "data": {"x": "y" * 99_000}, "more": "z" * 30_000}
    assert (await workspace.track("POST", EVENTS, data)).status_code == 200
    data["more"] = "z" * 40_000
    assert (await workspace.track("POST", EVENTS, data)).status_code == 400
    assert len(await workspace.log()) == 1


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic c2l0ZQ==", "Basic Og==", "Basic 4pyT4pyT", "Bearer x", "Basic " + "A" * 4000],
)
async def test_credentials_that_are_refused(workspace: Keys, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = await workspace.http.put("/api/v1/customers/7", headers=headers, content=b"not even JSON")
    assert answer.status_code == 401
    assert answer.json() == {"meta": {"error": "Unauthorized request"}}
    assert await workspace.log() == []


async def test_a_wrong_key_and_somebody_elses(workspace: Keys, live: Keys) -> None:
    for pair in ((workspace.site_id, "wrong"), ("wrong", workspace.api_key), (live.site_id, workspace.api_key)):
        answer = await workspace.http.put("/api/v1/customers/7", auth=httpx.BasicAuth(*pair), content=b"{}")
        assert answer.status_code == 401
    assert await workspace.log() == []


async def test_the_url_safe_alphabet_without_padding(workspace: Keys, server: Server) -> None:
    import base64

    pair = f"{workspace.site_id}:{workspace.api_key}".encode()
    encoded = base64.urlsafe_b64encode(pair).decode().rstrip("=")
    headers = {"Authorization": f"basic {encoded}"}
    assert (await server.http.put("/api/v1/customers/7", headers=headers, content=b"{}")).status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"id": True}, "id attribute must be a string value"),
        ({"id": ""}, "id attribute cannot be an empty string"),
        ({f"a{i}": i for i in range(301)}, "cannot identify more than 300 attributes in one request"),
        ({"n" * 151: 1}, "attribute name cannot be longer than 150 bytes"),
        ({"a": "ü" * 501}, "value for attribute 'a' cannot be longer than 1000 bytes"),
        ({"a": list(range(400))}, "value for attribute 'a' cannot be longer than 1000 bytes"),
        ({"_relationship": 1}, "attribute name cannot be '_relationship'"),
        ({"_timestamp": "soon"}, "_timestamp must be a Unix timestamp in seconds"),
        ({"_update": "yes"}, "_update must be true or false"),
        ([], "attributes must be a hash"),
        ("x", "attributes must be a hash"),
        ({"anonymous_id": []}, "anonymous_id must be a string value"),
        ({"anonymous_id": "x" * 151}, "anonymous_id cannot be longer than 150 bytes"),
        ({"cio_relationships": "acme"}, "cio_relationships must be an array"),
        ({"cio_relationships": {"action": "add_relationships"}}, "cio_relationships.relationships must be present"),
        (
            {"cio_relationships": {"action": "dance", "relationships": []}},
            "cio_relationships action must be add_relationships or delete_relationships",
        ),
        ({"cio_relationships": [5]}, "a relationship must be a hash"),
        ({"cio_relationships": [{}]}, "identifiers must be present"),
        ({"cio_relationships": [{"identifiers": {"object_type_id": "1"}}]}, "object_id must be present"),
        (
            {"cio_relationships": [{"identifiers": {"object_type_id": "x", "object_id": "a"}}]},
            "object_type_id must be a whole number from 1",
        ),
        (
            {"cio_relationships": [{"identifiers": {"object_id": "a"}, "relationship_attributes": "b"}]},
            "relationship_attributes must be a hash",
        ),
    ],
)
async def test_identify_texts(workspace: Keys, body: object, said: str) -> None:
    answer = await workspace.put("7", body)
    assert answer.status_code == 400
    meta = answer.json()["meta"]
    assert meta["error"] == said
    assert meta["errors"][0] == said
    assert await workspace.log() == []


async def test_every_fault_is_told(workspace: Keys) -> None:
    answer = await workspace.put("7", {"id": 1.5, "a" * 200: 1, "b": "x" * 2000})
    assert answer.json()["meta"]["errors"] == [
        "id attribute must be a string value",
        "attribute name cannot be longer than 150 bytes",
        "value for attribute 'b' cannot be longer than 1000 bytes",
    ]


@pytest.mark.parametrize("path", ["/api/v1/customers/", "/api/v1/customers/%20", "/api/v1/customers/" + "x" * 151])
async def test_identifiers_that_are_none(workspace: Keys, path: str) -> None:
    answer = await workspace.track("PUT", path, {})
    assert answer.status_code == 400
    assert answer.json()["meta"]["error"].startswith("id attribute cannot be")


async def test_settings_of_the_workspace_count_at_once(workspace: Keys) -> None:
    assert (await workspace.put("a@x.io", {"v": "x" * 900})).status_code == 200
    settings = {"identifiers": "id_only", "limits": {"attribute_value_bytes": 800}}
    put = await workspace.call("PUT", "/v1/definitions/settings/workspace", settings)
    assert put.status_code == 201, put.text
    assert (await workspace.put("a@x.io", {"v": "x" * 900})).status_code == 400
    assert (await workspace.put("a@x.io", {"v": "x" * 700})).status_code == 200
    assert [row["subject"]["kind"] for row in await workspace.log()] == ["email", "id"]


async def test_reserved_names_ask_for_operations_of_their_own_in_this_order(workspace: Keys) -> None:
    acme = {"identifiers": {"object_type_id": "2", "object_id": "acme"}, "relationship_attributes": {"role": "owner"}}
    body = {
        "plan": "pro",
        "anonymous_id": "a1",
        "cio_relationships": {"action": "add_relationships", "relationships": [acme]},
        "cio_subscription_preferences": {"topics": {"topic_1": True}},
        "cio_subscription_preferences.topics.topic_2": False,
    }
    assert (await workspace.put("7", body)).status_code == 200
    identify, bind, relate = await workspace.log()
    seven = {"kind": "id", "value": "7"}
    assert identify["attributes"] == {
        "plan": "pro",
        "cio_subscription_preferences": {"topics": {"topic_1": True}},
        "cio_subscription_preferences.topics.topic_2": False,
    }
    assert (bind["op"], bind["subject"], bind["anonymous_id"]) == ("bind_anonymous", seven, "a1")
    assert (relate["op"], relate.get("action", "add"), relate["existing_people"]) == ("relationships", "add", True)
    assert relate["edges"] == [
        {"person": seven, "object": {"object_type_id": 2, "object_id": "acme"}, "attributes": {"role": "owner"}}
    ]


@pytest.mark.parametrize(
    ("said", "action"),
    [
        ({"action": "add_relationships"}, "add"),
        ({"action": "delete_relationships"}, "delete"),
        ({"action": "remove_relationships"}, "delete"),
        ({}, "add"),
        (None, "add"),
    ],
)
async def test_spellings_of_relationships(workspace: Keys, said: dict[str, str] | None, action: str) -> None:
    related = [{"identifiers": {"object_id": "acme"}}, {"identifiers": {"cio_object_id": "oba886080104"}}]
    body = {"cio_relationships": related if said is None else {**said, "relationships": related}}
    assert (await workspace.put("7", body)).status_code == 200
    _, relate = await workspace.log()
    assert relate.get("action", "add") == action
    assert [edge["object"] for edge in relate["edges"]] == [{"object_id": "acme"}, {"cio_object_id": "oba886080104"}]


async def test_api_case_5_two_identifiers_that_are_two_people(workspace: Keys) -> None:
    await workspace.put("1", {"plan": "pro"})
    await workspace.put("b@x", {"city": "Rome"})
    assert (await workspace.put("1", {"email": "b@x"})).status_code == 200
    *_, last = await workspace.log()
    assert (last["subject"], last["attributes"]) == ({"kind": "id", "value": "1"}, {"email": "b@x"})


async def test_the_probe_of_a_credential(workspace: Keys, server: Server) -> None:
    answer = await workspace.track("GET", "/api/v1/accounts/region")
    assert answer.json() == {"url": server.url, "region": "us", "environment_id": workspace.id}
    auth = await workspace.track("GET", "/auth")
    assert (auth.status_code, auth.json()) == (200, {"meta": {"message": "ok"}})
    for path in ("/auth", "/api/v1/accounts/region"):
        refused = await workspace.http.get(path)
        assert (refused.status_code, refused.json()) == (401, {"meta": {"error": "Unauthorized request"}})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v1/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v1/customers/7", 405),
        ("PATCH", "/api/v1/customers/7", 405),
        ("GET", "/api/v1/customers/7/suppress", 405),
        ("POST", "/auth", 405),
        ("PUT", "/v1/customers/7/devices/x", 405),
        ("PUT", "/api/v1/merge_customers", 405),
    ],
)
async def test_what_is_not_there(workspace: Keys, method: str, path: str, status: int) -> None:
    answer = await workspace.track(method, path)
    assert answer.status_code == status
    assert answer.json()["meta"]["error"]
