"""Corners of people: who may come back, which write is later, what counts, and what nobody may write."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import (
    AnonymousEvent,
    ChangeRelationships,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    ObjectRef,
    SegmentMember,
    TrackEvent,
)
from tests.ingest.test_merging import campaigns, event, identify, merge, outcomes, waiting, who
from tests.ingest.test_removal import delete, found_in, suppress
from tests.support.database import START, Room

INVITES = {"kind": "settings", "key": "workspace", "invite_events": True}


def invite(recipient: str) -> AnonymousEvent:
    return AnonymousEvent(name="invite", data={"recipient": recipient})


def at(seconds: int, value: str, /, **attributes: Any) -> Identify:
    """An identify call with a `_timestamp`, relative to the room's beginning."""
    return Identify(subject=who(value), attributes=attributes, timestamp=int(START.timestamp()) + seconds)


async def test_an_invite_of_somebody_suppressed_brings_nobody_back(room: Room):
    await room.define(INVITES)
    await room.apply(identify("1", email="invited@gone.example"), suppress("1"))
    await room.apply(invite("invited@gone.example"))
    assert await room.people() == []
    assert await found_in(room, "invited@gone.example") == []


async def test_an_invite_in_one_batch_with_its_recipient_goes_to_them(room: Room):
    await room.define(INVITES)
    await room.accept(identify("1", email="a@x.io"), invite("A@x.io"), delete("1"), invite("a@x.io"))
    await room.apply()
    assert [(p["id"], p["email"]) for p in await room.people()] == [(None, "a@x.io")]


@pytest.mark.parametrize("recipient", ["nobody", "", "a@", "a@x.io, b@x.io", "x" * 5000])
async def test_an_invite_needs_an_address(room: Room, recipient: str):
    await room.define(INVITES)
    await room.apply(invite(recipient))
    assert await room.people() == []


async def test_an_older_call_does_not_undo_a_newer_name(room: Room):
    await room.apply(identify("7"), at(-10, "7", email="new@x.io"), at(-20, "7", email="old@x.io", plan="x"))
    assert await room.people() == [{"id": "7", "email": "new@x.io", "attributes": {"plan": "x"}}]
    kinds = [r["type"] for r in await room.rows("SELECT type FROM activities WHERE workspace_id = $1")]
    assert "skipped_update" in kinds
    assert "failed_attribute_change" not in kinds


async def test_an_older_call_does_not_bring_back_a_name_that_was_removed(room: Room):
    await room.apply(identify("7", email="a@x.io"), identify("7", email=""), at(-20, "7", email="a@x.io"))
    assert await room.people() == [{"id": "7", "email": None, "attributes": {}}]


async def test_the_moment_of_a_name_is_known_as_long_as_the_person_has_it(room: Room):
    await room.apply(identify("7", email="new@x.io"))
    await room.move(days=40)
    await room.apply(identify("7", plan="x"), at(-20, "7", email="old@x.io"))
    assert [p["email"] for p in await room.people()] == ["new@x.io"]


async def test_a_timestamp_of_whole_seconds_is_not_older_than_what_came_within_its_second(room: Room):
    acme = ObjectRef(object_id="acme")
    await room.move(milliseconds=200)
    await room.apply(identify("1", plan="first"), IdentifyObject(object=acme, attributes={"plan": "first"}))
    await room.move(milliseconds=600)
    now = int(START.timestamp())
    await room.apply(
        at(0, "1", plan="second"), IdentifyObject(object=acme, attributes={"plan": "second"}, timestamp=now)
    )
    await room.apply(
        at(-1, "1", plan="old"), IdentifyObject(object=acme, attributes={"plan": "old"}, timestamp=now - 1)
    )
    assert [p["attributes"] for p in await room.people()] == [{"plan": "second"}]
    rows = await room.rows("SELECT attributes FROM objects WHERE workspace_id = $1")
    assert rows == [{"attributes": {"plan": "second"}}]


async def test_visits_are_not_counted_down_who_were_not_counted(room: Room):
    await room.apply(event("1", "home", type="page"), event("2", "home", type="screen"), identify("3", _last_visit=5))
    await room.apply(delete("1"), merge("3", "2"))
    rows = await room.rows("SELECT 1 FROM data_name_deltas WHERE workspace_id = $1 AND name = '_last_visit'")
    assert rows == []


@pytest.mark.parametrize("name", ["_created_in_customerio_at", "cio_relationships", "_relationship"])
@pytest.mark.parametrize("dotted", [True, False])
async def test_names_that_mean_something_else_are_no_attributes(room: Room, name: str, dotted: bool):
    await room.apply(Identify(subject=who("1"), attributes={name: 5, "plan": "x"}, dotted=dotted))
    assert [p["attributes"] for p in await room.people()] == [{"plan": "x"}]
    assert name in ((await outcomes(room))[-1][2] or "")


async def test_a_full_person_takes_no_new_names_but_changes_the_old_ones(room: Room):
    await room.define({"kind": "settings", "key": "workspace", "limits": {"attributes_per_person": 2}})
    await room.apply(identify("1", a=1, b=1, email="full@x.io"), identify("1", a=2, c=3))
    assert [p["attributes"] for p in await room.people()] == [{"a": 2, "b": 1}]
    assert "c: A person has at most 2 attributes." in ((await outcomes(room))[-1][2] or "")
    await room.apply(Identify(subject=who("1"), attributes={"b": None, "c": 3}))
    assert [p["attributes"] for p in await room.people()] == [{"a": 2, "c": 3}]


async def test_a_repeat_goes_with_the_person_under_whatever_name_it_came(room: Room):
    twice = TrackEvent(subject=who("repeat@left.example"), name="e", event_id="once")
    await room.apply(identify("1", email="repeat@left.example"), twice, twice)
    (person,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    cio = Identifier(kind="cio_id", value=f"{person['person_id']:08x}")
    await room.apply(Identify(subject=cio, attributes={"email": "now@left.example"}), delete("1"))
    assert await found_in(room, "left.example") == []


async def test_refused_calls_are_emptied_however_they_wrote_the_name(room: Room):
    await room.apply(identify('zo\u00eb-"left"', email="refused@x.io"))
    for body in ('{"id":"zo\\u00eb-\\"left\\""}', '{"id":"zo\u00eb-\\"left\\""}', '{"id":"other"}'):
        await room.rows(
            """INSERT INTO rejected_calls (workspace_id, at, source, path, status, errors, body)
               VALUES ($1, $2, 'test', '/x', 400, '[]', $3) RETURNING 1""",
            system_now(),
            body,
        )
    await room.apply(delete('zo\u00eb-"left"'))
    rows = await room.rows("SELECT body FROM rejected_calls WHERE workspace_id = $1 ORDER BY rejected_id")
    assert [row["body"] for row in rows] == ["", "", '{"id":"other"}']


async def test_a_merge_goes_with_the_primary_under_whatever_name_it_came(room: Room):
    await room.apply(identify("former-p", email="p@x.io"), identify("former-s"), merge("former-p", "former-s"))
    (person,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    cio = Identifier(kind="cio_id", value=f"{person['person_id']:08x}")
    await room.apply(Identify(subject=cio, attributes={"id": "now"}), delete("now"))
    assert await found_in(room, "former-") == []


async def test_a_merge_with_somebody_suppressed_leaves_no_trace(room: Room):
    await room.apply(identify("1"), identify("2", email="merged@gone.example"), suppress("2"))
    await room.apply(merge("1", "merged@gone.example"), merge("merged@gone.example", "1"))
    assert [outcome for _, outcome, _ in (await outcomes(room))[-2:]] == ["suppressed", "suppressed"]
    assert await found_in(room, "merged@gone.example") == []


async def test_messages_that_never_left_are_counted_as_undeliverable(room: Room):
    await room.apply(identify("1"))
    await room.rows(
        """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, person_id, campaign_id, action_id, metrics,
                                   attempts, ambiguous, draft, holdout, edited, forgotten, created_at)
           SELECT $1, 'd' || n, 'email', s, p.person_id, 9, 90, '{}', 0, false, false, false, false, false, p.created_at
           FROM people p, unnest(ARRAY['queued', 'drafted', 'sent']) WITH ORDINALITY AS u (s, n)
           WHERE p.workspace_id = $1 RETURNING 1"""
    )
    await room.apply(delete("1"))
    rows = await room.rows(
        """SELECT kind, ref_id, sum(amount)::int AS total FROM metric_deltas
           WHERE workspace_id = $1 AND metric = 'undeliverable' GROUP BY 1, 2 ORDER BY 1"""
    )
    assert [(r["kind"], r["ref_id"], r["total"]) for r in rows] == [("action", 90, 2), ("campaign", 9, 2)]


async def deliver(room: Room, value: str, delivery_id: str) -> None:
    """A message of the person's latest journey, sent now."""
    await room.rows(
        """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, person_id, journey_id, campaign_id, action_id,
                                   metrics, attempts, ambiguous, draft, holdout, edited, forgotten, created_at)
           SELECT $1, $3, 'email', 'sent', p.person_id, j.journey_id, j.campaign_id, 90,
                  jsonb_build_object('sent', (extract(epoch FROM $4::timestamptz) * 1000000)::bigint), 1, false, false, false, false, false, $4
           FROM people p JOIN journeys j USING (workspace_id, person_id) WHERE p.workspace_id = $1 AND p.id = $2
           RETURNING 1""",
        value,
        delivery_id,
        room.now,
    )


async def converted(room: Room) -> list[str]:
    rows = await room.rows(
        "SELECT delivery_id FROM deliveries WHERE workspace_id = $1 AND metrics ? 'converted' ORDER BY delivery_id"
    )
    return [row["delivery_id"] for row in rows]


async def test_a_manual_segment_that_is_inherited_is_told(room: Room):
    await room.define({"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"})
    (segment,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'segment'")
    await room.apply(
        identify("p"), SegmentMember(subject=who("s"), segment_id=segment["definition_id"]), merge("p", "s")
    )
    assert await room.members("vip") == ["p"]
    rows = await room.rows(
        """SELECT a.name, a.data ->> 'reason' AS reason FROM activities a
           WHERE a.workspace_id = $1 AND a.type = 'segment_enter' ORDER BY activity_id"""
    )
    assert [row["name"] for row in rows] == ["VIP", "VIP"]
    assert rows[1]["reason"] == "Inherited in a merge."


GOAL = {"goal": {"event": "bought", "within": "P2D"}, "exit": "never"}


async def test_what_the_secondary_did_converts_a_message_of_the_primary(room: Room):
    await campaigns(room, waiting("c", "start", **GOAL))
    await room.apply(event("p", "start"), event("s", "bought"))
    await deliver(room, "p", "to-p")
    await room.move(hours=1)
    await room.apply(event("s", "bought"))
    await room.move(days=5)
    await room.apply(merge("p", "s"))
    assert await converted(room) == ["to-p"]
    (journey,) = await room.journeys()
    assert journey["converted_at"] is not None
    (row,) = await room.rows(
        """SELECT sum(amount)::int AS total FROM metric_deltas
           WHERE workspace_id = $1 AND metric = 'converted' AND kind = 'campaign'"""
    )
    assert row["total"] == 1


async def test_what_was_done_before_the_message_or_long_after_converts_nothing(room: Room):
    await campaigns(room, waiting("c", "start", **GOAL))
    await room.apply(event("p", "start"), event("s", "bought"))
    await room.move(hours=1)
    await deliver(room, "p", "to-p")
    await room.move(days=3)
    await room.apply(event("s", "bought"), merge("p", "s"))
    assert await converted(room) == []


async def test_what_the_primary_did_converts_no_message_of_the_secondary(room: Room):
    await campaigns(room, waiting("c", "start", **GOAL))
    await room.apply(event("s", "start"))
    await deliver(room, "s", "to-s")
    await room.move(hours=1)
    await room.apply(event("p", "bought"), merge("p", "s"))
    assert await converted(room) == []


async def test_what_has_converted_a_message_of_the_secondary_converts_no_other(room: Room):
    await campaigns(room, waiting("c", "start", **GOAL))
    await room.apply(event("p", "start"), event("s", "start"))
    await deliver(room, "p", "to-p")
    await deliver(room, "s", "to-s")
    await room.move(hours=1)
    await room.apply(event("s", "bought"), merge("p", "s"))
    assert await converted(room) == ["to-s"]


ID_ONLY = {"kind": "settings", "key": "workspace", "identifiers": "id_only", "invite_events": True}


async def test_where_addresses_name_nobody_nobody_is_made_by_one(room: Room):
    await room.define(ID_ONLY)
    await room.apply(identify("1", email="a@x.io"), invite("a@x.io"))
    await room.apply(identify("b@x.io", plan="x"), event("b@x.io", "seen"), delete("a@x.io"), merge("1", "a@x.io"))
    acme = ObjectRef(object_id="acme")
    await room.apply(ChangeRelationships(action="add", edges=[Edge(person=who("c@x.io"), object=acme)]))
    assert [(p["id"], p["email"]) for p in await room.people()] == [("1", None)]
    assert [outcome for _, outcome, _ in (await outcomes(room))[2:]] == ["failed"] * 5
