"""Two people become one: attributes, names, events, segments, journeys, and everything else that was the secondary's."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import Identifier, Identify, MergePeople, TrackEvent
from ingest.apply import Applier
from store.notify import Notifier
from tests.ingest.test_interleaving import PacedDatabase, Turns, drain
from tests.support.database import Room

BUYERS = {
    "kind": "segment",
    "key": "buyers",
    "name": "Buyers",
    "conditions": {"performed": {"event": "purchase", "times": {"at_least": 1}}},
}
ROMANS = {
    "kind": "segment",
    "key": "romans",
    "name": "Romans",
    "conditions": {"attribute": {"field": "city", "value": "Rome"}},
}


def waiting(key: str, event: str, **fields: Any) -> dict[str, Any]:
    """A campaign begun by an event that waits ten days."""
    return {
        "kind": "campaign",
        "key": key,
        "name": key,
        "trigger": {"type": "event", "event": event},
        "workflow": {"start": "wait", "blocks": {"wait": {"type": "time_delay", "duration": "P10D"}}},
        **fields,
    }


def who(value: str) -> Identifier:
    return Identifier(kind="email" if "@" in value else "id", value=value)


def identify(value: str, /, **attributes: Any) -> Identify:
    return Identify(subject=who(value), attributes=attributes)


def event(value: str, name: str, /, **fields: Any) -> TrackEvent:
    return TrackEvent(subject=who(value), name=name, **fields)


def merge(primary: str, secondary: str) -> MergePeople:
    return MergePeople(primary=who(primary), secondary=who(secondary))


async def outcomes(room: Room) -> list[tuple[str, str, str | None]]:
    rows = await room.rows("SELECT op, outcome, note FROM ingest_log WHERE workspace_id = $1 ORDER BY seq")
    return [(row["op"], row["outcome"], row["note"]) for row in rows]


async def campaigns(room: Room, *documents: dict[str, Any]) -> None:
    await room.define(*documents)
    for document in documents:
        if document["kind"] == "campaign":
            await room.run_campaign(document["key"])


async def test_ppl_case_05_attributes_of_the_primary_win_and_blanks_are_filled(room: Room):
    await room.apply(identify("1", first_name="Al"), identify("2", first_name="Bo", city="Rome"), merge("1", "2"))
    assert await room.people() == [{"id": "1", "email": None, "attributes": {"first_name": "Al", "city": "Rome"}}]
    await room.apply(merge("nobody", "1"))
    assert len(await room.people()) == 1
    assert (await outcomes(room))[-1] == ("merge", "ignored", "The primary does not exist.")


async def test_api_case_18_the_secondary_is_gone_and_its_name_is_free(room: Room):
    await room.apply(identify("1", plan="pro"), identify("2", plan="free", city="X"), merge("1", "2"))
    assert await room.people() == [{"id": "1", "email": None, "attributes": {"plan": "pro", "city": "X"}}]
    await room.apply(identify("2", plan="new"))
    assert [p["attributes"]["plan"] for p in await room.people()] == ["pro", "new"]


async def test_the_secondary_lends_the_names_that_the_primary_lacks(room: Room):
    await room.apply(identify("1"), identify("b@x.io"), merge("1", "b@x.io"), event("B@x.io", "later"))
    assert [(p["id"], p["email"]) for p in await room.people()] == [("1", "b@x.io")]
    (row,) = await room.rows("SELECT count(DISTINCT person_id) AS people FROM events WHERE workspace_id = $1")
    assert row["people"] == 1


async def test_merging_oneself_or_nobody_is_nothing(room: Room):
    await room.apply(identify("1", email="a@x.io"), merge("1", "a@x.io"), merge("1", "nobody"))
    assert [outcome for _, outcome, _ in await outcomes(room)] == ["applied", "ignored", "ignored"]
    assert len(await room.people()) == 1


async def test_api_case_5_an_identify_that_names_two_merges_them_into_the_older(room: Room):
    await room.apply(identify("1"))
    await room.move(minutes=1)
    await room.apply(identify("b@x", plan="b", city="Rome"), identify("1", email="b@x", plan="one"))
    assert await room.people() == [{"id": "1", "email": "b@x", "attributes": {"plan": "one", "city": "Rome"}}]
    (row,) = await room.rows("SELECT data FROM activities WHERE workspace_id = $1 AND type = 'profile_merge'")
    assert row["data"]["source"] == "automatic"


async def test_the_older_is_primary_whoever_carried_the_id(room: Room):
    await room.apply(identify("b@x.io", plan="old"))
    await room.move(minutes=1)
    await room.apply(identify("1", plan="young", city="Rome"), identify("1", email="b@x.io"))
    assert await room.people() == [{"id": "1", "email": "b@x.io", "attributes": {"plan": "old", "city": "Rome"}}]


@pytest.mark.parametrize("other", [{"email": "a@x.io"}, {}])
async def test_whoever_would_lose_a_name_is_not_merged(room: Room, other: dict[str, str]):
    await room.apply(identify("1", **other), identify("2", email="b@x.io"), identify("1", email="b@x.io", plan="pro"))
    assert [(p["id"], p["attributes"]) for p in await room.people()] == [("1", {"plan": "pro"}), ("2", {})]
    assert "Another person has this email." in ((await outcomes(room))[-1][2] or "")


async def test_ppl_case_06_journeys_of_both(room: Room):
    await campaigns(room, waiting("c", "in_c"), waiting("d", "in_d"))
    await room.apply(event("1", "in_c"), event("2", "in_c"), event("2", "in_d"))
    before = {(row["campaign_id"], row["person_id"]): row for row in await room.journeys()}
    await drain(room)
    parked = {row["journey_id"]: row["due_at"] for row in await room.journeys()}
    await room.apply(merge("1", "2"))
    after = {row["journey_id"]: row for row in await room.journeys()}
    (person,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    assert {row["person_id"] for row in after.values()} == {person["person_id"]}
    mine, theirs, only_theirs = (after[row["journey_id"]] for row in before.values())
    assert (mine["state"], mine["due_at"]) == ("in_progress", parked[mine["journey_id"]])
    assert (theirs["state"], theirs["reason"]) == ("exited_early", "merged")
    assert (only_theirs["state"], only_theirs["block"]) == ("in_progress", "wait")
    assert only_theirs["due_at"] == parked[only_theirs["journey_id"]]
    assert {row["journey_id"] for row in await room.rows("SELECT journey_id FROM outbox WHERE workspace_id = $1")} == {
        theirs["journey_id"]
    }


async def test_an_active_journey_of_the_secondary_ends_where_frequency_bars_the_primary_from_another(room: Room):
    once = waiting("c", "in_c", frequency={"mode": "once"})
    once["workflow"]["blocks"]["wait"]["duration"] = "PT1S"
    await campaigns(room, once)
    await room.apply(event("1", "in_c"))
    await drain(room)
    await room.rows("UPDATE journeys SET state = 'finished', ended_at = started_at WHERE workspace_id = $1 RETURNING 1")
    await room.apply(event("2", "in_c"), merge("1", "2"))
    assert sorted((row["state"], row["reason"]) for row in await room.journeys()) == [
        ("exited_early", "merged"),
        ("finished", None),
    ]


async def test_ppl_case_07_merged_events_count_and_start_nothing(room: Room):
    await campaigns(room, BUYERS)
    await room.apply(identify("1"), event("2", "purchase"))
    await campaigns(room, waiting("thanks", "purchase"))
    await room.apply(merge("1", "2"))
    assert await room.members("buyers") == ["1"]
    assert await room.journeys() == []
    (total,) = await room.rows(
        "SELECT sum(amount) AS members FROM metric_deltas WHERE workspace_id = $1 AND kind = 'segment' AND metric = 'members'"
    )
    assert total["members"] == 1


async def test_an_inherited_attribute_enters_a_segment_and_what_it_starts(room: Room):
    romans = {
        **waiting("rome", "-"),
        "trigger": {"type": "segment", "conditions": {"segment": {"key": "romans"}}},
    }
    await campaigns(room, ROMANS, romans)
    await room.apply(identify("1", plan="x"))
    await room.apply(identify("2", city="Rome"))
    await drain(room)
    assert len(await room.journeys()) == 1
    await room.apply(merge("1", "2"))
    assert await room.members("romans") == ["1"]
    (row,) = await room.journeys()
    assert (row["state"], row["entry"]) == ("in_progress", "1")


async def test_merging_the_primary_again_leads_to_the_last_of_them(room: Room):
    await room.apply(identify("1"), identify("2"), identify("3"), merge("2", "3"), merge("1", "2"))
    rows = await room.rows("SELECT merged_into FROM merged_people WHERE workspace_id = $1")
    (person,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    assert [row["merged_into"] for row in rows] == [person["person_id"]] * 2


async def test_facts_of_one_batch_before_and_after_a_merge_are_all_of_the_primary(room: Room):
    await room.accept(
        event("2", "before"), identify("1"), merge("1", "2"), event("2", "of somebody new"), event("1", "after")
    )
    await room.apply()
    rows = await room.rows(
        """SELECT p.id, e.name FROM events e JOIN people p USING (workspace_id, person_id)
           WHERE e.workspace_id = $1 ORDER BY e.seq"""
    )
    assert [(row["id"], row["name"]) for row in rows] == [("1", "before"), ("2", "of somebody new"), ("1", "after")]


@pytest.mark.parametrize("stop_at", range(2, 60, 4))
async def test_a_merge_and_facts_applied_by_another_process_do_not_miss_each_other(database: Any, stop_at: int):
    import asyncio

    room = await Room.make(database)
    await campaigns(room, BUYERS)
    await room.apply(identify("1"), identify("2"))
    await room.accept(merge("1", "2"), event("2", "purchase"), event("1", "purchase"))
    turns = Turns(stop_at)
    first = Applier(PacedDatabase(database, turns), room.catalogs, Notifier(database.pool))  # type: ignore[arg-type]
    one = asyncio.create_task(first.apply_once(system_now()))
    stopped = asyncio.create_task(turns.reached.wait())
    await asyncio.wait({one, stopped}, return_when=asyncio.FIRST_COMPLETED)
    other = asyncio.create_task(room.applier.apply_once(system_now()))
    await asyncio.wait({other}, timeout=0.1)
    turns.go_on.set()
    stopped.cancel()
    await asyncio.gather(one, other)
    await room.apply()
    assert await room.members("buyers") == ["1", "2"]
    rows = await room.rows("SELECT count(*) AS events FROM events WHERE workspace_id = $1")
    assert rows[0]["events"] == 2
