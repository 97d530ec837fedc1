"""Drafts beside the running product: what may be deleted, when they expire, who may handle one at a time (CMP-28)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from clock import system_now
from domain.drafts import KEPT, RELEASE
from domain.errors import DomainError, NotFound
from services.draft_actions import Releaser
from services.drafts import Drafts, delete_of_campaign
from services.due import DueRunner
from store import deliveries, drafts
from store.notify import Notifier
from tests.services.posting import ANN, LINKS, Post, begin, campaign
from tests.support.database import START, Room


async def drafted(room: Room) -> tuple[Post, str]:
    """A journey whose message has been drafted, which its log does not know yet."""
    post = await begin(room, campaign(sending_state="draft"))
    await post.prepare()
    return post, (await post.delivery()).delivery_id


def handling(room: Room) -> Drafts:
    return Drafts(room.db, room.catalogs, Notifier(room.db.pool), LINKS)


async def leave(room: Room) -> None:
    """The journey is over."""
    await room.rows("UPDATE journeys SET state = 'finished' WHERE workspace_id = $1 RETURNING 1 AS one")


async def test_a_draft_that_its_journey_does_not_know_of_yet_is_not_deleted(room: Room):
    _, name = await drafted(room)
    with pytest.raises(DomainError, match="just now"):
        await handling(room).delete(room.workspace_id, name, system_now())
    await leave(room)
    await handling(room).delete(room.workspace_id, name, system_now())
    assert await room.rows("SELECT 1 FROM delivery_contents WHERE workspace_id = $1") == []
    with pytest.raises(NotFound):
        await handling(room).send(room.workspace_id, name, system_now())


async def test_drafts_of_a_campaign_are_deleted_in_pages(room: Room):
    post, _ = await drafted(room)
    await leave(room)
    number = post.journey.campaign_id
    async with room.db.transaction() as conn:
        assert await delete_of_campaign(conn, room.workspace_id, number + 1, START) == 0
        assert await delete_of_campaign(conn, room.workspace_id, number, START) == 1
        assert await delete_of_campaign(conn, room.workspace_id, number, START) == 0


async def test_a_real_workspace_loses_its_drafts_by_the_real_clock(room: Room):
    await drafted(room)
    runner = DueRunner(
        room.db, room.catalogs, Notifier(room.db.pool), None, lambda: START + KEPT - timedelta(seconds=1)
    )
    await room.rows(
        "UPDATE workspaces SET sandbox = false, clock_now = NULL WHERE workspace_id = $1 RETURNING 1 AS one"
    )
    await runner.look_once()
    assert len(await room.rows("SELECT 1 FROM deliveries WHERE workspace_id = $1")) == 1
    runner = DueRunner(room.db, room.catalogs, Notifier(room.db.pool), None, lambda: START + KEPT)
    await runner.look_once()
    assert await room.rows("SELECT 1 FROM deliveries WHERE workspace_id = $1") == []


async def test_a_draft_being_sent_does_not_expire_meanwhile(room: Room):
    _, name = await drafted(room)
    async with room.db.transaction() as holder:
        assert await deliveries.get(holder, room.workspace_id, name, for_update=True) is not None
        async with room.db.transaction() as conn:
            assert await drafts.expire(conn, room.workspace_id, START + KEPT, 10) == 0


async def test_two_who_send_one_draft_send_it_once(room: Room):
    post, name = await drafted(room)
    found = await asyncio.gather(
        *(handling(room).send(room.workspace_id, name, system_now()) for _ in range(2)), return_exceptions=True
    )
    assert sorted(isinstance(one, DomainError) for one in found) == [False, True]
    assert (await post.delivery()).status == "queued"
    await post.retry()
    assert len(await post.mailbox()) == 1
    assert await post.due() == []
    assert await post.figures() == {"created": 1, "drafted": 1, "sent": 1, "delivered": 1}


async def test_a_draft_whose_turn_comes_is_sent_and_one_that_is_gone_is_forgotten(room: Room):
    post, name = await drafted(room)
    async with room.db.transaction() as conn:
        await drafts.ask(conn, room.workspace_id, [(name, START), ("x" * 24, START)])
    releaser = Releaser(room.db, room.catalogs, Notifier(room.db.pool), LINKS)
    for one in (name, "x" * 24, name):
        await releaser.release(room.workspace_id, one, system_now)
    assert (await post.delivery()).status == "queued"
    assert await room.rows("SELECT 1 FROM due WHERE workspace_id = $1 AND kind = $2", RELEASE) == []
    await post.retry()
    (mail,) = await post.mailbox()
    assert mail["to"] == [ANN["email"]]
