"""What has expired is deleted by the clock of its workspace, in pages; what has not stays (PPL-09, API-19)."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from domain.operations import AnonymousEvent, Identifier, Repeatable, TrackEvent
from services import expiry_anonymous as expiry
from store import log, workspaces
from tests.support.database import START, Room


def anonymous(name: str) -> AnonymousEvent:
    return AnonymousEvent(anonymous_id="a1", name=name)


def repeatable(message: str) -> TrackEvent:
    return TrackEvent(
        subject=Identifier(kind="id", value="7"), name="e", repeatable=Repeatable(scope="1", message_id=message)
    )


async def kept(room: Room) -> list[str]:
    rows = await room.rows("SELECT name FROM anonymous_facts WHERE workspace_id = $1 ORDER BY seq")
    return [row["name"] for row in rows]


async def keys(room: Room) -> int:
    return len(await room.rows("SELECT 1 FROM dedupe_keys WHERE workspace_id = $1"))


async def test_anonymous_facts_are_kept_for_thirty_days_of_their_workspace(room: Room, monkeypatch):
    monkeypatch.setattr(expiry, "PAGE", 2)
    await room.apply(*[anonymous(f"old{n}") for n in range(5)])
    await room.move(days=1)
    await room.apply(anonymous("new"))
    await expiry.expire(room.db, START + timedelta(days=500))
    assert len(await kept(room)) == 6
    await room.move(days=29)
    await expiry.expire(room.db, START)
    assert len(await kept(room)) == 6
    await room.move(seconds=1)
    await expiry.expire(room.db, START)
    assert await kept(room) == ["new"]


async def test_ids_of_messages_are_forgotten_those_of_events_are_not(room: Room):
    event = TrackEvent(subject=Identifier(kind="id", value="7"), name="e", event_id="e1")
    await room.apply(event, *[repeatable(f"m{n}") for n in range(3)])
    assert await keys(room) == 4
    await room.move(hours=35)
    await expiry.expire(room.db, START)
    assert await keys(room) == 4
    await room.move(hours=1)
    await expiry.expire(room.db, START)
    assert await keys(room) == 1
    await room.apply(event)
    assert len(await room.rows("SELECT 1 FROM events WHERE workspace_id = $1")) == 4


async def test_a_normal_workspace_lives_by_real_time(database):
    async with database.transaction() as conn:
        number = await workspaces.create(
            conn, name="live", sandbox=False, clock_now=None, delivery_key=b"k" * 32, now=START
        )
        await log.claim_ids(conn, number, [("message/1", b"k", START + timedelta(hours=12))], timedelta(hours=12))
    live = Room(database, number)
    await expiry.expire(database, START + timedelta(hours=35))
    assert await keys(live) == 1
    await expiry.expire(database, START + timedelta(hours=36))
    assert await keys(live) == 0


async def test_only_what_was_deleted_is_told(room: Room, caplog: pytest.LogCaptureFixture):
    await room.apply(anonymous("old"))
    await expiry.expire(room.db, START)
    await room.move(days=31)
    with caplog.at_level(logging.INFO, "sojourn.expiry"):
        assert (await expiry.expire(room.db, START))["anonymous_facts"] == 1
        assert len(caplog.records) == 1
        await expiry.expire(room.db, START)
        assert len(caplog.records) == 1
