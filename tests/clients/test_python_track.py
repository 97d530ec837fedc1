"""`customerio`, the vendor's Track client for Python, unmodified, over https: every method of it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from customerio import CustomerIO, CustomerIOException

from stack.description import StackDescription
from tests.clients.place import closed_port
from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import activities, attributes, mails, person, timeline

Act = Callable[[CustomerIO], Any]
METHODS = {
    "add_device",
    "backfill",
    "batch",
    "delete",
    "delete_device",
    "identify",
    "merge_customers",
    "pageview",
    "suppress",
    "track",
    "track_anonymous",
    "unsuppress",
}
HELPERS = {
    "close",
    "get_customer_query_string",
    "get_device_query_string",
    "get_event_query_string",
    "get_events_query_string",
    "is_valid_id_type",
    "send_request",
    "setup_base_url",
}
NAMES = ("a/b", "a+b", "a b", "ü/✓", "100%", "?x=1#y", "a%2Fb")


async def using(stack: StackDescription, workspace: Workspace, act: Act, **given: Any) -> None:
    """Do something with the client of a workspace, in a thread as the client blocks, and settle."""
    place = urlsplit(stack.api_tls_url)
    options = {"site_id": workspace.site_id, "api_key": workspace.api_key, "host": place.hostname, "port": place.port}

    def run() -> None:
        with CustomerIO(**{**options, **given}) as client:
            act(client)

    await asyncio.to_thread(run)
    await workspace.settle()


async def test_identify_and_track(trusted: StackDescription, sandbox: Workspace):
    blocks = {"mail": email("{{ customer.first_name }} bought {{ event.items[0].name }} at {{ event.at }}")}
    await sandbox.define(campaign("order", on_event("order placed"), "mail", blocks))
    await sandbox.start("order")

    def act(client: CustomerIO) -> None:
        client.identify(id=7, email="ann@example.com", first_name="Žofie", plan={"name": "pro", "seats": [1, 2.5]})
        client.track(7, "order placed", {"items": [{"name": "klobouk 🎩"}], "at": datetime(2026, 1, 1, 10, tzinfo=UTC)})

    await using(trusted, sandbox, act)
    found = await attributes(sandbox, "7")
    assert found["first_name"] == "Žofie"
    assert found["plan"].replace(" ", "") == '{"name":"pro","seats":[1,2.5]}'
    assert await mails(sandbox) == [(START, f"Žofie bought klobouk 🎩 at {START}")]


async def test_ids_of_every_kind(trusted: StackDescription, sandbox: Workspace):
    def act(client: CustomerIO) -> None:
        for number, name in enumerate(NAMES):
            client.identify(id=name, number=number)
        client.identify(id="a/b+c@x.com", number="mail")
        client.track("a/b", "visit")

    await using(trusted, sandbox, act)
    for number, name in enumerate(NAMES):
        assert (await attributes(sandbox, quote(name, safe="")))["number"] == str(number)
    (found,) = (await sandbox.get("/v1/customers", email="A/B+c@x.com"))["results"]
    assert found["id"] is None


async def test_instants_and_what_is_no_number(trusted: StackDescription, sandbox: Workspace):
    rome = timezone(timedelta(hours=1))

    def act(client: CustomerIO) -> None:
        client.identify(id="7", score=5, gone=1, naive=datetime(2026, 1, 1), aware=datetime(2026, 1, 1, 1, tzinfo=rome))
        client.identify(id="7", score=float("nan"), gone=None)
        client.track("7", "rated", {"score": float("nan"), "list": [float("nan"), 1]})
        client.track("7", "dated", {}, timestamp=datetime(2026, 1, 1, 9, tzinfo=UTC))
        client.track("7", "dated", {}, timestamp=START - 60, id="01BX5ZZKBKACTAV9WEVGEMMVRY")
        client.track("7", "dated", {}, timestamp=START - 60, id="01BX5ZZKBKACTAV9WEVGEMMVRY")
        client.backfill("7", "old", START - 86_400, price=3)
        client.pageview("7", "https://example.com/a", referrer="https://example.com/")

    await using(trusted, sandbox, act)
    found = await attributes(sandbox, "7")
    assert not {"score", "gone"} & set(found)
    assert found["naive"] == found["aware"] == "1767225600"
    assert (await activities(sandbox, "7", "event"))[-1] == {"score": None, "list": [None, 1]}
    seen = [(entry["name"], entry["at"]) for entry in await timeline(sandbox, "7", "activity")]
    happened = [(name, at) for name, at in seen if name in ("dated", "old", "https://example.com/a")]
    assert happened == [
        ("old", START - 86_400),
        ("dated", START - 3_600),
        ("dated", START - 60),
        ("https://example.com/a", START),
    ]


@pytest.mark.parametrize("keys", [{"api_key": "wrong"}, {"site_id": "nobody"}])
async def test_a_wrong_key_is_the_clients_exception(
    trusted: StackDescription, sandbox: Workspace, keys: dict[str, str]
):
    with pytest.raises(CustomerIOException, match="401") as raised:
        await using(trusted, sandbox, lambda client: client.identify(id="7", plan="pro"), **keys)
    assert '{"meta":{"error":"Unauthorized request"' in str(raised.value)
    await sandbox.settle()
    assert (await sandbox.request("GET", "/v1/customers/7/attributes")).status_code == 404


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda client: client.track("7", "n" * 101), "event name cannot be longer than 100 bytes"),
        (lambda client: client.track("7", ""), "event name must not be blank"),
        (
            lambda client: client.identify("7", long="x" * 1001),
            "value for attribute 'long' cannot be longer than 1000 bytes",
        ),
        (lambda client: client.identify("7", **{"n" * 151: 1}), "attribute name cannot be longer than 150 bytes"),
        (lambda client: client.identify("i" * 151), "id"),
    ],
)
async def test_what_is_refused_is_told(trusted: StackDescription, sandbox: Workspace, act: Act, text: str):
    with pytest.raises(CustomerIOException, match=r"^400: ") as raised:
        await using(trusted, sandbox, act)
    assert text in str(raised.value)


def test_every_method_is_called_here():
    methods = {name for name, _ in inspect.getmembers(CustomerIO, inspect.isfunction) if not name.startswith("_")}
    assert methods - HELPERS == METHODS


async def test_track_anonymous(trusted: StackDescription, sandbox: Workspace):
    def act(client: CustomerIO) -> None:
        client.track_anonymous("anon-1", "looked", {"at": "hat"}, timestamp=START - 60)
        client.track_anonymous("", "passed", {})
        client.identify("7", anonymous_id="anon-1")

    await using(trusted, sandbox, act)
    (looked,) = [entry for entry in await timeline(sandbox, "7", "activity") if entry["name"] == "looked"]
    assert (looked["at"], looked["data"]["data"]) == (START - 60, {"at": "hat"})
    unknown = await sandbox.get("/v1/activities", anonymous="true", limit=100)
    assert [entry["name"] for entry in unknown["activities"]] == ["passed"]


async def test_delete(trusted: StackDescription, sandbox: Workspace):
    def act(client: CustomerIO) -> None:
        client.identify("7", plan="pro")
        client.delete("7")
        client.delete("nobody")
        client.identify("8", plan="pro")
        client.delete("8")
        client.identify("8", city="Rome")

    await using(trusted, sandbox, act)
    assert [await status(sandbox, name) for name in ("7", "nobody")] == [404, 404]
    anew = await attributes(sandbox, "8")
    assert anew["city"] == "Rome"
    assert "plan" not in anew


async def test_suppress_and_unsuppress(trusted: StackDescription, sandbox: Workspace):
    def act(client: CustomerIO) -> None:
        for name in ("7", "8"):
            client.identify(name, email=f"{name}@example.com", plan="pro")
            client.suppress(name)
            client.identify(name, city="Rome")
            client.track(f"{name}@example.com", "visit")
        client.unsuppress("8")
        client.identify("8", city="Oslo")

    await using(trusted, sandbox, act)
    assert await status(sandbox, "7") == 404
    assert (await sandbox.get("/v1/customers", email="7@example.com"))["results"] == []
    anew = await attributes(sandbox, "8")
    assert anew["city"] == "Oslo"
    assert "plan" not in anew


async def test_devices(trusted: StackDescription, sandbox: Workspace):
    def act(client: CustomerIO) -> None:
        client.add_device("7", "token/1", "ios", last_used=START - 60, app_version="1.2")
        client.add_device("7", "token-2", "android")
        client.add_device("7", "token-3", "android")
        client.delete_device("7", "token-3")
        client.delete_device("7", "token-9")

    await using(trusted, sandbox, act)
    devices = {device["id"]: device for device in (await person(sandbox, "7"))["devices"]}
    assert set(devices) == {"token/1", "token-2"}
    assert (devices["token/1"]["platform"], devices["token/1"]["last_used"]) == ("ios", START - 60)
    assert devices["token/1"]["attributes"]["app_version"] == "1.2"
    assert (devices["token-2"]["platform"], devices["token-2"]["last_used"]) == ("android", START)


async def test_merge_customers(trusted: StackDescription, sandbox: Workspace):
    def act(client: CustomerIO) -> None:
        client.identify("keep", plan="pro")
        client.identify("drop", email="drop@example.com", plan="free", city="X")
        client.merge_customers("id", "keep", "email", "drop@example.com")
        client.merge_customers("id", "unknown", "id", "keep")

    await using(trusted, sandbox, act)
    kept = await attributes(sandbox, "keep")
    assert (kept["plan"], kept["city"], kept["email"]) == ("pro", "X", "drop@example.com")
    assert [await status(sandbox, name) for name in ("drop", "unknown")] == [404, 404]


async def test_a_batch_of_which_something_is_wrong_looks_like_success(trusted: StackDescription, sandbox: Workspace):
    operations = [
        {"type": "person", "action": "identify", "identifiers": {"id": "7"}, "attributes": {"plan": "pro"}},
        {"type": "person", "action": "dance", "identifiers": {"id": "7"}},
        {"type": "object", "action": "identify", "identifiers": {"object_type_id": "1", "object_id": "acme"}},
    ]
    answers = []
    await using(trusted, sandbox, lambda client: answers.append(client.batch(operations)))
    (answer,) = answers
    assert answer.status_code == 207
    assert [(error["batch_index"], error["reason"]) for error in answer.json()["errors"]] == [(1, "unknown_action")]
    assert (await attributes(sandbox, "7"))["plan"] == "pro"
    assert (await sandbox.get("/v1/objects/1/acme/attributes"))["object"]["identifiers"]["object_id"] == "acme"


async def test_a_batch_that_is_wrong_as_a_whole(trusted: StackDescription, sandbox: Workspace):
    with pytest.raises(CustomerIOException, match=r"^400: .*/api/v2/batch") as raised:
        await using(trusted, sandbox, lambda client: client.batch({"id": "7"}))
    assert '{"errors":[' in str(raised.value)


async def test_where_nobody_listens(trusted: StackDescription, sandbox: Workspace):
    with pytest.raises(CustomerIOException, match="Failed to receive valid response after 0 retries"):
        await using(trusted, sandbox, lambda client: client.identify("7"), port=closed_port(), retries=0)


async def test_the_clients_batch(trusted: StackDescription, sandbox: Workspace):
    operations = [
        {"type": "person", "action": "identify", "identifiers": {"id": "7"}, "attributes": {"plan": "pro"}},
        {"type": "person", "action": "event", "identifiers": {"id": "7"}, "name": "order", "attributes": {"n": 1}},
    ]
    await using(trusted, sandbox, lambda client: client.batch(operations))
    assert (await attributes(sandbox, "7"))["plan"] == "pro"
    assert [entry["name"] for entry in await timeline(sandbox, "7", "activity")][-1] == "order"


async def test_a_client_that_trusts_nobody_of_ours_is_not_answered(
    stack: StackDescription, sandbox: Workspace, monkeypatch: pytest.MonkeyPatch
):
    for name in ("REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    with pytest.raises(CustomerIOException, match="CERTIFICATE_VERIFY_FAILED"):
        await using(stack, sandbox, lambda client: client.identify(id="7"))


async def status(workspace: Workspace, name: str) -> int:
    """How the question for somebody is answered."""
    return (await workspace.request("GET", f"/v1/customers/{name}/attributes")).status_code
