"""Changes of devices, relationships and objects move people between segments (PPL-38, PPL-39, PPL-41)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.errors import DomainError, InvalidInput
from domain.operations import (
    AddDevice,
    BindAnonymous,
    ChangeRelationships,
    DeleteDevice,
    DeleteObject,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    MergePeople,
    ObjectRef,
    ParkGroup,
    TrackEvent,
)
from ingest import reevaluate
from services import definitions
from store.merges import MOST_DEVICES
from tests.support.database import START, Room
from tests.support.live import campaign, on_event, on_match
from tests.support.moments import attribute, delay, segment

UNIX = int(START.timestamp())
COMPANIES = {"kind": "object_type", "key": "companies", "name": "Companies", "singular_name": "Company"}
ON_IOS = {"device": {"where": {"field": "platform", "value": "ios"}}}
AT_PRO = {"related": {"to": "companies", "object": {"field": "plan", "value": "pro"}}}
ADMIN = {"related": {"to": "companies", "relationship": {"field": "role", "value": "admin"}}}
NOWHERE = {"related": {"to": "companies", "inverse": True}}


def who(value: str) -> Identifier:
    return Identifier(kind="id", value=value)


def add(person: str, token: str, platform: str = "ios", last_used: int | None = None, **attributes: Any) -> AddDevice:
    return AddDevice(
        subject=who(person), token=token, platform=platform, last_used=last_used, attributes=attributes or {}
    )


def remove(person: str, token: str) -> DeleteDevice:
    return DeleteDevice(subject=who(person), token=token)


def ref(company: str) -> ObjectRef:
    return ObjectRef(object_type_id=1, object_id=company)


def put(company: str, **attributes: Any) -> IdentifyObject:
    return IdentifyObject(object=ref(company), attributes=attributes)


def relate(person: str, *companies: str, **attributes: Any) -> ChangeRelationships:
    edges = [Edge(person=who(person), object=ref(company), attributes=attributes) for company in companies]
    return ChangeRelationships(edges=edges)


def part(person: str, company: str) -> ChangeRelationships:
    return ChangeRelationships(action="delete", edges=[Edge(person=who(person), object=ref(company))])


def known(*people: str) -> list[Identify]:
    return [Identify(subject=who(person), attributes={}) for person in people]


async def looks(room: Room) -> int:
    """How often somebody was looked at again."""
    [row] = await room.rows("SELECT count(*) FROM ingest_log WHERE workspace_id = $1 AND op LIKE 'reevaluate%'")
    return row["count"]


async def moves(room: Room) -> list[tuple[str, str]]:
    rows = await room.rows(
        """SELECT p.id, a.type FROM activities a JOIN people p USING (workspace_id, person_id)
           WHERE a.workspace_id = $1 AND a.type IN ('segment_enter', 'segment_leave') ORDER BY a.activity_id"""
    )
    return [(row["id"], row["type"].removeprefix("segment_")) for row in rows]


async def test_devices_come_change_and_go(room: Room):
    await room.define(segment("ios", [ON_IOS]))
    await room.apply(*known("ann"))
    await room.apply(add("ann", "t1"))
    assert await room.members("ios") == ["ann"]
    await room.apply(add("ann", "t1", "android"))
    assert await room.members("ios") == []
    await room.apply(add("ann", "t1"), remove("ann", "t1"))
    assert await room.members("ios") == []


async def test_a_device_that_moves_takes_its_person_out_and_brings_the_other_in(room: Room):
    await room.define(segment("ios", [ON_IOS]), segment("none", [{"device": {"inverse": True}}]))
    await room.apply(*known("ann", "bob"))
    await room.apply(add("ann", "t"))
    assert (await room.members("ios"), await room.members("none")) == (["ann"], ["bob"])
    await room.apply(add("bob", "t"))
    assert (await room.members("ios"), await room.members("none")) == (["bob"], ["ann"])
    # In one batch with what made it necessary.
    await room.apply(add("ann", "t"), add("bob", "t"), add("cleo", "t"))
    assert (await room.members("ios"), await room.members("none")) == (["cleo"], ["ann", "bob"])


async def test_the_twenty_sixth_device_puts_the_person_out_with_the_oldest(room: Room):
    await room.define(segment("android", [{"device": {"where": {"field": "platform", "value": "android"}}}]))
    await room.apply(add("ann", "old", "android", UNIX - 100))
    await room.apply(*[add("ann", f"t{n}", last_used=UNIX - n) for n in range(MOST_DEVICES - 1)])
    assert await room.members("android") == ["ann"]
    await room.apply(add("ann", "one more"))
    assert await room.members("android") == []


async def test_the_last_use_of_a_device_counts(room: Room):
    lately = {"device": {"where": {"field": "last_used", "operator": "gt", "value": UNIX + 60}}}
    await room.define(segment("lately", [lately]))
    await room.apply(add("ann", "t"))
    assert await room.members("lately") == []
    await room.move(minutes=5)
    await room.apply(add("ann", "t"))
    assert await room.members("lately") == ["ann"]


async def test_somebody_made_by_a_device_or_a_relationship_has_it_from_the_beginning(room: Room):
    without = [segment("bare", [{"device": {"inverse": True}}]), segment("free", [NOWHERE])]
    await room.define(COMPANIES, *without, segment("ios", [ON_IOS]), segment("admins", [ADMIN]))
    await room.apply(put("acme"), add("ann", "t"), relate("bob", "acme", role="admin"))
    assert [await room.members(key) for key in ("bare", "free", "ios", "admins")] == [
        ["bob"],
        ["ann"],
        ["ann"],
        ["bob"],
    ]
    assert await moves(room) == [("ann", "enter"), ("ann", "enter"), ("bob", "enter"), ("bob", "enter")]


async def test_relationships_come_change_and_go(room: Room):
    await room.define(COMPANIES, segment("admins", [ADMIN]), segment("free", [NOWHERE]))
    await room.apply(*known("ann"))
    assert await room.members("free") == ["ann"]
    await room.apply(relate("ann", "acme", role="user"))
    assert (await room.members("admins"), await room.members("free")) == ([], [])
    await room.apply(relate("ann", "acme", role="admin"))
    assert await room.members("admins") == ["ann"]
    await room.apply(part("ann", "acme"))
    assert (await room.members("admins"), await room.members("free")) == ([], ["ann"])


async def test_membership_flips_with_the_first_match_and_the_last(room: Room):
    await room.define(COMPANIES, segment("pro", [AT_PRO]))
    await room.apply(*known("ann"), put("a", plan="pro"), put("b", plan="pro"), put("c", plan="free"))
    await room.apply(relate("ann", "c"))
    for step in (relate("ann", "a"), relate("ann", "b"), part("ann", "a"), put("b", size=3), part("ann", "c")):
        await room.apply(step)
    assert await moves(room) == [("ann", "enter")]
    await room.apply(part("ann", "b"))
    assert await moves(room) == [("ann", "enter"), ("ann", "leave")]


async def test_an_object_that_changes_moves_everybody_related_to_it(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reevaluate, "RELATED_PAGE", 2)
    await room.define(COMPANIES, segment("pro", [AT_PRO]))
    people = ["a", "b", "c", "d", "e"]
    await room.apply(put("acme", plan="free"), *[relate(person, "acme") for person in people], relate("z", "other"))
    assert await room.members("pro") == []
    await room.apply(put("acme", plan="pro"))
    assert await room.members("pro") == people
    await room.apply(put("acme", plan=""))
    assert await room.members("pro") == []
    # A page that is just full is followed by an empty one.
    await room.apply(part("e", "acme"), put("acme", plan="pro"))
    assert await room.members("pro") == people[:4]


async def test_more_people_than_a_page_are_looked_at(room: Room):
    await room.define(COMPANIES, segment("pro", [AT_PRO]))
    await room.apply(relate("0", "acme"))
    count = reevaluate.RELATED_PAGE + 1
    await room.rows(
        """WITH made AS (
               INSERT INTO people (workspace_id, person_id, id, attributes, attribute_times, created_at, age_start)
               SELECT $1, 1000000 + n, 'p' || n, '{}', '{}', $2, $2 FROM generate_series(1, $3::int) n
               RETURNING person_id)
           INSERT INTO relationships (workspace_id, person_id, object_no, attributes, created_at)
           SELECT $1, person_id, (SELECT object_no FROM objects WHERE workspace_id = $1), '{}', $2 FROM made
           RETURNING person_id""",
        START,
        count,
    )
    await room.apply(put("acme", plan="pro"))
    assert len(await room.members("pro")) == count + 1


async def test_an_object_that_goes_takes_those_out_who_were_related_to_it(room: Room):
    await room.define(COMPANIES, segment("pro", [AT_PRO]), segment("free", [NOWHERE]))
    await room.apply(
        put("acme", plan="pro"), put("beta", plan="pro"), relate("ann", "acme"), relate("bob", "acme", "beta")
    )
    assert await room.members("pro") == ["ann", "bob"]
    await room.apply(DeleteObject(object=ref("acme")))
    assert (await room.members("pro"), await room.members("free")) == (["bob"], ["ann"])


async def test_what_somebody_unknown_joined_counts_once_they_are_known(room: Room):
    await room.define(COMPANIES, segment("pro", [AT_PRO]), segment("admins", [ADMIN]), segment("free", [NOWHERE]))
    await room.apply(*known("ann"))
    await room.apply(
        ParkGroup(anonymous_id="x", object=ref("acme"), attributes={"plan": "pro"}, relationship={"role": "admin"}),
        BindAnonymous(subject=who("ann"), anonymous_id="x"),
    )
    assert [await room.members(key) for key in ("pro", "admins", "free")] == [["ann"], ["ann"], []]


async def test_who_is_merged_has_the_devices_and_relationships_of_both(room: Room):
    await room.define(COMPANIES, segment("ios", [ON_IOS]), segment("pro", [AT_PRO]), segment("admins", [ADMIN]))
    await room.apply(put("acme", plan="pro"), *known("ann"), add("bob", "t"), relate("bob", "acme", role="admin"))
    await room.apply(MergePeople(primary=who("ann"), secondary=who("bob")))
    assert [await room.members(key) for key in ("ios", "pro", "admins")] == [["ann"], ["ann"], ["ann"]]


async def test_whoever_joins_by_a_device_starts_a_campaign_once(room: Room):
    await room.define(
        segment("ios", [ON_IOS]), campaign("c", on_match([{"segment": "ios"}]), "rest", {"rest": delay("P1D")})
    )
    await room.run_campaign("c")
    await room.apply(*known("ann"))
    await room.apply(add("ann", "t1"), add("ann", "t2"), add("ann", "t2", app="2"))
    await room.apply(add("ann", "t3"))
    assert len(await room.journeys()) == 1


@pytest.mark.parametrize(
    ("member_of", "before", "journeys"),
    [
        pytest.param(ON_IOS, [add("ann", "t")], 1, id="device"),
        pytest.param(ON_IOS, [add("ann", "t"), remove("ann", "t")], 0, id="no device any more"),
        pytest.param(ON_IOS, [add("ann", "t"), add("bob", "t")], 0, id="somebody else's device"),
        pytest.param(AT_PRO, [put("acme", plan="pro"), relate("ann", "acme")], 1, id="related"),
        pytest.param(NOWHERE, [relate("ann", "acme"), part("ann", "acme")], 1, id="parted"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_what_comes_after_a_change_sees_it(
    room: Room, member_of: dict[str, Any], before: list[Any], journeys: int, *, at_once: bool
):
    entering = campaign("c", on_event("go"), "rest", {"rest": delay("P1D")}, filters=[{"segment": "s"}])
    await room.define(COMPANIES, segment("s", [member_of]), entering)
    await room.run_campaign("c")
    await room.apply(*known("ann", "bob"))
    facts = [*before, TrackEvent(subject=who("ann"), name="go")]
    for batch in [facts] if at_once else [[fact] for fact in facts]:
        await room.apply(*batch)
    assert len(await room.journeys()) == journeys


async def test_everything_that_happens_on_the_way_counts(room: Room):
    """A device that has gone before anybody looked has still been there."""
    await room.define(segment("ios", [ON_IOS]))
    await room.apply(*known("ann"))
    await room.apply(add("ann", "t"), remove("ann", "t"))
    assert await moves(room) == [("ann", "enter"), ("ann", "leave")]


async def test_where_nothing_looks_at_them_changes_lead_to_nothing(room: Room):
    split = {"type": "true_false", "conditions": [ON_IOS]}
    await room.define(
        COMPANIES, segment("paying", [attribute("plan", "pro")]), campaign("c", on_event("go"), "b", {"b": split})
    )
    await room.run_campaign("c")
    await room.apply(add("ann", "t"), relate("ann", "acme"), put("acme", plan="pro"), remove("ann", "t"))
    await room.apply(DeleteObject(object=ref("acme")))
    assert await looks(room) == 0


async def test_a_type_in_use_stays_enabled_and_is_not_deleted(room: Room):
    await room.define(COMPANIES, segment("pro", [AT_PRO]))
    with pytest.raises(InvalidInput, match="uses this type"):
        await room.define({**COMPANIES, "enabled": False})
    with pytest.raises(DomainError, match="is used by"):
        await definitions.delete(room.db, room.workspace_id, "object_type", "companies", now=system_now())


async def test_a_type_that_is_off_cannot_be_asked_for(room: Room):
    await room.define({**COMPANIES, "enabled": False})
    with pytest.raises(InvalidInput):
        await room.define(segment("pro", [AT_PRO]))
