"""`customerio-cdp-analytics`, the vendor's Pipelines client for Python, unmodified, over https: every method of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.clients.driving import LIMIT, Driven, drive
from tests.clients.packages import HERE
from tests.clients.place import Place
from tests.support.live import START
from tests.support.moments import activities, attributes, person, timeline

WHO = ("ann", "ben", "cy")
"""Told of in sync mode, through the queue, and zipped in small batches."""
ALL = pytest.mark.parametrize("who", WHO)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def driven(place: Place, python_clients: Path, client_environment: dict[str, str]) -> Driven:
    """All calls, made by one process."""
    environment = {**client_environment, "PYTHONPATH": str(python_clients)}
    done = await drive([sys.executable, str(HERE / "python" / "cdp.py")], place.told(), environment)
    await place.workspace.settle()
    return done


def test_every_call_is_taken(driven: Driven):
    queued, zipped = driven.answer("queued"), driven.answer("zipped")
    assert queued["failed"] == zipped["failed"] == []
    for steps in (driven.answer("sync"), queued["steps"], zipped["steps"]):
        assert {step["success"] for step in steps.values()} == {True}
        assert {step["type"] for step in steps.values()} == {"identify", "track", "page", "screen", "group", "alias"}
    assert driven.answer("sync strict") == {"success": True, "type": "track"}


@ALL
async def test_identify(driven: Driven, place: Place, who: str):
    found = await attributes(place.workspace, who)
    assert (found["email"], found["firstName"]) == (f"{who}@example.com", "Žofie")
    assert found["born"] == "1548979200"
    assert found["plan"].replace(" ", "") == '{"seats":2}'


@ALL
async def test_track_page_and_screen(driven: Driven, place: Place, who: str):
    seen = [(entry["name"], entry["at"]) for entry in await timeline(place.workspace, who, "activity")]
    (ordered,) = [at for name, at in seen if name == "order"]
    assert START - 3600 - LIMIT <= ordered <= START - 3600, (
        "an hour before it was received, as an hour before it was sent"
    )
    assert ("https://example.com/hats", START) in seen
    assert ("Cart", START) in seen
    assert [name for name, _ in seen].count("once") == 1
    assert "elsewhere" not in [name for name, _ in seen]
    orders = [event for event in await activities(place.workspace, who, "event") if "total" in event]
    assert orders == [{"total": 23.5, "on": 1767225600}]
    assert (
        len(await activities(place.workspace, who, "page"))
        == len(await activities(place.workspace, who, "screen"))
        == 1
    )


@ALL
async def test_group_is_an_object_and_a_relationship(driven: Driven, place: Place, who: str):
    thing = (await place.workspace.get(f"/v1/objects/1/{who}-acme/attributes"))["object"]
    assert thing["attributes"]["name"] == "Acme"
    assert not {"objectTypeId", "relationshipAttributes"} & set(thing["attributes"])
    (related,) = (await place.workspace.get(f"/v1/customers/{who}/relationships"))["cio_relationships"]
    assert related["identifiers"]["object_id"] == f"{who}-acme"
    assert related["attributes"] == {"role": "owner"}


@ALL
async def test_alias_merges(driven: Driven, place: Place, who: str):
    assert (await attributes(place.workspace, who))["city"] == "Rome"
    assert await _status(place, f"{who}-old") == 404


@ALL
async def test_what_was_done_anonymously_is_theirs(driven: Driven, place: Place, who: str):
    assert "looked" in [entry["name"] for entry in await timeline(place.workspace, who, "activity")]


@ALL
async def test_an_event_that_is_an_instruction(driven: Driven, place: Place, who: str):
    devices = [(device["id"], device["platform"]) for device in (await person(place.workspace, who))["devices"]]
    assert devices == [(who, "ios")]


async def test_where_calls_came_from(driven: Driven, place: Place):
    log = (await place.workspace.get("/v1/data_in", limit=100))["data_in"]
    assert {entry["source"] for entry in log} == {"Pipelines API: Server"}


def test_a_wrong_key_is_only_told_to_who_asks_for_strictness(driven: Driven):
    assert driven.answer("wrong key") == {"success": True, "type": "track"}
    error = driven.error("strict, wrong key")
    assert (error["name"], error["status"], error["code"]) == ("APIError", 401, "unauthorized")
    ((told, size),) = driven.answer("strict, wrong key, queued")
    assert (told["name"], told["status"], told["code"], size) == ("APIError", 401, "unauthorized", 1)


def test_an_incomplete_call_is_refused_once_and_not_tried_again(driven: Driven):
    assert driven.answer("nameless") == []
    ((told, size),) = driven.answer("strict, nameless")
    assert (told["name"], told["status"], told["code"], size) == ("APIError", 400, "invalid_request", 2)
    assert "event is required" in told["message"]


async def test_what_is_refused_is_not_done(driven: Driven, place: Place):
    assert await _status(place, "7") == 404
    refused: list[dict[str, Any]] = (await place.workspace.get("/v1/data_in", status="rejected", limit=100))["data_in"]
    assert [entry["http_status"] for entry in refused].count(400) == 1


def test_what_does_not_reach_us_is_no_refusal(driven: Driven):
    ((told, size),) = driven.answer("nobody listens")
    assert (told["name"], size) == ("ConnectionError", 1)
    assert driven.error("without an id")["name"] == "AssertionError"


async def _status(place: Place, name: str) -> int:
    return (await place.workspace.request("GET", f"/v1/customers/{name}/attributes")).status_code
