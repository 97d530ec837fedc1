"""Manual segments: who is put in and taken out, what follows, and emptying them (PPL-29, PPL-40, PPL-43, API-11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput
from domain.operations import (
    DeletePerson,
    Identifier,
    Identify,
    ImportRef,
    MergePeople,
    SegmentMember,
    SuppressPerson,
    TrackEvent,
)
from services import definitions, metrics, segment_clearing, segments
from services.task_runner import TaskRunner
from store import log
from store.notify import Notifier
from tests.support.database import Room
from tests.support.live import campaign, on_match

VIP = {"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"}
HAPPY = {
    "kind": "segment",
    "key": "happy",
    "name": "Happy",
    "conditions": {"and": [{"segment": "vip"}, {"attribute": {"field": "mood", "value": "good"}}]},
}
WAIT = {"wait": {"type": "time_delay", "duration": "P1D"}}
ON_VIP = campaign("on-vip", on_match({"segment": "vip"}), "wait", WAIT, exit="filters")
OUTSIDE = {"and": [{"attribute": {"field": "mood"}}, {"segment": {"key": "vip", "inverse": True}}]}


def who(value: str, kind: str = "id") -> Identifier:
    return Identifier(kind=kind, value=value)


async def number(room: Room, key: str = "vip") -> int:
    (row,) = await room.rows(
        "SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment' AND key = $2", key
    )
    return row["definition_id"]


async def put(room: Room, *people: str, member: bool = True, kind: str = "id", segment: str = "vip") -> None:
    segment_id = await number(room, segment)
    await room.apply(*(SegmentMember(subject=who(p, kind), segment_id=segment_id, member=member) for p in people))


async def lines(room: Room, *types: str) -> list[tuple[str, str]]:
    found = await room.rows(
        """SELECT type, data ->> 'reason' AS reason FROM activities
           WHERE workspace_id = $1 AND type = ANY($2::text[]) ORDER BY activity_id""",
        list(types),
    )
    return [(row["type"], row["reason"]) for row in found]


async def outcomes(room: Room) -> list[tuple[str, str | None]]:
    found = await room.rows("SELECT outcome, note FROM ingest_log WHERE workspace_id = $1 ORDER BY seq")
    return [(row["outcome"], row["note"]) for row in found]


async def count(room: Room, key: str = "vip") -> int:
    return (await segments.customer_count(room.db, room.workspace_id, key))["count"]


async def cleared(room: Room, **body: Any) -> dict[str, Any]:
    """Clear the segment, the task and what it put into the log included."""
    task = await segment_clearing.clear(room.db, room.workspace_id, "vip", body, system_now())
    runner = TaskRunner(room.db, room.catalogs, Notifier(room.db.pool), system_now)
    while await runner.run_once():
        pass
    await room.apply()
    return task


@pytest.fixture
async def vip(room: Room) -> Room:
    await room.define(VIP)
    return room


@pytest.fixture(autouse=True)
async def _no_other_tasks(room: Room) -> None:
    async with room.db.transaction() as conn:
        await conn.execute("UPDATE tasks SET state = 'cancelled' WHERE state IN ('queued', 'running')")


async def states(room: Room) -> Sequence[dict[str, Any]]:
    return await room.rows("SELECT state, revision FROM definitions WHERE workspace_id = $1 AND kind = 'segment'")


async def test_a_manual_segment_is_ready_at_once_and_nothing_is_built(room: Room):
    answer = await definitions.apply(room.db, room.workspace_id, {"definitions": [VIP]}, now=system_now())
    assert answer["changes"][0]["effects"] == {"segment_rebuild": False}
    renamed = {**VIP, "name": "Very important"}
    await definitions.apply(room.db, room.workspace_id, {"definitions": [renamed]}, now=system_now())
    assert [dict(row) for row in await states(room)] == [{"state": "ready", "revision": 2}]
    assert await room.rows("SELECT 1 FROM tasks WHERE workspace_id = $1") == []


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({**VIP, "conditions": {"attribute": {"field": "a"}}}, "not_applicable", "/conditions"),
        ({**HAPPY, "conditions": None}, "type", "/conditions"),
        ({"kind": "segment", "key": "x", "name": "X"}, "required", "/conditions"),
        ({**VIP, "type": "static"}, "enum", "/type"),
    ],
)
async def test_what_a_segment_document_must_say(room: Room, document, code, pointer):
    with pytest.raises(InvalidInput) as refusal:
        await definitions.put_one(room.db, room.workspace_id, "segment", document["key"], document, now=system_now())
    assert [(problem.code, problem.pointer) for problem in refusal.value.problems] == [(code, pointer)]


@pytest.mark.parametrize(
    ("before", "after"),
    [(VIP, {**HAPPY, "key": "vip", "conditions": {"attribute": {"field": "a"}}}), (HAPPY, {**VIP, "key": "happy"})],
)
async def test_the_type_of_a_segment_stays(vip: Room, before, after):
    await vip.define(before)
    with pytest.raises(InvalidInput) as refusal:
        await definitions.apply(vip.db, vip.workspace_id, {"definitions": [after]}, now=system_now())
    assert [(p.code, p.pointer) for p in refusal.value.problems] == [("immutable", "/definitions/0/type")]


async def test_adding_creates_and_removing_does_not(vip: Room):
    await vip.apply(Identify(subject=who("old"), attributes={}))
    await put(vip, "old", "new")
    await put(vip, "lead@x.io", kind="email")
    await put(vip, "nobody", member=False)
    assert [(p["id"], p["email"]) for p in await vip.people()] == [("old", None), ("new", None), (None, "lead@x.io")]
    assert await vip.members("vip") == ["new", "old", None]
    assert await count(vip) == 3
    assert (await outcomes(vip))[-1] == ("ignored", "Nobody has this id.")


async def test_a_cio_id_of_nobody_and_a_row_of_a_file_create_nobody(vip: Room):
    segment_id = await number(vip)
    row = ImportRef(import_id=1, row=1)
    await vip.apply(
        SegmentMember(subject=who("0fffffff", "cio_id"), segment_id=segment_id),
        SegmentMember(subject=who("7"), segment_id=segment_id, row=row),
        SegmentMember(subject=who("7"), segment_id=segment_id + 99),
    )
    assert await vip.people() == []
    assert [outcome for outcome, _ in await outcomes(vip)] == ["ignored", "failed", "ignored"]


async def test_a_suppressed_person_is_not_added(vip: Room):
    await vip.apply(SuppressPerson(subject=who("7")))
    await put(vip, "7")
    assert await vip.people() == []
    assert await count(vip) == 0


async def test_a_data_driven_segment_takes_nobody_in(vip: Room):
    await vip.define(HAPPY)
    await put(vip, "7", segment="happy")
    assert await vip.people() == []


async def test_each_move_is_logged_once_and_counted_once(vip: Room):
    await put(vip, "7", "7")
    await put(vip, "7", "7", member=False)
    await put(vip, "7")
    assert await lines(vip, "segment_enter", "segment_leave") == [
        ("segment_enter", "Added by test"),
        ("segment_leave", "Removed by test"),
        ("segment_enter", "Added by test"),
    ]
    assert await count(vip) == 1
    async with vip.db.connection() as conn:
        assert await metrics.totals(conn, vip.workspace_id, "workspace", 0) == {"people": 1}


async def test_ppl_40_segments_made_of_it_follow_in_the_same_pass(vip: Room):
    segment_id = await number(vip)
    by_number = {**HAPPY, "key": "by-number", "name": "By number", "conditions": {"segment": {"id": segment_id}}}
    without = {**HAPPY, "key": "without", "name": "Without", "conditions": OUTSIDE}
    await vip.define(HAPPY, by_number, without)
    await vip.apply(Identify(subject=who("7"), attributes={"mood": "good"}))
    assert [await vip.members(key) for key in ("happy", "by-number", "without")] == [[], [], ["7"]]
    await put(vip, "7")
    assert [await vip.members(key) for key in ("happy", "by-number", "without")] == [["7"], ["7"], []]
    await put(vip, "7", member=False)
    assert [await vip.members(key) for key in ("happy", "by-number", "without")] == [[], [], ["7"]]


async def test_triggers_and_exit_rules_follow_and_frequency_holds(vip: Room):
    await vip.define(ON_VIP)
    await vip.run_campaign("on-vip")
    await put(vip, "7", "7")
    (journey,) = await vip.journeys()
    assert journey["state"] == "in_progress"
    await put(vip, "7", member=False)
    (journey,) = await vip.journeys()
    assert (journey["state"], journey["reason"]) == ("exited_early", "trigger")
    await put(vip, "7")
    assert len(await vip.journeys()) == 1


async def test_events_are_read_that_a_segment_made_of_it_asks_for(vip: Room):
    buyers = {
        **HAPPY,
        "key": "buyers",
        "conditions": {"and": [{"segment": "vip"}, {"performed": {"event": "purchase"}}]},
    }
    await vip.define(buyers)
    await vip.apply(TrackEvent(subject=who("7"), name="purchase"))
    await put(vip, "7")
    assert await vip.members("buyers") == ["7"]


async def test_a_goal_is_met_by_entering(vip: Room):
    goal = {"enters_segment": "vip", "within": "P7D"}
    await vip.define(campaign("g", {"type": "event", "event": "x"}, "wait", WAIT, goal=goal, exit="goal"))
    await vip.run_campaign("g")
    await vip.apply(TrackEvent(subject=who("7"), name="x"))
    await put(vip, "7")
    (journey,) = await vip.journeys()
    assert (journey["state"], journey["reason"]) == ("exited_early", "goal")


async def test_whoever_is_deleted_or_merged_takes_membership_along(vip: Room):
    await put(vip, "1", "2", "3")
    await vip.apply(Identify(subject=who("9"), attributes={}))
    await vip.apply(DeletePerson(subject=who("3")), MergePeople(primary=who("9"), secondary=who("1")))
    assert await vip.members("vip") == ["2", "9"]
    assert await count(vip) == 2


async def test_clearing_takes_out_who_was_in_by_then(vip: Room, monkeypatch):
    monkeypatch.setattr("services.segment_clearing.CLEAR_PAGE", 2)
    await put(vip, "1", "2", "3", "4", "5")
    task = await cleared(vip)
    assert (task["type"], task["state"], task["progress"]) == ("segment_clear", "queued", {"done": 0, "total": 5})
    assert await vip.members("vip") == []
    assert await count(vip) == 0
    assert ("segment_leave", "The segment was cleared.") in await lines(vip, "segment_leave")
    (row,) = await vip.rows("SELECT state, done FROM tasks WHERE workspace_id = $1 AND type = 'segment_clear'")
    assert row == {"state": "succeeded", "done": 5}


async def test_clearing_waits_for_what_was_accepted_before(vip: Room):
    await put(vip, "1")
    segment_id = await number(vip)
    await vip.accept(SegmentMember(subject=who("2"), segment_id=segment_id))
    await segment_clearing.clear(vip.db, vip.workspace_id, "vip", {}, system_now())
    runner = TaskRunner(vip.db, vip.catalogs, Notifier(vip.db.pool), system_now)
    for _ in range(4):
        await runner.run_once()
    assert await vip.rows("SELECT 1 FROM ingest_log WHERE workspace_id = $1 AND op = 'reevaluate'") == []
    await vip.apply()
    await vip.accept(SegmentMember(subject=who("3"), segment_id=segment_id))
    while await runner.run_once():
        pass
    await vip.apply()
    assert await vip.members("vip") == ["3"]


async def test_a_mute_clearing_starts_nothing_and_only_exit_rules_end(vip: Room):
    outside = campaign("outside", on_match(OUTSIDE), "wait", WAIT)
    goal = {"leaves_segment": "vip", "within": "P7D"}
    leaving = campaign("leaving", on_match({"segment": "vip"}), "wait", WAIT, goal=goal, exit="goal")
    await vip.define(ON_VIP, outside, leaving)
    for key in ("on-vip", "outside", "leaving"):
        await vip.run_campaign(key)
    await put(vip, "7")
    await vip.apply(Identify(subject=who("7"), attributes={"mood": "good"}))
    await cleared(vip)
    found = {row["campaign_id"]: (row["state"], row["reason"]) for row in await vip.journeys()}
    assert sorted(found.values(), key=str) == [("exited_early", "trigger"), ("in_progress", None)]
    await cleared(vip, update_campaign_journeys=True)
    await vip.apply(Identify(subject=who("7"), attributes={"mood": "great"}))
    assert len(await vip.journeys()) == 2


async def test_a_clearing_with_signals_starts_what_asks_for_not_being_in(vip: Room):
    await vip.define(campaign("outside", on_match(OUTSIDE), "wait", WAIT))
    await vip.run_campaign("outside")
    await put(vip, "7")
    await vip.apply(Identify(subject=who("7"), attributes={"mood": "good"}))
    assert await vip.journeys() == []
    await cleared(vip, update_campaign_journeys=True)
    assert len(await vip.journeys()) == 1


async def test_only_manual_segments_are_cleared(vip: Room):
    await vip.define(HAPPY)
    with pytest.raises(DomainError) as refusal:
        await segment_clearing.clear(vip.db, vip.workspace_id, "happy", None, system_now())
    assert refusal.value.code == "invalid_state"


async def test_clearing_a_segment_that_is_deleted_meanwhile_is_cancelled(vip: Room):
    await put(vip, "1")
    await segment_clearing.clear(vip.db, vip.workspace_id, "vip", None, system_now())
    await segments.delete(vip.db, vip.workspace_id, "vip", system_now())
    runner = TaskRunner(vip.db, vip.catalogs, Notifier(vip.db.pool), system_now)
    while await runner.run_once():
        pass
    (row,) = await vip.rows("SELECT state FROM tasks WHERE workspace_id = $1 AND type = 'segment_clear'")
    assert row == {"state": "cancelled"}
    assert await vip.rows("SELECT 1 FROM memberships WHERE workspace_id = $1") == []


async def test_a_clearing_of_somebody_who_is_gone_is_nothing(vip: Room):
    await put(vip, "1")
    await segment_clearing.clear(vip.db, vip.workspace_id, "vip", None, system_now())
    runner = TaskRunner(vip.db, vip.catalogs, Notifier(vip.db.pool), system_now)
    while await runner.run_once():
        pass
    async with vip.db.transaction() as conn:
        assert await log.busy_workspaces(conn)
        await conn.execute("DELETE FROM people WHERE workspace_id = $1", vip.workspace_id)
    await vip.apply()
    assert (await outcomes(vip))[-1] == ("ignored", "The person is gone.")
