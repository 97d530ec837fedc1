"""Splits, random cohorts and randomized delays on a database: who goes where, and what edits leave alone (ACT-06, 13 to 15, 38)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from clock import system_now
from domain.errors import InvalidInput
from domain.operations import ChangeRelationships, Edge, Identifier, Identify, ObjectRef, TrackEvent
from services import definitions
from tests.support.database import Room
from tests.support.driver import Driver
from tests.support.live import campaign, on_event

ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}
DELAY = {"type": "time_delay", "duration": "P9D"}
ON_GO = on_event("go")


def who(name: str) -> Identifier:
    return Identifier(kind="id", value=name)


def cohort(*percents: float, **fields: Any) -> dict[str, Any]:
    """A cohort with paths p0, p1, ... that lead to the delays d0, d1, ..."""
    paths = [{"key": f"p{n}", "percent": percent, "next": f"d{n}"} for n, percent in enumerate(percents)]
    return {"type": "random_cohort", "paths": paths, **fields}


def spreading(*percents: float, **fields: Any) -> dict[str, Any]:
    """A campaign of a cohort and a delay on each path."""
    delays = {f"d{n}": DELAY for n in range(len(percents))}
    return campaign("c", ON_GO, "draw", {"draw": cohort(*percents, **fields), **delays})


BY_ACCOUNT = {"cohort_by": {"object_type": "account"}}


async def ready(room: Room, *documents: dict[str, Any]) -> Driver:
    await room.define(*documents)
    await room.run_campaign("c")
    return Driver(room)


async def go(room: Room, driver: Driver, *names: str, **data: Any) -> None:
    """These people go."""
    await room.accept(*[Identify(subject=who(name)) for name in names])
    await room.accept(*[TrackEvent(subject=who(name), name="go", data=data) for name in names])
    for _ in range(2):
        await driver.step()


def related(person: str, account: str) -> ChangeRelationships:
    return ChangeRelationships(edges=[Edge(person=who(person), object=ObjectRef(object_id=account))])


async def paths(room: Room) -> dict[str, list[tuple[str | None, int | None]]]:
    """The path and number that each person's journeys took at the branch, oldest first."""
    found: dict[str, list[tuple[str | None, int | None]]] = {}
    for row in await room.rows(
        """SELECT p.id, s.path, s.branch_index FROM journey_steps s
           JOIN journeys j USING (workspace_id, journey_id) JOIN people p USING (workspace_id, person_id)
           WHERE s.workspace_id = $1 AND s.block = 'draw' ORDER BY j.journey_id"""
    ):
        found.setdefault(row["id"], []).append((row["path"], row["branch_index"]))
    return found


@pytest.mark.parametrize(("age", "taken"), [(70, ("p0", 0)), (10, ("else", 2)), (None, ("else", 2)), (30, ("p0", 0))])
async def test_act_case_19_the_first_path_that_holds(room: Room, age: int | None, taken: tuple[str, int]) -> None:
    def older(key: str, least: int) -> dict[str, Any]:
        return {"key": key, "conditions": {"attribute": {"field": "age", "operator": "gte", "value": least}}}

    split = {"type": "multi_split", "paths": [older("p0", 18), older("p1", 65)], "join": "d"}
    driver = await ready(room, campaign("c", ON_GO, "draw", {"draw": split, "d": DELAY}))
    await room.accept(Identify(subject=who("ann"), attributes={} if age is None else {"age": age}))
    await go(room, driver, "ann")
    assert await paths(room) == {"ann": [taken]}


async def test_a_path_without_conditions_is_never_taken(room: Room) -> None:
    split = {
        "type": "multi_split",
        "paths": [{"key": "empty", "next": "a"}, {"key": "all", "conditions": {"event": {"field": "n", "value": 1}}}],
        "else": "b",
        "join": "d",
    }
    driver = await ready(room, campaign("c", ON_GO, "draw", {"draw": split, "a": DELAY, "b": DELAY, "d": DELAY}))
    await go(room, driver, "ann", n=1)
    await go(room, driver, "ann", n=2)
    assert await paths(room) == {"ann": [("all", 1), ("else", 2)]}


async def test_shares_of_people_and_none_for_nothing(room: Room) -> None:
    driver = await ready(room, spreading(0, 70, 30, 0))
    await go(room, driver, *[f"n{n}" for n in range(200)])
    taken = Counter(path for found in (await paths(room)).values() for path, _ in found)
    assert set(taken) == {"p1", "p2"}
    assert sum(taken.values()) == 200


async def test_each_journey_is_drawn_for(room: Room) -> None:
    driver = await ready(room, spreading(50, 50))
    for _ in range(30):
        await go(room, driver, "ann")
    assert {path for path, _ in (await paths(room))["ann"]} == {"p0", "p1"}


async def test_act_case_21_everybody_of_a_company_goes_the_way_of_the_first(room: Room) -> None:
    driver = await ready(room, ACCOUNT, spreading(50, 50, **BY_ACCOUNT))
    members = [f"n{n}" for n in range(12)]
    await room.accept(*[related(name, "acme") for name in members])
    await go(room, driver, *members)
    (taken,) = {path for found in (await paths(room)).values() for path, _ in found}
    other = "p1" if taken == "p0" else "p0"
    await room.define(spreading(*((0, 100) if taken == "p0" else (100, 0)), **BY_ACCOUNT))
    await go(room, driver, *members)
    assert {path for found in (await paths(room)).values() for path, _ in found} == {taken}
    await room.accept(related("new", "other"))
    await go(room, driver, "new")
    assert [path for path, _ in (await paths(room))["new"]] == [other]


async def test_act_case_21_a_member_of_two_companies_leaves_at_once(room: Room) -> None:
    driver = await ready(room, ACCOUNT, spreading(50, 50, **BY_ACCOUNT))
    await room.accept(related("ann", "acme"), related("ann", "other"))
    await go(room, driver, "ann")
    (journey,) = await room.journeys()
    assert (journey["state"], journey["reason"]) == ("exited_early", "cohort_ambiguous")
    (step,) = await room.rows("SELECT * FROM journey_steps WHERE workspace_id = $1")
    assert (step["outcome"], step["path"]) == ("exited", None)
    assert "several objects" in step["explanation"]


async def test_who_is_related_to_nothing_of_the_type_is_drawn_for_alone(room: Room) -> None:
    driver = await ready(room, ACCOUNT, spreading(50, 50, **BY_ACCOUNT))
    await go(room, driver, *[f"n{n}" for n in range(40)])
    assert {path for found in (await paths(room)).values() for path, _ in found} == {"p0", "p1"}
    told = await room.rows("SELECT DISTINCT explanation FROM journey_steps WHERE workspace_id = $1 AND block = 'draw'")
    assert [row["explanation"] for row in told] == [
        "The person is related to no object of the type, and was drawn for alone."
    ]
    assert await room.rows("SELECT * FROM cohort_assignments WHERE workspace_id = $1") == []


async def test_an_object_whose_path_is_gone_is_drawn_for_again(room: Room) -> None:
    driver = await ready(room, ACCOUNT, spreading(100, 0, **BY_ACCOUNT))
    await room.accept(related("ann", "acme"))
    await go(room, driver, "ann")
    async with driver.running():
        await driver.advance(by="P9D")
    renamed = spreading(50, 50, **BY_ACCOUNT)
    blocks = renamed["workflow"]["blocks"]
    blocks["draw"]["paths"] = [
        {"key": "p1", "percent": 0, "next": "d1"},
        {"key": "p2", "percent": 100, "next": "d2"},
    ]
    blocks["d2"] = blocks.pop("d0")
    await room.define(renamed)
    await go(room, driver, "ann")
    assert [path for path, _ in (await paths(room))["ann"]] == ["p0", "p2"]


async def test_a_path_with_people_inside_is_not_taken_away(room: Room) -> None:
    driver = await ready(room, spreading(100, 0, 0))
    await go(room, driver, "ann")
    shorter = spreading(0, 100)
    with_others = campaign("c", ON_GO, "d", {"d": DELAY})
    shorter["workflow"]["blocks"]["draw"]["paths"] = [
        {"key": "p1", "percent": 50, "next": "d1"},
        {"key": "p2", "percent": 50, "next": "d2"},
    ]
    shorter["workflow"]["blocks"]["d2"] = shorter["workflow"]["blocks"].pop("d0")
    for document, at in ((shorter, "/draw/paths"), (with_others, "")):
        with pytest.raises(InvalidInput) as caught:
            await room.define(document)
        found = [(problem.code, problem.pointer) for problem in caught.value.problems]
        assert found == [("in_use", f"/definitions/0/workflow/blocks{at}")]
    async with driver.running():
        await driver.advance(by="P9D")
    await room.define(shorter)


async def test_people_on_a_path_stay_where_its_blocks_move(room: Room) -> None:
    driver = await ready(room, spreading(100, 0))
    await go(room, driver, "ann")
    moved = spreading(100, 0)
    moved["workflow"]["blocks"]["draw"]["paths"][0]["key"] = "renamed"
    await room.define(moved)
    assert [row["block"] for row in await room.journeys()] == ["d0"]


async def test_a_randomized_delay_is_drawn_once_and_kept_within_its_bounds(room: Room) -> None:
    def spread(least: str, most: str) -> dict[str, Any]:
        blocks = {"r": {"type": "random_delay", "min": least, "max": most, "next": "d"}, "d": DELAY}
        return campaign("c", ON_GO, "r", blocks)

    driver = await ready(room, spread("PT10M", "PT60M"))
    await go(room, driver, *[f"n{n}" for n in range(20)])
    drawn = {row["journey_id"]: row["wait"]["drawn"] for row in await room.journeys()}
    assert len(set(drawn.values())) == 20
    assert all(600 <= seconds <= 3_600 for seconds in drawn.values())

    await room.move(minutes=20)
    # The task that follows from an edit is the driver's to run.
    await definitions.apply(room.db, room.workspace_id, {"definitions": [spread("PT15M", "PT30M")]}, now=system_now())
    async with driver.running():
        await driver.settle()
        before = {row["journey_id"]: row for row in await room.journeys()}
        for number, row in before.items():
            assert row["block"] == ("d" if drawn[number] <= 1_200 else "r")
            if row["block"] == "r":
                assert row["wait"]["drawn"] == drawn[number]
                waits = (row["due_at"] - row["arrived_at"]).total_seconds()
                assert waits == pytest.approx(min(drawn[number], 1_800), abs=0.001)
        await driver.advance(by="PT10M")
    assert {row["block"] for row in await room.journeys()} == {"d"}


async def test_several_arrivals_at_once_agree(room: Room) -> None:
    driver = await ready(room, ACCOUNT, spreading(50, 50, **BY_ACCOUNT))
    members = [f"n{n}" for n in range(8)]
    await room.accept(*[related(name, "acme") for name in members])
    await room.accept(*[TrackEvent(subject=who(name), name="go") for name in members])
    await room.apply()
    rows = await room.rows("SELECT * FROM outbox WHERE workspace_id = $1 AND kind = 'start'")
    await asyncio.gather(*[driver._plan(row) for row in rows])
    assert len(rows) == 8
    assert len({path for found in (await paths(room)).values() for path, _ in found}) == 1
