"""Holdouts: they pass every check, go nowhere, are counted, and can convert (ACT-19, CMP-29)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.deliveries import microseconds
from domain.operations import Identifier, Identify, ReportDelivery, TrackEvent
from ingest.unit import Unit
from services.draft_releasing import let_go
from services.draft_rendering import hold
from services.looking import messages as looking
from store import metrics
from tests.services.posting import ANN, LINKS, Post, begin, campaign
from tests.support.database import START, Room
from tests.support.moments import segment

GOAL = {"event": "bought", "of": "sent", "within": "P1D"}


def holdout(**block: Any) -> dict[str, Any]:
    """A campaign whose only email nobody gets."""
    document = campaign(holdout=True, **block)
    del document["workflow"]["blocks"]["hello"]["message"]
    return {**document, "goal": GOAL}


async def shown(post: Post) -> dict[str, Any]:
    """The delivery as the API shows it."""
    row = await post.delivery()
    answer = await looking.one(post.room.db, post.room.workspace_id, row.delivery_id)
    found: dict[str, Any] = answer["message"]
    return found


async def test_act_case_25_a_holdout_is_trapped(room: Room) -> None:
    sent = segment("sent", [{"message": {"channel": "email", "status": "sent"}}])
    post = await begin(room, holdout(), sent)
    recorded = await post.deliver()
    assert (recorded.outcome, recorded.status) == ("done", "delivered")
    row = await post.delivery()
    assert (row.holdout, row.attempts, row.provider, row.recipient) == (True, 0, None, None)
    assert row.metrics == dict.fromkeys(("created", "sent", "delivered"), microseconds(START))
    assert await post.mailbox() == []
    found = await shown(post)
    assert (found["status"], found["holdout"], found["variant"]) == ("holdout", True, None)
    assert {"sent", "delivered"} <= set(found["metrics"])
    await room.apply()
    assert await room.members("sent") == [], "nobody has been sent anything"
    assert await post.figures() == {}, "the channel has not been used"
    assert await post.figures("action") == {"created": 1, "sent": 1, "delivered": 1}
    async with room.db.connection() as conn:
        assert await metrics.delivery_counts(conn, room.workspace_id) == {}


async def test_doing_it_again_traps_it_once(room: Room) -> None:
    post = await begin(room, holdout())
    assert await post.deliver() == await post.deliver()
    assert await post.figures("action") == {"created": 1, "sent": 1, "delivered": 1}


async def test_act_case_25_a_holdout_converts_within_the_window(room: Room) -> None:
    post = await begin(room, holdout())
    await post.deliver()
    await room.move(hours=23)
    await room.apply(TrackEvent(subject=Identifier(kind="id", value="7"), name="bought"))
    row = await post.delivery()
    assert row.metrics["converted"] == microseconds(room.now)
    assert (await room.journeys())[0]["converted_at"] == room.now
    assert (await shown(post))["status"] == "holdout"
    counted = await room.rows(
        "SELECT kind FROM metric_deltas WHERE workspace_id = $1 AND metric = 'converted' AND amount > 0"
    )
    assert [delta["kind"] for delta in counted] == ["action"]


async def test_a_goal_beyond_the_window_converts_nobody(room: Room) -> None:
    post = await begin(room, holdout())
    await post.deliver()
    await room.move(hours=25)
    await room.apply(TrackEvent(subject=Identifier(kind="id", value="7"), name="bought"))
    assert "converted" not in (await post.delivery()).metrics


async def test_who_would_get_nothing_is_not_held_out(room: Room) -> None:
    post = await begin(room, holdout(), person={**ANN, "unsubscribed": True})
    assert (await post.deliver()).explanation == "Customer is unsubscribed"
    row = await post.delivery()
    assert (row.status, row.holdout, set(row.metrics)) == ("undeliverable", True, {"created", "undeliverable"})


async def test_nothing_of_it_is_rendered(room: Room) -> None:
    broken = {"message": {"subject": "{{ customer.nick }}"}}
    post = await begin(room, campaign(holdout=True, **broken), person={"first_name": "Nobody"})
    assert (await post.deliver()).outcome == "done"
    (content,) = await room.rows("SELECT rendered FROM delivery_contents WHERE workspace_id = $1")
    assert (content["rendered"]["fields"], content["rendered"]["errors"]) == ({}, [])


@pytest.mark.parametrize("unsubscribed", [False, True])
async def test_a_drafted_holdout_counts_once_it_is_sent(room: Room, unsubscribed: bool) -> None:
    post = await begin(room, holdout(sending_state="draft"))
    assert (await post.deliver()).outcome == "drafted"
    row = await post.delivery()
    assert (row.status, row.draft, row.holdout, set(row.metrics)) == ("drafted", True, True, {"created", "drafted"})
    if unsubscribed:
        subject = Identifier(kind="id", value="7")
        await room.apply(Identify(subject=subject, attributes={"unsubscribed": True}))
    await room.move(hours=1)
    async with room.db.transaction() as conn:
        catalog = await room.catalogs.get(conn, room.workspace_id)
        unit = Unit(conn, catalog, catalog.now(system_now()), system_now())
        held = await hold(unit, row.delivery_id)
        assert held is not None
        await let_go(held, unit.now, LINKS)
        await unit.flush()
    row = await post.delivery()
    assert (row.status, row.draft) == ("undeliverable" if unsubscribed else "delivered", False)
    assert row.metrics.get("sent") == (None if unsubscribed else microseconds(room.now))
    assert await post.mailbox() == []


async def test_nobody_opens_what_never_left(room: Room) -> None:
    post = await begin(room, holdout())
    await post.deliver()
    row = await post.delivery()
    await room.apply(ReportDelivery(delivery_id=row.delivery_id, metric="opened"))
    assert (await post.delivery()).metrics == row.metrics
