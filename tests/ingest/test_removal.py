"""Deleting and suppressing people: nothing of theirs stays, their identifiers come back as somebody new, or never."""

from __future__ import annotations

from typing import Any

from domain.operations import (
    AddDevice,
    AnonymousEvent,
    BindAnonymous,
    DeletePerson,
    Identifier,
    Identify,
    SuppressPerson,
    TrackEvent,
    UnsuppressPerson,
)
from tests.ingest.test_interleaving import drain
from tests.ingest.test_merging import BUYERS, campaigns, event, identify, merge, outcomes, waiting, who
from tests.support.database import Room
from tests.support.searching import tables_with


def delete(value: str) -> DeletePerson:
    return DeletePerson(subject=who(value))


def suppress(value: str) -> SuppressPerson:
    return SuppressPerson(subject=who(value))


def unsuppress(value: str) -> UnsuppressPerson:
    return UnsuppressPerson(subject=who(value))


async def found_in(room: Room, text: str) -> list[str]:
    """The tables in which a text stands anywhere."""
    async with room.db.connection() as conn:
        return await tables_with(conn, text)


async def test_a_deleted_person_leaves_no_trace_in_any_table(room: Room):
    await campaigns(room, BUYERS, waiting("c", "purchase"))
    await room.apply(
        identify("zoe-7", email="zoe@private.example", city="Zoeville"),
        BindAnonymous(subject=who("zoe-7"), anonymous_id="anon-zoe"),
        event("zoe-7", "purchase", data={"gift": "zoe-secret"}, event_id="zoe-event-1"),
        identify("zoe-old", nick="zoe-nick"),
        merge("zoe-7", "zoe-old"),
        identify("zoe-7", email="second-zoe@private.example"),
        identify("zoe-7", email="not an address zoe"),
        identify("bystander", city="Rome"),
    )
    await drain(room)
    for text in ("zoe-secret", "anon-zoe", "Zoeville", "private.example"):
        assert await found_in(room, text), text
    await room.apply(delete("zoe-7"))
    # Nothing shorter: three letters stand in one of some ten thousand ids of deliveries by chance.
    for text in (
        "zoe-7",
        "zoe-old",
        "zoe-nick",
        "zoe-secret",
        "zoe-event",
        "anon-zoe",
        "address zoe",
        "Zoeville",
        "private.example",
    ):
        assert await found_in(room, text) == []
    assert [p["id"] for p in await room.people()] == ["bystander"]
    assert await room.members("buyers") == []
    (journey,) = await room.journeys()
    assert (journey["state"], journey["reason"]) == ("exited_early", "person_deleted")
    assert await room.rows("SELECT journey_id FROM outbox WHERE workspace_id = $1") == [
        {"journey_id": journey["journey_id"]}
    ]


async def test_an_invite_that_nobody_took_goes_with_its_recipient(room: Room):
    invite = AnonymousEvent(name="invite", data={"recipient": "invited@gone.example"})
    await room.apply(invite, identify("1", email="invited@gone.example"), delete("1"))
    assert "anonymous_facts" not in await found_in(room, "invited@gone.example")


async def test_figures_stay_right_when_people_go(room: Room):
    await campaigns(room, BUYERS)
    await room.apply(event("1", "purchase"), event("2", "purchase"), delete("1"))
    rows = await room.rows(
        "SELECT kind, metric, sum(amount) AS total FROM metric_deltas WHERE workspace_id = $1 GROUP BY 1, 2 ORDER BY 1"
    )
    totals = {(row["kind"], row["metric"]): row["total"] for row in rows}
    assert (totals["segment", "members"], totals["workspace", "people"]) == (1, 1)


async def test_the_same_identifier_is_somebody_new_afterwards(room: Room):
    await campaigns(room, waiting("once", "signed_up", frequency={"mode": "once"}))
    await room.apply(identify("1", unsubscribed=True), event("1", "signed_up"))
    (first,) = await room.journeys()
    await room.accept(delete("1"), identify("1", plan="new"), event("1", "signed_up"))
    await room.apply()
    assert await room.people() == [{"id": "1", "email": None, "attributes": {"plan": "new"}}]
    journeys = await room.journeys()
    assert [row["state"] for row in journeys] == ["exited_early", "in_progress"]
    assert journeys[1]["person_id"] != first["person_id"]


async def test_deleting_nobody_is_nothing(room: Room):
    await room.apply(delete("nobody"), suppress_by_cio_id())
    assert [outcome for _, outcome, _ in await outcomes(room)] == ["ignored", "ignored"]


def suppress_by_cio_id() -> SuppressPerson:
    return SuppressPerson(subject=Identifier(kind="cio_id", value="00000009"))


async def test_ppl_case_35_a_suppressed_person_does_not_come_back_until_unsuppressed(room: Room):
    await room.apply(identify("7", email="case35@x.io", unsubscribed=True), suppress("7"))
    await room.apply(identify("7", plan="x"), identify("CASE35@x.io"), event("7", "seen"), event("case35@x.io", "seen"))
    assert await room.people() == []
    assert await found_in(room, "case35@x.io") == []
    assert [outcome for _, outcome, _ in (await outcomes(room))[2:]] == ["suppressed"] * 4
    await room.apply(unsuppress("case35@x.io"), identify("7", plan="new"))
    assert await room.people() == [{"id": "7", "email": None, "attributes": {"plan": "new"}}]


async def test_api_case_17_every_identifier_of_the_suppressed_is_blocked(room: Room):
    await room.apply(identify("1", email="a@x.io"), suppress("1"), identify("a@x.io", plan="x"))
    assert await room.people() == []


async def test_somebody_may_be_suppressed_who_was_never_there(room: Room):
    await room.apply(
        suppress("ghost"), identify("ghost", plan="x"), AddDevice(subject=who("ghost"), token="t", platform="ios")
    )
    assert await room.people() == []
    assert await room.rows("SELECT token FROM devices WHERE workspace_id = $1") == []


async def test_a_suppressed_address_is_refused_on_others(room: Room):
    await room.apply(suppress("a@x.io"), identify("2", email="a@x.io", plan="x"))
    assert await room.people() == [{"id": "2", "email": None, "attributes": {"plan": "x"}}]
    assert "This email is suppressed." in ((await outcomes(room))[-1][2] or "")


async def test_an_address_suppressed_where_it_is_an_attribute_is_blocked_when_it_becomes_a_name(room: Room):
    await room.define({"kind": "settings", "key": "workspace", "identifiers": "id_only"})
    await room.apply(identify("1", email="a@x.io"), suppress("1"))
    await room.rows("DELETE FROM definitions WHERE workspace_id = $1 AND kind = 'settings' RETURNING 1")
    await room.rows("UPDATE workspaces SET definitions_rev = definitions_rev + 1 WHERE workspace_id = $1 RETURNING 1")
    await room.apply(identify("a@x.io", plan="x"))
    assert await room.people() == []


async def test_suppressing_and_unsuppressing_in_one_batch(room: Room):
    await room.accept(
        identify("1", plan="old"), suppress("1"), identify("1", plan="lost"), unsuppress("1"), identify("1", plan="new")
    )
    await room.apply()
    assert [p["attributes"] for p in await room.people()] == [{"plan": "new"}]


async def test_an_event_of_somebody_gone_with_an_id_seen_before_stays_a_repeat(room: Room):
    seen: dict[str, Any] = {"event_id": "once"}
    await room.apply(event("1", "e", **seen), delete("1"), TrackEvent(subject=who("1"), name="e", event_id="once"))
    assert await room.people() == []
    assert (await outcomes(room))[-1][1] == "duplicate"


async def test_attributes_are_counted_down_in_the_data_index(room: Room):
    await room.apply(
        identify("1", city="Rome"), identify("2", city="Oslo"), Identify(subject=who("1"), attributes={"city": ""})
    )
    await room.apply(delete("2"))
    (row,) = await room.rows(
        """SELECT sum(holders) AS holders, sum(seen) AS seen FROM data_name_deltas
           WHERE workspace_id = $1 AND kind = 'attribute' AND name = 'city'"""
    )
    assert (row["holders"], row["seen"]) == (0, 3)
