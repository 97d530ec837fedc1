"""Corners of people: who may come back, which write is later, what counts, and what nobody may write."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import AnonymousEvent, BindAnonymous, Identifier, Identify, TrackEvent
from tests.ingest.test_merging import campaigns, event, identify, merge, outcomes, waiting, who
from tests.ingest.test_removal import delete, found_in, suppress
from tests.support.database import START, Room

INVITES = {"kind": "settings", "key": "workspace", "invite_events": True}


def invite(recipient: str) -> AnonymousEvent:
    return AnonymousEvent(name="invite", data={"recipient": recipient})


def at(seconds: int, value: str, /, **attributes: Any) -> Identify:
    """An identify call with a `_timestamp`, relative to the room's beginning."""
    return Identify(subject=who(value), attributes=attributes, timestamp=int(START.timestamp()) + seconds)


async def holders(room: Room, name: str) -> int:
    (row,) = await room.rows(
        "SELECT COALESCE(sum(holders), 0)::int AS holders FROM data_name_deltas WHERE workspace_id = $1 AND name = $2",
        name,
    )
    found: int = row["holders"]
    return found


async def test_an_invite_of_somebody_suppressed_brings_nobody_back(room: Room):
    await room.define(INVITES)
    await room.apply(identify("1", email="gone@x.io"), suppress("1"))
    await room.apply(invite("gone@x.io"))
    assert await room.people() == []
    assert await found_in(room, "gone@x.io") == []


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


async def test_visits_count_in_the_data_index_and_go_with_the_person(room: Room):
    await room.apply(event("1", "home", type="page"), event("1", "shop", type="page"), event("2", "home", type="screen"))
    assert await holders(room, "_last_visit") == 2
    await room.apply(delete("1"), identify("3", _last_visit=5), merge("3", "2"))
    assert await holders(room, "_last_visit") == 1


@pytest.mark.parametrize("name", ["_created_in_customerio_at", "cio_relationships", "_relationship"])
@pytest.mark.parametrize("dotted", [True, False])
async def test_names_that_mean_something_else_are_no_attributes(room: Room, name: str, dotted: bool):
    await room.apply(Identify(subject=who("1"), attributes={name: 5, "plan": "x"}, dotted=dotted))
    assert [p["attributes"] for p in await room.people()] == [{"plan": "x"}]
    assert name in ((await outcomes(room))[-1][2] or "")


async def test_a_repeat_goes_with_the_person_under_whatever_name_it_came(room: Room):
    twice = TrackEvent(subject=who("former@private.example"), name="e", event_id="once")
    await room.apply(identify("1", email="former@private.example"), twice, twice)
    (person,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    cio = Identifier(kind="cio_id", value=f"{person['person_id']:08x}")
    await room.apply(Identify(subject=cio, attributes={"email": "now@private.example"}), delete("1"))
    assert await found_in(room, "private.example") == []


async def test_a_merge_goes_with_the_primary_under_whatever_name_it_came(room: Room):
    await room.apply(identify("former-p", email="p@x.io"), identify("former-s"), merge("former-p", "former-s"))
    (person,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    cio = Identifier(kind="cio_id", value=f"{person['person_id']:08x}")
    await room.apply(Identify(subject=cio, attributes={"id": "now"}), delete("now"))
    assert await found_in(room, "former-") == []


async def test_a_merge_with_somebody_suppressed_leaves_no_trace(room: Room):
    await room.apply(identify("1"), identify("2", email="gone@x.io"), suppress("2"))
    await room.apply(merge("1", "gone@x.io"), merge("gone@x.io", "1"))
    assert [outcome for _, outcome, _ in (await outcomes(room))[-2:]] == ["suppressed", "suppressed"]
    assert await found_in(room, "gone@x.io") == []


async def test_messages_that_never_left_are_counted_as_undeliverable(room: Room):
    await room.apply(identify("1"))
    await room.rows(
        """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, person_id, campaign_id, action_id, metrics,
                                   attempts, ambiguous, draft, created_at)
           SELECT $1, 'd' || n, 'email', s, p.person_id, 9, 90, '{}', 0, false, false, p.created_at
           FROM people p, unnest(ARRAY['queued', 'drafted', 'sent']) WITH ORDINALITY AS u (s, n)
           WHERE p.workspace_id = $1 RETURNING 1"""
    )
    await room.apply(delete("1"))
    rows = await room.rows(
        """SELECT kind, ref_id, sum(amount)::int AS total FROM metric_deltas
           WHERE workspace_id = $1 AND metric = 'undeliverable' GROUP BY 1, 2 ORDER BY 1"""
    )
    assert [(r["kind"], r["ref_id"], r["total"]) for r in rows] == [("action", 90, 2), ("campaign", 9, 2)]
