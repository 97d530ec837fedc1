"""The vendor's own Python client, unmodified, over https."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from customerio import CustomerIO, CustomerIOException

from stack.description import StackDescription
from tests.support.live import START, Workspace, campaign, email, on_event
from tests.support.moments import activities, attributes, mails, timeline

Act = Callable[[CustomerIO], Any]
NAMES = ("a/b", "a+b", "a b", "ü/✓", "100%", "?x=1#y", "a%2Fb")


@pytest.fixture
def trusted(stack: StackDescription, monkeypatch: pytest.MonkeyPatch) -> StackDescription:
    """The stack, whose certificate the client believes as its users make it do."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stack.ca_bundle_file))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    return stack


async def using(stack: StackDescription, workspace: Workspace, act: Act, **keys: str) -> None:
    """Do something with the client of a workspace, in a thread as the client blocks, and settle."""
    place = urlsplit(stack.api_tls_url)
    pair = {"site_id": workspace.site_id, "api_key": workspace.api_key, **keys}

    def run() -> None:
        with CustomerIO(**pair, host=place.hostname, port=place.port) as client:
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


@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.track_anonymous("anon", "visit", {}),
        lambda client: client.delete("7"),
        lambda client: client.suppress("7"),
        lambda client: client.add_device("7", "token", "ios"),
        lambda client: client.merge_customers("id", "7", "id", "8"),
    ],
)
async def test_what_is_not_there_yet_says_so(trusted: StackDescription, sandbox: Workspace, act: Act):
    await sandbox.identify("7", plan="pro")
    with pytest.raises(CustomerIOException, match=r"^(404|405): "):
        await using(trusted, sandbox, act)
    await sandbox.settle()
    assert (await attributes(sandbox, "7"))["plan"] == "pro"


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
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    with pytest.raises(CustomerIOException, match="CERTIFICATE_VERIFY_FAILED"):
        await using(stack, sandbox, lambda client: client.identify(id="7"))
