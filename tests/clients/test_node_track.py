"""`customerio-node`, unmodified, over https: every method of its Track client, and what its App client reads of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from tests.clients.driving import Driven, drive
from tests.clients.packages import HERE, NODE
from tests.clients.place import Place
from tests.support.live import START, campaign, email, on_event
from tests.support.moments import activities, attributes, messages, person, timeline

ODD = "a/b+c d?x=1#ü%2F"
QUIET = (
    "identify",
    "identify again",
    "identify without a value",
    "identify odd",
    "identify by number",
    "identify nothing",
    "track",
    "track again",
    "trackPageView",
    "trackAnonymous",
    "bind",
    "trackAnonymous nobody",
    "trackPush",
    "trackPush unknown",
    "identify one to destroy",
    "destroy",
    "destroy nobody",
    "identify one to suppress",
    "suppress",
    "identify the suppressed",
    "identify the suppressed by email",
    "identify one to come back",
    "suppress for a while",
    "unsuppress",
    "identify the one who is back",
    "identify the one to keep",
    "identify the one to merge",
    "mergeCustomers",
    "addDevice",
    "addDevice bare",
    "addDevice to take away",
    "deleteDevice",
    "deleteDevice unknown",
)
"""Every accepted write."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def driven(place: Place, node_clients: Path, client_environment: dict[str, str]) -> Driven:
    """All calls, made by one process; a letter was sent before, of which a device then reports."""
    workspace = place.workspace
    await workspace.define(campaign("welcome", on_event("joined"), "mail", {"mail": email("Welcome")}))
    await workspace.start("welcome")
    await workspace.identify("read", email="read@example.com")
    await workspace.track("read", "joined")
    await workspace.settle()
    (sent,) = await messages(workspace)
    given = place.told(packages=str(node_clients), start=START, delivery_id=sent["id"])
    done = await drive([str(NODE), str(HERE / "node" / "track.mjs")], given, client_environment)
    await workspace.settle()
    return done


def test_a_write_is_answered_with_an_empty_object(driven: Driven):
    assert [step for step in QUIET if driven.steps[step].get("answer") != {}] == []


async def test_identify(driven: Driven, place: Place):
    found = await attributes(place.workspace, "ann")
    assert (found["email"], found["first_name"], found["score"]) == ("ann@example.com", "Žofie", "5")
    assert found["plan"].replace(" ", "") == '{"seats":2}'
    assert "gone" not in found
    assert (await attributes(place.workspace, quote(ODD, safe="")))["odd"] == "true"
    assert (await person(place.workspace, "7"))["id"] == "7"
    assert (await person(place.workspace, "empty"))["id"] == "empty"


async def test_track(driven: Driven, place: Place):
    seen = [(entry["name"], entry["at"]) for entry in await timeline(place.workspace, "ann", "activity")]
    assert seen.count(("order", START - 3600)) == 1
    assert ("https://example.com/a?b=c", START) in seen
    assert await activities(place.workspace, "ann", "event") == [{"total": 23.5, "items": ["klobouk 🎩"]}]
    assert len(await activities(place.workspace, "ann", "page")) == 1


async def test_track_anonymous(driven: Driven, place: Place):
    assert await activities(place.workspace, "bound", "event") == [{"at": "hat"}]
    unknown = await place.workspace.get("/v1/activities", anonymous="true", limit=100)
    assert "passed" in [entry["name"] for entry in unknown["activities"]]


async def test_track_push(driven: Driven, place: Place):
    (sent,) = await messages(place.workspace)
    assert sent["metrics"]["opened"] == START


async def test_destroy(driven: Driven, place: Place):
    for name in ("gone", "nobody"):
        assert await _status(place, name) == 404


async def test_suppress_and_unsuppress(driven: Driven, place: Place):
    assert await _status(place, "shy") == 404
    assert (await place.workspace.get("/v1/customers", email="shy@example.com"))["results"] == []
    back = await attributes(place.workspace, "back")
    assert back["city"] == "Rome"
    assert "plan" not in back


async def test_merge_customers(driven: Driven, place: Place):
    kept = await attributes(place.workspace, "keep")
    assert (kept["plan"], kept["city"], kept["email"]) == ("pro", "X", "drop@example.com")
    assert await _status(place, "drop") == 404


async def test_devices(driven: Driven, place: Place):
    devices = {device["id"]: device for device in (await person(place.workspace, "ann"))["devices"]}
    assert set(devices) == {"token/1", "token-2"}
    assert (devices["token/1"]["platform"], devices["token/1"]["last_used"]) == ("ios", START - 60)
    assert devices["token/1"]["attributes"]["app_version"] == "1.2"
    assert (devices["token-2"]["platform"], devices["token-2"]["last_used"]) == ("android", START)


@pytest.mark.parametrize(
    ("step", "status", "message"),
    [
        ("wrong key", 401, "Unauthorized request"),
        ("name too long", 400, "event name cannot be longer than 100 bytes"),
        ("two errors", 400, "attribute name cannot be longer than 150 bytes"),
        ("no device", 400, "platform"),
        ("merge with nobody named", 400, "id"),
        ("getAttributes nobody", 404, None),
        ("app wrong key", 401, None),
    ],
)
def test_what_is_refused_is_a_request_error(driven: Driven, step: str, status: int, message: str | None):
    error = driven.error(step)
    assert (error["name"], error["status"]) == ("CustomerIORequestError", status)
    if message is not None:
        assert message in error["message"]


async def test_what_is_refused_is_not_done(driven: Driven, place: Place):
    for name in ("wrong", "nowhere", "distrust"):
        assert await _status(place, name) == 404
    assert "long" not in await attributes(place.workspace, "ann")


def test_what_does_not_reach_us_is_no_request_error(driven: Driven):
    assert driven.error("nobody listens")["code"] == "ECONNREFUSED"
    assert driven.error("not trusted")["code"] in {
        "SELF_SIGNED_CERT_IN_CHAIN",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    }
    assert driven.error("without an id") == {"name": "Error", "message": "customerId is required"}


def test_the_app_client_reads_people(driven: Driven):
    (found,) = driven.answer("getCustomersByEmail")["results"]
    assert (found["id"], found["email"]) == ("ann", "ann@example.com")
    assert driven.answer("getCustomersByEmail nobody") == {"results": []}
    for step in ("getAttributes", "getAttributes by email"):
        assert driven.answer(step)["customer"]["attributes"]["first_name"] == "Žofie"


async def test_the_app_client_exports(driven: Driven, http: httpx.AsyncClient):
    made: dict[str, Any] = driven.answer("createCustomersExport")["export"]
    assert [export["id"] for export in driven.answer("listExports")["exports"]] == [made["id"]]
    assert driven.answer("getExport")["export"]["status"] == "done"
    file = await http.get(driven.answer("downloadExport")["link"])
    assert file.status_code == 200
    assert [line.count("ann@example.com") for line in file.text.splitlines()] == [0, 1]
    refused = driven.error("createDeliveriesExport of no newsletter")
    assert refused["name"] == "CustomerIORequestError"
    assert refused["status"] in (400, 404)


async def _status(place: Place, name: str) -> int:
    return (await place.workspace.request("GET", f"/v1/customers/{name}/attributes")).status_code
