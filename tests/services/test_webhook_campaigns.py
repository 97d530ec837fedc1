"""Webhook campaigns from the call to the end of its journey: sampling, starting, stopping, repairing (CMP-09)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError
from domain.operations import DeletePerson, Identifier, Identify
from ingest.accept import Acceptor
from ingest.catalog import Catalogs
from services import campaign_life, campaigns, definitions, journeys, webhooks
from services.looking import journeys as looking
from store import outbox
from store.notify import Notifier
from tests.support.database import Room
from tests.support.driver import Driver

WAIT = {"wait": {"type": "time_delay", "duration": "P1D"}}


def campaign(blocks: dict[str, Any] | None = None, *, key: str = "calls", **trigger: Any) -> dict[str, Any]:
    blocks = blocks or WAIT
    return {
        "kind": "campaign",
        "key": key,
        "name": "Calls",
        "trigger": {"type": "webhook", **trigger},
        "workflow": {"start": next(iter(blocks)), "blocks": blocks},
    }


async def token(room: Room, key: str = "calls") -> str:
    status = (await definitions.get(room.db, room.workspace_id, "campaign", key))["status"]
    assert status["webhook_url"].startswith("/v1/webhooks/campaigns/")
    return str(status["webhook_url"].rsplit("/", 1)[1])


async def call(room: Room, payload: Any, known: str | None = None) -> webhooks.Received:
    """One call, accepted and not yet applied."""
    acceptor = Acceptor(room.db, Notifier(room.db.pool))
    target = await webhooks.target_of(room.db, known or await token(room))
    received = await webhooks.receive(room.db, acceptor, target, payload, system_now())
    await acceptor.close()
    return received


async def shown(room: Room) -> dict[str, Any]:
    """The campaign's status as reading it shows it."""
    status: dict[str, Any] = (await definitions.get(room.db, room.workspace_id, "campaign", "calls"))["status"]
    return status


async def verb(room: Room, which: Any, body: Any = None) -> dict[str, Any]:
    return await which(room.db, room.workspace_id, "calls", *([] if body is False else [body]), system_now())


async def started(room: Room, blocks: dict[str, Any] | None = None) -> None:
    await room.define(campaign(blocks))
    status = await verb(room, campaigns.start)
    assert status["state"] == "running"
    assert "task_id" not in status


async def test_a_draft_keeps_the_latest_payload_and_begins_nothing(room: Room):
    await room.define(campaign())
    for payload in ({"a": 1}, [1, "two"]):
        assert await call(room, payload) == webhooks.Received(None, sample_stored=True)
    assert (await shown(room))["sample"] == [1, "two"]
    assert await room.rows("SELECT 1 FROM ingest_log WHERE workspace_id = $1") == []
    await room.define(campaign(sample={"b": 2}))
    assert (await shown(room))["sample"] == [1, "two"]


async def test_who_received_nothing_shows_no_sample_and_what_it_got_it_shows_when_it_runs(room: Room):
    await room.define(campaign())
    assert "sample" not in await shown(room)
    await call(room, {"a": {"b": [None, 1.5]}})
    await verb(room, campaigns.start)
    await call(room, {"not": "kept"})
    assert (await shown(room))["sample"] == {"a": {"b": [None, 1.5]}}


async def test_each_call_begins_a_journey_of_its_own_by_the_id_that_was_answered(room: Room):
    await started(room)
    first, second = await call(room, {"n": 1}), await call(room, {"n": 2})
    assert await room.journeys() == []
    await room.apply()
    found = await room.journeys()
    assert [row["journey_id"] for row in found] == [first.journey_id, second.journey_id]
    assert [row["trigger"] for row in found] == [{"data": {"n": 1}}, {"data": {"n": 2}}]
    assert {(row["person_id"], row["single"]) for row in found} == {(0, False)}
    assert found[0]["workflow_id"] == f"journey/{found[0]['campaign_id']}/0/{first.journey_id}"
    assert await room.people() == []


@pytest.mark.parametrize("payload", [None, 7, "text", [], {}, {"deep": [{"a": None}]}])
async def test_any_json_is_a_payload(room: Room, payload: Any):
    await started(room)
    received = await call(room, payload)
    await room.apply()
    journey = (await looking.one(room.db, Catalogs(), room.workspace_id, received.journey_id or ""))["journey"]
    assert journey["trigger"] == {"data": payload}
    assert (journey["customer_identifiers"], journey["campaign"]) == (None, "calls")


async def test_a_journey_of_nobody_waits_and_ends(room: Room):
    tests = {"trigger": {"field": "detail.priority", "value": "high"}}
    blocks = {
        "urgent": {"type": "true_false", "conditions": tests, "then": "wait"},
        "wait": {"type": "time_delay", "duration": "PT1H"},
    }
    await started(room, blocks)
    driver = Driver(room)
    async with driver.running():
        for payload in ({"detail": {"priority": "high"}}, {"detail": "low"}, "nothing of the kind"):
            await call(room, payload)
        await driver.settle()
        assert [row["block"] for row in await room.journeys()] == ["wait", None, None]
        await driver.advance(by="PT1H")
    assert [(row["state"], row["reason"]) for row in await room.journeys()] == [("finished", "completed")] * 3


async def test_a_shorter_delay_lets_payloads_go(room: Room):
    await started(room)
    driver = Driver(room)
    async with driver.running():
        await call(room, {})
        await driver.advance(by="PT2H")
        shorter = campaign({"wait": {"type": "time_delay", "duration": "PT1H"}})
        answer, _ = await definitions.put_one(
            room.db, room.workspace_id, "campaign", "calls", shorter, now=system_now()
        )
        assert answer["change"]["effects"]["waiting_reevaluated"] == 1
        await driver.settle()
    assert [row["reason"] for row in await room.journeys()] == ["completed"]


async def test_stop_with_exit_ends_journeys_of_nobody(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journeys, "PAGE", 2)
    await started(room)
    for n in range(5):
        await call(room, n)
    await room.apply()
    status = await verb(room, campaigns.stop, {"journeys": "exit"})
    assert (status["state"], status["active_journeys"]) == ("stopped", 0)
    assert [row["reason"] for row in await room.journeys()] == ["stopped"] * 5


async def test_a_stop_survives_the_process_that_began_it(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(campaigns, "PAGES_AT_ONCE", 0)
    await started(room)
    await call(room, 1)
    await room.apply()
    await verb(room, campaigns.stop, {"journeys": "exit"})
    driver = Driver(room)
    async with driver.running():
        await driver.settle()
    assert [row["reason"] for row in await room.journeys()] == ["stopped"]


async def test_finish_lets_payloads_run_out(room: Room):
    await started(room)
    driver = Driver(room)
    async with driver.running():
        await call(room, 1)
        await driver.settle()
        assert (await verb(room, campaigns.stop, {"journeys": "finish"}))["state"] == "stopping"
        await driver.advance(by="P1D")
    assert [row["reason"] for row in await room.journeys()] == ["completed"]
    assert (await definitions.get(room.db, room.workspace_id, "campaign", "calls"))["status"]["state"] == "stopped"


async def test_a_call_accepted_before_a_stop_begins_nothing_after_it(room: Room):
    await started(room)
    await call(room, 1)
    await verb(room, campaigns.stop, {"journeys": "exit"})
    await room.apply()
    assert await room.journeys() == []
    (fact,) = await room.rows("SELECT outcome, note FROM ingest_log WHERE workspace_id = $1")
    assert fact == {"outcome": "ignored", "note": "The campaign was stopped before the call was processed."}


async def test_one_is_ended_by_hand(room: Room):
    await started(room)
    received = await call(room, 1)
    await room.apply()
    ended = await journeys.end_one(room.db, room.workspace_id, received.journey_id or "", system_now())
    assert (ended.state, ended.reason) == ("exited_early", "manual")


async def test_who_may_be_called(room: Room):
    await room.define(campaign())
    known = await token(room)
    for unknown in ("nothing", "x" * 500, "nul\x00", ""):
        with pytest.raises(DomainError) as refused:
            await webhooks.target_of(room.db, unknown)
        assert refused.value.code == "not_found"
    await verb(room, campaigns.start)
    await verb(room, campaigns.stop, {"journeys": "exit"})
    with pytest.raises(DomainError) as refused:
        await webhooks.target_of(room.db, known)
    assert refused.value.code == "invalid_state"
    await campaign_life.archive(room.db, room.workspace_id, "calls", system_now())
    with pytest.raises(DomainError) as refused:
        await webhooks.target_of(room.db, known)
    assert refused.value.code == "not_found"
    await campaign_life.unarchive(room.db, room.workspace_id, "calls", system_now())
    await verb(room, campaigns.restart)
    assert await token(room) == known
    assert (await call(room, 1)).journey_id is not None


async def test_erasing_people_leaves_payloads_alone(room: Room):
    await started(room)
    await call(room, {"n": 1})
    ann = Identifier(kind="id", value="ann")
    await room.apply(Identify(subject=ann), DeletePerson(subject=ann))
    (journey,) = await room.journeys()
    assert (journey["state"], journey["trigger"]) == ("in_progress", {"data": {"n": 1}})


async def test_repair_finds_journeys_of_nobody(room: Room):
    await started(room)
    received = await call(room, 1)
    await room.apply()
    async with room.db.connection() as conn:
        page = await outbox.active_journeys(conn, (0, 0, ""), 100, room.workspace_id)
    assert [(row.journey_id, row.person_id) for row in page] == [(received.journey_id, 0)]


async def test_the_url_is_kept_through_edits_and_is_not_shown_for_other_triggers(room: Room):
    event = {**campaign(), "trigger": {"type": "event", "event": "go"}}
    await room.define(event)
    status = (await definitions.get(room.db, room.workspace_id, "campaign", "calls"))["status"]
    assert "webhook_url" not in status
    await room.define(campaign())
    known = await token(room)
    await room.define({**campaign(), "name": "Other"})
    assert await token(room) == known
    await room.define(event)
    with pytest.raises(DomainError):
        await webhooks.target_of(room.db, known)
    assert json.dumps(await room.rows("SELECT document FROM definitions WHERE workspace_id = $1")).find(known) == -1
