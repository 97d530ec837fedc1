"""`@customerio/cdp-analytics-node`, the vendor's Pipelines client for Node, unmodified, over https: every method of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

from tests.clients.driving import Driven, drive
from tests.clients.packages import HERE, NODE
from tests.clients.place import Place
from tests.support.live import START
from tests.support.moments import activities, attributes, person, timeline


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def driven(place: Place, node_clients: Path, client_environment: dict[str, str]) -> Driven:
    """All calls, made by one process."""
    given = place.told(packages=str(node_clients), start=START)
    done = await drive([str(NODE), str(HERE / "node" / "cdp.mjs")], given, client_environment)
    await place.workspace.settle()
    return done


def test_every_call_is_taken_in_one_batch(driven: Driven):
    done = driven.answer("everything")
    assert done["errors"] == []
    assert [request["size"] for request in done["requests"]] == [13]
    assert sorted(done["taken"]) == sorted(["identify"] * 3 + ["track"] * 6 + ["page", "screen", "group", "alias"])


def test_batches_and_another_path(driven: Driven):
    done = driven.answer("in small batches")
    assert (done["errors"], sorted(request["size"] for request in done["requests"])) == ([], [1, 2, 2])
    done = driven.answer("another path")
    assert (done["errors"], done["taken"]) == ([], ["identify"])
    assert done["requests"][0]["url"].endswith("/v1/b")


async def test_identify(driven: Driven, place: Place):
    found = await attributes(place.workspace, "ann")
    assert (found["email"], found["firstName"], found["born"]) == ("ann@example.com", "Žofie", "1548979200")
    assert found["plan"].replace(" ", "") == '{"seats":2}'
    assert (await attributes(place.workspace, "cy"))["plan"] == "pro"


async def test_track_page_and_screen(driven: Driven, place: Place):
    seen = [(entry["name"], entry["at"]) for entry in await timeline(place.workspace, "ann", "activity")]
    assert ("order", START - 3600) in seen
    assert ("https://example.com/hats", START) in seen
    assert ("Cart", START) in seen
    names = [name for name, _ in seen]
    assert (names.count("once"), names.count("elsewhere"), names.count("looked")) == (1, 0, 1)
    counted = await activities(place.workspace, "ben", "event")
    assert sorted(event["number"] for event in counted) == [0, 1, 2, 3, 4]


async def test_group_is_an_object_and_a_relationship(driven: Driven, place: Place):
    thing = (await place.workspace.get("/v1/objects/1/acme/attributes"))["object"]
    assert thing["attributes"]["name"] == "Acme"
    (related,) = (await place.workspace.get("/v1/customers/ann/relationships"))["cio_relationships"]
    assert (related["identifiers"]["object_id"], related["attributes"]) == ("acme", {"role": "owner"})


async def test_alias_merges(driven: Driven, place: Place):
    assert (await attributes(place.workspace, "ann"))["city"] == "Rome"
    assert await _status(place, "old") == 404


async def test_an_event_that_is_an_instruction(driven: Driven, place: Place):
    devices = [(device["id"], device["platform"]) for device in (await person(place.workspace, "ann"))["devices"]]
    assert devices == [("token-1", "ios")]


@pytest.mark.parametrize("step", ["wrong key", "nameless"])
def test_who_does_not_ask_for_strictness_is_told_of_nothing(driven: Driven, step: str):
    done = driven.answer(step)
    assert (done["errors"], done["taken"], len(done["requests"])) == ([], ["track"], 1)


@pytest.mark.parametrize(
    ("step", "message", "tries"),
    [("strict, wrong key", "[401] Unauthorized", 2), ("strict, nameless", "[400] Bad Request", 1)],
)
def test_what_is_refused_is_an_error_event(driven: Driven, step: str, message: str, tries: int):
    done = driven.answer(step)
    assert done["errors"] == [{"code": "delivery_failure", "message": message}]
    assert (done["taken"], len(done["requests"])) == ([], tries)


def test_what_does_not_reach_us(driven: Driven):
    (error,) = driven.answer("nobody listens")["errors"]
    assert (error["code"], error["message"]) == ("delivery_failure", "fetch failed")
    assert driven.error("without an id")["message"]
    assert driven.answer("after the end") == ["strange"]


async def test_what_is_refused_is_not_done(driven: Driven, place: Place):
    assert await _status(place, "7") == 404


async def _status(place: Place, name: str) -> int:
    return (await place.workspace.request("GET", f"/v1/customers/{name}/attributes")).status_code
