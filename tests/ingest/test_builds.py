"""Builds beside everything else that happens: what is made of a segment follows, and nobody enters by it (PPL-40, PPL-41)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clock import system_now
from domain.operations import (
    AddDevice,
    ChangeRelationships,
    DeleteDevice,
    DeletePerson,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    MergePeople,
    ObjectRef,
    TrackEvent,
)
from ingest.builds import build_page
from services import campaigns, definitions, segment_builds
from services.due import fire
from store.database import Database
from tests.support.building import Building
from tests.support.database import START, Room
from tests.support.tasks import Tasks

NOW = int(START.timestamp())


def inner(plan: str) -> dict[str, Any]:
    return {
        "kind": "segment",
        "key": "inner",
        "name": "Inner",
        "conditions": {"attribute": {"field": "plan", "value": plan}},
    }


OUTER = {
    "kind": "segment",
    "key": "outer",
    "name": "Outer",
    "conditions": [{"segment": "inner"}, {"attribute": {"field": "x", "operator": "exists"}}],
}
CAMPAIGN = {
    "kind": "campaign",
    "key": "hello",
    "name": "Hello",
    "trigger": {
        "type": "segment",
        "conditions": [{"segment": "outer"}, {"attribute": {"field": "x", "operator": "exists"}}],
    },
    "workflow": {"start": "hold", "blocks": {"hold": {"type": "time_delay", "duration": "P1D"}}},
}
COMPANIES = {"kind": "object_type", "key": "companies", "name": "Companies", "singular_name": "Company"}
LEAVES: dict[str, Any] = {
    "pro": {"attribute": {"field": "plan", "value": "Pro"}},
    "not-pro": {"attribute": {"field": "plan", "value": "pro", "inverse": True}},
    "soon": {"attribute": {"field": "due", "operator": "before", "value": {"from_now": "PT2H"}}},
    "fresh": {"attribute": {"field": "due", "operator": "after", "value": {"ago": "PT1H"}}},
    "busy": {"performed": {"event": "bought", "times": {"at_least": 2}, "within": "PT3H"}},
    "idle": {"performed": {"event": "bought", "within": "PT3H", "inverse": True}},
    "never": {"performed": {"event": "bought*", "inverse": True}},
    "dear": {"performed": {"event": "bought", "where": {"field": "price", "operator": "gt", "value": 5}}},
    "ios": {"device": {"where": {"field": "platform", "value": "ios"}}},
    "no-device": {"device": {"inverse": True}},
    "at-work": {"related": {"to": "companies", "object": {"field": "size", "operator": "gt", "value": 5}}},
    "alone": {"related": {"to": "companies", "inverse": True}},
    "unread": {"message": {"channel": "email", "status": "opened", "inverse": True}},
    "either": {"or": [{"attribute": {"field": "plan", "value": "pro"}}, {"performed": {"event": "bought"}}]},
    "both": {"and": [{"not": {"attribute": {"field": "plan"}}}, {"device": {}}]},
    "nested": {"and": [{"segment": "either"}, {"not": {"segment": "busy"}}]},
}
SEGMENTS = [{"kind": "segment", "key": key, "name": key, "conditions": leaf} for key, leaf in LEAVES.items()]


def who(value: str) -> Identifier:
    return Identifier(kind="id", value=value)


def identify(value: str = "1", /, **attributes: Any) -> Identify:
    return Identify(subject=who(value), attributes=attributes)


def bought(value: str, price: int = 1, at: int | None = None) -> TrackEvent:
    return TrackEvent(subject=who(value), name="bought", data={"price": price}, timestamp=at)


def device(value: str, token: str, platform: str = "ios") -> AddDevice:
    return AddDevice(subject=who(value), token=token, platform=platform, attributes={})


def related(value: str, company: str, action: Any = "add") -> ChangeRelationships:
    thing = ObjectRef(object_type_id=1, object_id=company)
    return ChangeRelationships(action=action, edges=[Edge(person=who(value), object=thing)])


def company(name: str, size: int) -> IdentifyObject:
    return IdentifyObject(object=ObjectRef(object_type_id=1, object_id=name), attributes={"size": size})


async def build(room: Room, key: str) -> None:
    async with room.db.transaction() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
        number = catalog.segment_ids[key]
        now = catalog.now(system_now())
        page = await build_page(conn, catalog, "segment", number, after=0, since=now, now=now)
        assert page.looked == 1


async def begin(room: Room) -> None:
    await room.define(inner("pro"), OUTER, CAMPAIGN)
    await room.run_campaign("hello")
    await room.apply(identify(plan="basic", x=1))
    assert (await room.members("inner"), await room.members("outer")) == ([], [])


async def test_what_is_made_of_a_segment_follows_its_build_and_nobody_enters_by_it(room: Room):
    await begin(room)
    await room.define(inner("basic"))
    await build(room, "inner")
    assert (await room.members("inner"), await room.members("outer")) == (["1"], ["1"])
    await room.apply(identify(x=2))
    assert await room.journeys() == []


async def test_a_fact_during_a_build_leaves_to_it_whom_the_definition_moved(room: Room):
    await begin(room)
    await definitions.apply(room.db, room.workspace_id, {"definitions": [inner("basic")]}, now=system_now())
    await room.apply(identify(plan="BASIC", x=2))
    await build(room, "inner")
    assert (await room.members("inner"), await room.members("outer")) == (["1"], ["1"])
    await room.apply(identify(x=3))
    assert await room.journeys() == []


async def test_a_flip_announced_by_the_conditions_of_before_is_no_sign_that_a_build_has_passed(room: Room):
    def soon(span: str) -> dict[str, Any]:
        due = {"field": "due", "operator": "before", "value": {"from_now": span}}
        return {**inner("pro"), "conditions": {"attribute": due}}

    await room.define(soon("PT1H"), OUTER, CAMPAIGN)
    await room.run_campaign("hello")
    await room.apply(identify(due=NOW + 36_000, x=1))
    building = Building(room)
    tasks = await building.save(soon("PT20H"))
    await room.apply(identify(due=NOW + 40_000))
    assert (await room.members("inner"), await room.journeys()) == ([], [])
    await building.finish(*tasks)
    assert (await room.members("outer"), await room.journeys()) == (["1"], [])
    # Whom the build has been to, the clock moves as ever.
    [task_id] = await building.save(soon("PT1H"))
    while await room.members("inner"):
        await building.step(task_id)
    assert await building.state("inner") == "building"
    await room.move(hours=11)
    await building.catch_up()
    assert (await room.members("outer"), len(await room.journeys())) == (["1"], 1)


def due_within(span: str) -> dict[str, Any]:
    due = {"field": "due", "operator": "before", "value": {"from_now": span}}
    return {**inner("pro"), "conditions": {"attribute": due}}


async def begin_with_the_clock(room: Room) -> Building:
    """Somebody who comes into the segment in two hours, and begins the campaign by that."""
    await room.define(
        due_within("PT1H"), {**CAMPAIGN, "trigger": {"type": "segment", "conditions": {"segment": "inner"}}}
    )
    await room.run_campaign("hello")
    await room.apply(identify(due=NOW + 3 * 3600))
    return Building(room)


async def has_entered(room: Room, building: Building) -> None:
    await building.catch_up()
    assert (await room.members("inner"), len(await room.journeys())) == (["1"], 1)
    assert (await building.counted("inner"), await building.state("inner")) == (1, "ready")


async def test_whose_turn_had_come_before_a_build_was_made_is_left_to_the_clock(room: Room):
    building = await begin_with_the_clock(room)
    await room.move(hours=3)
    task = await segment_builds.rebuild(room.db, room.workspace_id, "inner", system_now())
    await building.finish(task["id"])
    assert await room.members("inner") == []
    await has_entered(room, building)


async def test_whose_turn_is_in_the_log_when_a_build_comes_is_left_to_the_clock(room: Room):
    building = await begin_with_the_clock(room)
    await room.move(hours=3)
    async with room.db.transaction() as conn:
        await fire(conn, await room.catalogs.get(conn, room.workspace_id), system_now())
    task = await segment_builds.rebuild(room.db, room.workspace_id, "inner", system_now())
    await building.finish(task["id"])
    await has_entered(room, building)


async def test_whom_the_clock_moves_between_a_save_and_their_page_enters_by_the_clock(room: Room):
    building = await begin_with_the_clock(room)
    [task_id] = await building.save(due_within("PT2H"))
    await building.step(task_id)
    await room.move(minutes=61)
    await building.finish(task_id)
    await has_entered(room, building)


async def test_whom_the_clock_takes_out_between_a_save_and_their_page_leaves_by_the_clock(room: Room):
    fresh = {
        **inner("pro"),
        "conditions": {"attribute": {"field": "due", "operator": "after", "value": {"ago": "PT1H"}}},
    }
    await room.define(
        fresh,
        {
            **CAMPAIGN,
            "trigger": {
                "type": "segment",
                "conditions": [{"attribute": {"field": "x"}}, {"segment": {"key": "inner", "inverse": True}}],
            },
        },
    )
    await room.run_campaign("hello")
    await room.apply(identify(due=NOW, x=1))
    building = Building(room)
    task = await segment_builds.rebuild(room.db, room.workspace_id, "inner", system_now())
    await room.move(hours=2)
    await building.finish(task["id"])
    await building.catch_up()
    assert (await room.members("inner"), len(await room.journeys())) == ([], 1)


async def test_who_comes_to_match_a_trigger_while_its_campaign_starts_enters_by_the_clock(room: Room):
    trigger = {"type": "segment", "conditions": due_within("PT1H")["conditions"]}
    await room.define({**CAMPAIGN, "trigger": trigger})
    await room.apply(identify("now", due=NOW), identify("later", due=NOW + 3 * 3600))
    await campaigns.start(room.db, room.workspace_id, "hello", None, system_now())
    await room.move(hours=3)
    await Tasks(room.db).drain()
    await Building(room).catch_up()
    rows = await room.rows(
        "SELECT p.id FROM journeys j JOIN people p USING (workspace_id, person_id) WHERE j.workspace_id = $1"
    )
    assert [row["id"] for row in rows] == ["later"]


async def test_a_page_ends_early_where_people_have_done_much(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.builds.FIRST", 2)
    monkeypatch.setattr("ingest.builds.EVENTS", 20)
    for n in range(12):
        await room.apply(*(bought(str(n)) for _ in range(5 if n < 8 else 0)), identify(str(n), x=1))
    building = Building(room)
    [task_id] = await building.save({**inner("pro"), "conditions": LEAVES["never"]})
    done = []
    while not (progress := await building.step(task_id)).over:
        done.append(progress.done)
    assert done == [0, 4, 8, 12]
    assert (progress.state, await room.members("inner")) == ("succeeded", ["10", "11", "8", "9"])


async def test_what_follows_a_segment_counts_as_work_of_its_page(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.builds.FIRST", 2)
    monkeypatch.setattr("ingest.builds.EVENTS", 20)
    outer = {**OUTER, "conditions": [{"segment": "inner"}, LEAVES["busy"]]}
    await room.define(inner("none"), outer)
    for n in range(8):
        await room.apply(*(bought(str(n)) for _ in range(5)), identify(str(n), plan="pro"))
    building = Building(room)
    [task_id] = await building.save(inner("pro"))
    done = []
    while not (progress := await building.step(task_id)).over:
        done.append(progress.done)
    assert done == [0, 4, 8]
    assert await room.members("outer") == [str(n) for n in range(8)]


async def test_somebody_whom_a_fact_moves_during_a_build_enters_at_once(room: Room):
    await begin(room)
    await definitions.apply(room.db, room.workspace_id, {"definitions": [inner("gold")]}, now=system_now())
    await room.apply(identify(plan="gold"))
    assert (await room.members("inner"), await room.members("outer")) == (["1"], ["1"])
    assert len(await room.journeys()) == 1


async def test_a_build_takes_out_whom_the_new_conditions_leave_out_and_says_why(room: Room):
    await begin(room)
    await room.apply(identify("2", plan="pro", x=1))
    building = Building(room)
    await building.finish(*await building.save(inner("basic")))
    assert (await room.members("inner"), await room.members("outer")) == (["1"], ["1"])
    assert (await building.counted("inner"), await building.counted("outer")) == (1, 1)
    lines = await room.rows(
        """SELECT p.id, a.type, a.data FROM activities a JOIN people p USING (workspace_id, person_id)
           WHERE a.workspace_id = $1 AND a.data ->> 'reason' LIKE 'built%' ORDER BY a.data ->> 'segment', p.id"""
    )
    moved = [(line["id"], line["type"], line["data"]["segment"], line["data"]["reason"]) for line in lines]
    why = "built: its conditions were saved"
    assert moved == [
        ("1", "segment_enter", "inner", why),
        ("2", "segment_leave", "inner", why),
        ("1", "segment_enter", "outer", why),
        ("2", "segment_leave", "outer", why),
    ]
    assert [journey["state"] for journey in await room.journeys()] == ["in_progress"]


async def test_a_page_looks_at_many_and_evaluates_few(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.builds.CANDIDATES", 2)
    await room.apply(*(identify(str(n), plan="pro" if n % 3 == 0 else "basic") for n in range(10)))
    building = Building(room)
    [task_id] = await building.save(inner("pro"))
    done = []
    while not (progress := await building.step(task_id)).over:
        done.append(progress.done)
    assert done == [0, 4, 10]
    assert (progress.state, progress.done, progress.total) == ("succeeded", 10, 10)
    assert await room.members("inner") == ["0", "3", "6", "9"]


async def test_a_build_with_writes_between_its_pages_ends_as_one_without(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.builds.SPAN", 3)
    await room.define(COMPANIES)
    everybody = [str(n) for n in range(12)]
    await room.apply(company("small", 1), company("big", 9))
    for n, person in enumerate(everybody):
        await room.apply(identify(person, plan="pro" if n % 2 else "free", due=NOW + n * 1200))
        if n % 3 == 0:
            await room.apply(bought(person), bought(person, 9), device(person, f"t{person}"), related(person, "big"))
    building = Building(room)
    task_ids = await building.save(*SEGMENTS)
    writes: list[list[Any]] = [
        [identify("0", plan="pro"), identify("11", plan="pro"), bought("1"), bought("10", 9), device("1", "t9")],
        [identify("new", plan="pro"), device("2", "t0", "android"), company("small", 9), related("10", "small")],
        [DeletePerson(subject=who("3")), MergePeople(primary=who("2"), secondary=who("9")), bought("11"), bought("11")],
        [DeleteDevice(subject=who("6"), token="t6"), related("0", "big", "delete"), identify("8", plan="")],
        [MergePeople(primary=who("7"), secondary=who("1")), identify("late", due=NOW), company("big", 1)],
        [bought("late", at=NOW - 7200), bought("5", 9), device("11", "t11"), identify("4", plan="PRO")],
    ]
    for _ in range(2):
        for task_id in task_ids:
            await building.step(task_id)
    for batch in writes:
        await room.accept(*batch)
        await room.move(minutes=20)
        await building.catch_up()
        for task_id in task_ids:
            await building.step(task_id)
    await building.finish(*task_ids)
    await building.catch_up()
    for key in LEAVES:
        assert (key, await room.members(key)) == (key, await building.expected(key))
        assert (key, await building.counted(key)) == (key, len(await room.members(key)))
        assert await building.state(key) == "ready"
    before = await building.kept()
    assert await rebuilt(building) == before


async def rebuilt(building: Building) -> list[dict[str, Any]]:
    """What is kept where nothing had been and everything was built."""
    room = building.room
    await room.rows("DELETE FROM memberships WHERE workspace_id = $1 RETURNING 1")
    plain = [{**segment, "conditions": {"attribute": {"field": "none"}}} for segment in SEGMENTS]
    await building.finish(*await building.save(*plain))
    # What is made of others is built after them, as it then finds them.
    await building.finish(*await building.save(*SEGMENTS))
    return await building.kept()


async def test_the_build_of_an_older_revision_gives_way_to_the_newer(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.builds.SPAN", 2)
    await room.apply(*(identify(str(n), plan="gold" if n < 3 else "pro") for n in range(6)))
    building = Building(room)
    [older] = await building.save(inner("gold"))
    for _ in range(2):
        await building.step(older)
    assert await room.members("inner") == ["0", "1"]
    [newer] = await building.save(inner("pro"))
    assert (await building.step(older)).state == "cancelled"
    assert await building.state("inner") == "building"
    assert (await building.finish(newer)).state == "succeeded"
    assert (await room.members("inner"), await building.state("inner")) == (["3", "4", "5"], "ready")


people = st.sampled_from(["1", "2", "3"])
facts = st.one_of(
    st.builds(lambda p, v: identify(p, plan=v), people, st.sampled_from(["pro", "PRO", "free", ""])),
    st.builds(lambda p, v: identify(p, due=v), people, st.integers(-6, 8).map(lambda n: NOW + n * 1800)),
    st.builds(bought, people, st.sampled_from([1, 9]), st.none() | st.integers(-4, 2).map(lambda n: NOW + n * 3600)),
    st.builds(device, people, st.sampled_from(["a", "b"]), st.sampled_from(["ios", "android"])),
    st.builds(lambda p, t: DeleteDevice(subject=who(p), token=t), people, st.sampled_from(["a", "b"])),
    st.builds(related, people, st.sampled_from(["x", "y"]), st.sampled_from(["add", "add", "delete"])),
    st.builds(company, st.sampled_from(["x", "y"]), st.sampled_from([1, 9])),
    st.builds(lambda a, b: MergePeople(primary=who(a), secondary=who(b)), people, people),
    people.map(lambda p: DeletePerson(subject=who(p))),
)
steps = st.lists(facts | st.integers(1, 240), min_size=3, max_size=12)


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(steps=steps)
async def test_facts_and_the_clock_lead_where_a_build_from_scratch_leads(database: Database, steps: list[Any]):
    room = await Room.make(database)
    await room.define(COMPANIES, *SEGMENTS)
    building = Building(room)
    for step in steps:
        if isinstance(step, int):
            await room.move(minutes=step)
        else:
            await room.accept(step)
        await building.catch_up()
    for key in LEAVES:
        assert (key, await room.members(key)) == (key, await building.expected(key))
    kept = await building.kept()
    assert await rebuilt(building) == kept
