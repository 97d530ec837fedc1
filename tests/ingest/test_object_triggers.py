"""What happens to objects and relationships begins journeys, for the people it is meant for (CMP-07, CMP-08, CMP-21)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import ChangeRelationships, DeletePerson, Edge, MergePeople, TrackEvent
from ingest.object_entry import MOST
from tests.support.belonging import (
    COMPANIES,
    begun,
    known,
    lines,
    on_object,
    on_relationship,
    part,
    put,
    ref,
    relate,
    remove,
    who,
)
from tests.support.database import Room
from tests.support.live import campaign
from tests.support.moments import delay, segment

PREMIUM = {"field": "plan", "value": "premium"}
ADMIN = {"relationship": {"field": "role", "value": "admin"}}
STAY = {"stay": delay("P30D")}


def waiting(key: str, trigger: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A campaign that does nothing but hold people."""
    return campaign(key, trigger, "stay", STAY, **fields)


async def running(room: Room, *documents: dict[str, Any]) -> None:
    """The object type and these definitions, the campaigns running."""
    await room.define(COMPANIES, *documents)
    for document in documents:
        if document["kind"] == "campaign":
            await room.run_campaign(document["key"])


async def crowd(room: Room, company: str, *sizes: tuple[int, str]) -> None:
    """So many people of each role related to an object."""
    number = 0
    for size, role in sizes:
        edges = [
            Edge(person=who(f"p{number + i:05}"), object=ref(company), attributes={"role": role}) for i in range(size)
        ]
        number += size
        await room.apply(ChangeRelationships(edges=edges))


async def test_a_change_of_a_targeted_attribute_begins_and_the_same_again_or_another_does_not(room: Room):
    await running(
        room, waiting("c", on_object([PREMIUM, {"field": "suspended", "operator": "exists", "inverse": True}]))
    )
    await room.apply(put("acme", plan="basic"), relate("acme", "ann", "bob"))
    assert await begun(room) == []
    await room.apply(put("acme", plan="premium", seats=3))
    assert await begun(room) == ["ann", "bob"]
    await room.apply(put("acme", plan="premium"), put("acme", seats=4))
    assert await begun(room) == ["ann", "bob"]
    # What breaks a condition begins nothing; what makes all of them hold again does, whichever it is.
    await room.apply(put("acme", suspended=True))
    assert await begun(room) == ["ann", "bob"]
    await room.apply(put("acme", suspended=None))
    assert await begun(room) == ["ann", "ann", "bob", "bob"]


async def test_making_an_object_is_a_change_from_nothing(room: Room):
    await running(room, waiting("c", on_object(PREMIUM)))
    await room.apply(put("acme", plan="premium"), relate("acme", "ann"))
    # The relationship was accepted before anybody looked whom it is for.
    assert await begun(room) == ["ann"]
    await room.apply(relate("other", "bob"), put("other", plan="premium"))
    assert (await begun(room))[-1] == "bob"


async def test_a_value_inside_an_attribute_may_be_targeted(room: Room):
    await running(room, waiting("c", on_object({"field": "deal.stage", "value": "won"})))
    await room.apply(relate("acme", "ann"), put("acme", deal={"stage": "open"}))
    await room.apply(put("acme", deal={"stage": "won", "by": "bob"}))
    assert await begun(room) == ["ann"]
    await room.apply(put("acme", deal={"stage": "won", "by": "cleo"}))
    assert await begun(room) == ["ann"]


async def test_one_journey_for_each_object_and_one_object_for_each_campaign(room: Room):
    await running(
        room, waiting("c", on_object(PREMIUM)), waiting("d", on_object({"field": "plan", "operator": "exists"}))
    )
    await room.apply(*[relate(name, "ann") for name in ("a", "b", "c")])
    await room.apply(*[put(name, plan="premium") for name in ("a", "b", "c")])
    assert (await begun(room, "c"), await begun(room, "d")) == (["ann"] * 3, ["ann"] * 3)


async def test_the_audience_is_looked_at_once_and_the_rest_of_the_journey_keeps_the_moment(room: Room):
    trigger = on_object(PREMIUM, audience={"and": [ADMIN, {"attribute": {"field": "vip", "value": "true"}}]})
    await running(room, waiting("c", trigger, exit="never"))
    await room.apply(*[known(name, vip=name != "cleo") for name in ("ann", "bob", "cleo", "dave")])
    await room.apply(relate("acme", "ann", "cleo", role="admin"), relate("acme", "bob", role="member"))
    await room.apply(put("acme", plan="premium", name="Acme"))
    assert await begun(room) == ["ann"]
    await room.apply(put("acme", name="Other"), relate("acme", "bob", role="admin"), relate("acme", "ann", role="x"))
    [journey] = await room.journeys()
    assert (journey["state"], journey["trigger"]["data"]["company"]["name"]) == ("in_progress", "Acme")
    assert journey["trigger"]["data"]["company"]["object_id"] == "acme"
    await room.apply(remove("acme"))
    [journey] = await room.journeys()
    assert journey["state"] == "in_progress"


async def test_cmp_case_19_a_thousand_people_begin_and_one_more_is_nobody(room: Room):
    await running(room, waiting("all", on_object(PREMIUM)), waiting("admins", on_object(PREMIUM, audience=ADMIN)))
    await crowd(room, "acme", (40, "admin"), (MOST - 40, "member"))
    await room.apply(put("acme", plan="premium"))
    assert (len(await begun(room, "all")), len(await begun(room, "admins"))) == (1_000, 40)
    assert await lines(room, "failed_object_journeys") == []
    await crowd(room, "big", (40, "admin"), (MOST - 39, "member"))
    await room.apply(put("big", plan="premium"))
    assert (len(await begun(room, "all")), len(await begun(room, "admins"))) == (1_000, 80)
    [line] = await lines(room, "failed_object_journeys")
    assert line["name"] == "Failed Journeys for Object/Relationship Campaign"
    assert (line["data"]["campaign"], line["data"]["object_id"]) == ("all", "big")
    [refusal] = await room.rows("SELECT * FROM entry_refusals WHERE workspace_id = $1")
    assert refusal["person_id"] == 0


async def test_the_audience_is_counted_before_the_filters(room: Room):
    never = {"object": {"field": "plan", "value": "none"}}
    await running(room, waiting("c", on_object(PREMIUM), filters=never, exit="never"))
    await crowd(room, "acme", (MOST + 1, "member"))
    await room.apply(put("acme", plan="premium"))
    assert len(await lines(room, "failed_object_journeys")) == 1
    assert await room.rows("SELECT 1 FROM entry_retries WHERE workspace_id = $1") == []


async def test_being_related_begins_for_that_person_once_for_each_relationship(room: Room):
    await running(
        room, waiting("c", on_relationship()), waiting("admins", on_relationship(where=ADMIN["relationship"]))
    )
    await room.apply(relate("acme", "ann", role="member"), relate("acme", "ann", role="admin"), relate("b", "bob"))
    assert (await begun(room, "c"), await begun(room, "admins")) == (["ann", "bob"], [])
    await room.apply(relate("other", "ann", role="admin"))
    assert (await begun(room, "c"), await begun(room, "admins")) == (["ann", "ann", "bob"], ["ann"])
    await room.apply(part("acme", "ann"), relate("acme", "ann"))
    assert await begun(room, "c") == ["ann", "ann", "ann", "bob"]


async def test_a_relationship_that_comes_to_a_value_begins_and_saying_it_again_does_not(room: Room):
    await running(room, waiting("c", on_relationship("changed", where=ADMIN["relationship"])))
    await room.apply(relate("acme", "ann", role="member"))
    assert await begun(room) == []
    await room.apply(relate("acme", "ann", role="admin", since=1))
    await room.apply(relate("acme", "ann", role="admin"), relate("acme", "ann", since=2))
    assert await begun(room) == ["ann"]
    await room.apply(relate("acme", "ann", role="member"), relate("acme", "ann", role="admin"))
    assert await begun(room) == ["ann", "ann"]
    # Being made with the value is a change from nothing.
    await room.apply(relate("acme", "bob", role="admin"))
    assert await begun(room) == ["ann", "ann", "bob"]


async def test_cmp_case_21_the_recipient_is_not_the_person_who_triggered(room: Room):
    where = {"field": "role", "value": "subscriber"}
    await running(room, waiting("c", on_relationship(where=where, audience=ADMIN)))
    await room.apply(
        known("ali", first_name="Ali"), known("jeff", first_name="Jeff"), relate("calc", "jeff", role="admin")
    )
    await room.apply(put("calc", name="Calculus"), relate("calc", "ali", role="subscriber"))
    assert await begun(room) == ["jeff"]
    [journey] = await room.journeys()
    data = journey["trigger"]["data"]
    assert (data["customer"]["first_name"], data["relationship"], data["company"]["name"]) == (
        "Ali",
        {"role": "subscriber"},
        "Calculus",
    )


async def test_a_relationship_for_everyone_counts_its_people_too(room: Room):
    await running(room, waiting("c", on_relationship(where={"field": "role", "value": "boss"}, audience="everyone")))
    await crowd(room, "acme", (MOST - 1, "member"))
    await room.apply(relate("acme", "boss", role="boss"))
    assert len(await begun(room)) == MOST
    await room.apply(relate("acme", "second", role="boss"))
    assert len(await begun(room)) == MOST
    assert len(await lines(room, "failed_object_journeys")) == 1


async def test_filters_look_at_the_object_and_the_relationship_and_are_tried_again(room: Room):
    filters = {"and": [{"object": {"field": "open", "value": "true"}}, ADMIN]}
    await running(room, waiting("c", on_object(PREMIUM), filters=filters, exit="never"))
    await room.apply(relate("acme", "ann", role="admin"), relate("acme", "bob", role="member"))
    await room.apply(put("acme", plan="premium"))
    assert await begun(room) == []
    await room.move(minutes=10)
    await room.apply(put("acme", open=True))
    assert await begun(room) == ["ann"]
    await room.apply(relate("acme", "bob", role="admin"))
    assert await begun(room) == ["ann", "bob"]
    await room.apply(put("b", plan="premium"), relate("b", "cleo", role="admin"), put("b", plan="x"))
    await room.apply(put("b", plan="premium"))
    await room.move(minutes=31)
    await room.apply(put("b", open=True))
    assert await begun(room) == ["ann", "bob"]


async def test_filters_that_stop_holding_end_the_journey(room: Room):
    filters = {"and": [{"object": {"field": "plan", "value": "premium"}}, ADMIN]}
    await running(room, waiting("c", on_object(PREMIUM), filters=filters))
    await room.apply(relate("acme", "ann", "bob", "cleo", role="admin"))
    await room.apply(put("acme", plan="premium"))
    assert await begun(room) == ["ann", "bob", "cleo"]
    await room.apply(relate("acme", "ann", role="member"), part("acme", "bob"))
    assert [row["state"] for row in await room.journeys()].count("in_progress") == 1
    await room.apply(put("acme", plan="basic"))
    rows = await room.journeys()
    assert {(row["state"], row["reason"]) for row in rows} == {("exited_early", "filters")}


async def test_the_object_is_seen_although_the_relationship_is_gone(room: Room):
    filters = {"object": {"field": "plan", "value": "premium"}}
    await running(room, waiting("c", on_object(PREMIUM), filters=filters))
    await room.apply(relate("acme", "ann"), put("acme", plan="premium"), relate("b", "bob"), put("b", plan="premium"))
    await room.apply(part("acme", "ann"), part("b", "bob"))
    assert [row["state"] for row in await room.journeys()] == ["in_progress", "in_progress"]
    await room.apply(put("acme", plan="basic"), remove("b"))
    assert {(row["state"], row["reason"]) for row in await room.journeys()} == {("exited_early", "filters")}


async def test_who_is_merged_before_entering_enters_as_whom_they_have_become_once(room: Room):
    await running(room, waiting("c", on_object(PREMIUM)))
    await room.apply(relate("acme", "ann", "bob"), put("acme", plan="basic"))
    await room.apply(put("acme", plan="premium"), MergePeople(primary=who("ann"), secondary=who("bob")))
    assert await begun(room) == ["ann"]


async def test_merging_people_triggers_nothing(room: Room):
    await running(room, waiting("c", on_relationship()))
    await room.apply(relate("acme", "bob"), known("ann"))
    await room.apply(MergePeople(primary=who("ann"), secondary=who("bob")))
    assert len(await room.journeys()) == 1


async def test_a_segment_of_those_related_moves_on_the_first_and_the_last_only(room: Room):
    """The recipe on roles: segments are for people, relationship triggers for each relationship."""
    admins = segment("admins", {"related": {"to": "companies", "relationship": {"field": "role", "value": "admin"}}})
    by_segment = waiting("s", {"type": "segment", "conditions": {"segment": "admins"}}, frequency={"mode": "every"})
    await running(room, admins, by_segment, waiting("r", on_relationship(where=ADMIN["relationship"])))
    await room.apply(relate("a", "ann", role="admin"))
    await room.apply(relate("b", "ann", role="admin"))
    assert (await begun(room, "s"), await begun(room, "r")) == (["ann"], ["ann", "ann"])


async def test_what_others_hold_of_somebody_goes_with_them(room: Room):
    await running(room, waiting("c", on_relationship(where={"field": "role", "value": "new"}, audience=ADMIN)))
    await room.apply(relate("acme", "jeff", role="admin"), known("ali", first_name="Ali"))
    await room.apply(relate("acme", "ali", role="new"))
    await room.apply(DeletePerson(subject=who("ali")))
    [journey] = await room.journeys()
    assert (journey["state"], list(journey["trigger"]["data"])) == ("in_progress", ["company"])
    bodies = await room.rows("SELECT body FROM ingest_log WHERE workspace_id = $1")
    assert not [row for row in bodies if b"Ali" in row["body"]]


async def test_somebody_removed_before_the_others_enter_is_not_told_of(room: Room):
    await running(room, waiting("c", on_relationship(where={"field": "role", "value": "new"}, audience=ADMIN)))
    await room.apply(relate("acme", "jeff", role="admin"), known("ali", first_name="Ali"))
    await room.apply(relate("acme", "ali", role="new"), DeletePerson(subject=who("ali")))
    [journey] = await room.journeys()
    assert (journey["state"], list(journey["trigger"]["data"])) == ("in_progress", ["company"])
    bodies = await room.rows("SELECT body FROM ingest_log WHERE workspace_id = $1")
    assert not [row for row in bodies if b"Ali" in row["body"]]


async def test_somebody_removed_while_others_wait_for_the_filters_is_not_told_of(room: Room):
    trigger = on_relationship(where={"field": "role", "value": "new"}, audience=ADMIN)
    filters = {"object": {"field": "open", "value": "true"}}
    await running(room, waiting("c", trigger, filters=filters, exit="never"))
    await room.apply(relate("acme", "jeff", role="admin"), known("ali", first_name="Ali"))
    await room.apply(relate("acme", "ali", role="new"))
    await room.apply(DeletePerson(subject=who("ali")))
    await room.apply(put("acme", open=True))
    [journey] = await room.journeys()
    assert list(journey["trigger"]["data"]) == ["company"]


async def test_what_others_hold_of_somebody_merged_goes_with_whom_they_have_become(room: Room):
    await running(room, waiting("c", on_relationship(where={"field": "role", "value": "new"}, audience=ADMIN)))
    await room.apply(relate("acme", "jeff", role="admin"), known("ali", first_name="Ali"), known("bob"))
    await room.apply(relate("acme", "ali", role="new"))
    await room.apply(MergePeople(primary=who("bob"), secondary=who("ali")))
    await room.apply(DeletePerson(subject=who("bob")))
    [journey] = await room.journeys()
    assert list(journey["trigger"]["data"]) == ["company"]
    bodies = await room.rows("SELECT op, body FROM ingest_log WHERE workspace_id = $1")
    assert not [row["op"] for row in bodies if b"Ali" in row["body"] and row["op"] in ("fan_out", "enter_campaign")]


async def test_what_was_accepted_before_a_start_is_none_of_what_comes(room: Room):
    await running(room, waiting("c", on_object(PREMIUM)), waiting("d", on_relationship()))
    for key in ("c", "d"):
        await room.run_campaign(key, "stopped")
    await room.accept(relate("acme", "ann"), put("acme", plan="premium"))
    await room.move(seconds=1)
    for key in ("c", "d"):
        await room.run_campaign(key)
    await room.apply(relate("acme", "bob"))
    assert (await begun(room, "c"), await begun(room, "d")) == ([], ["bob"])


@pytest.mark.parametrize("state", ["draft", "stopping", "stopped", "archived"])
async def test_campaigns_that_take_nobody_in_begin_nothing(room: Room, state: str):
    await running(room, waiting("c", on_object(PREMIUM)), waiting("d", on_relationship()))
    await room.run_campaign("c", state)
    await room.run_campaign("d", state)
    await room.apply(relate("acme", "ann"), put("acme", plan="premium"))
    assert await begun(room) == []


async def test_cmp_recipe_feature_adoption(room: Room):
    """People of an account in which nothing was shared for long, who themselves were here lately."""
    stale = {
        "related": {
            "to": "companies",
            "object": {"field": "last_shared", "operator": "before", "value": {"ago": "P30D"}},
        }
    }
    active = {"performed": {"event": "sign_in", "within": "P30D"}}
    adoption = waiting(
        "c",
        {"type": "segment", "conditions": {"segment": "unaware"}},
        frequency={"mode": "every", "min_wait": "P30D"},
        goal={"event": "share_with_colleague", "within": "P7D", "of": "sent"},
    )
    await running(room, segment("unaware", [stale, active]), adoption)
    unix = int(room.now.timestamp())
    await room.apply(put("acme", last_shared=unix - 40 * 86_400), put("new", last_shared=unix))
    await room.apply(relate("acme", "ann", "bob"), relate("new", "cleo"))
    await room.apply(*[TrackEvent(subject=who(name), name="sign_in") for name in ("ann", "cleo")])
    assert await begun(room) == ["ann"]
    await room.apply(put("acme", last_shared=unix))
    assert {row["state"] for row in await room.journeys()} == {"exited_early"}
    # Within thirty days of the first nobody begins again.
    await room.apply(put("acme", last_shared=unix - 40 * 86_400))
    assert await begun(room) == ["ann"]


async def test_a_goal_may_name_the_object_and_ends_that_journey_only(room: Room):
    goal = {"event": "closed", "where": {"field": "company", "value": {"from": "object.object_id"}}}
    await running(room, waiting("c", on_object(PREMIUM), goal=goal, exit="goal"))
    await room.apply(relate("a", "ann"), relate("b", "ann"), put("a", plan="premium"), put("b", plan="premium"))
    await room.apply(TrackEvent(subject=who("ann"), name="closed", data={"company": "b"}))
    rows = {row["trigger"]["data"]["company"]["object_id"]: row["state"] for row in await room.journeys()}
    assert rows == {"a": "in_progress", "b": "exited_early"}
