"""What we note of our own messages moves people between segments (PPL-37, PPL-41)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.operations import Identifier, Identify, TrackEvent
from tests.services.posting import ANN, begin, campaign, faulty, rules
from tests.support.database import Room
from tests.support.moments import segment


def emails(status: str, **body: Any) -> dict[str, Any]:
    return segment(status, [{"message": {"channel": "email", "status": status, **body}}])


STATUSES = ("recipient", "attempted", "sent", "bounced", "failed", "undeliverable", "suppressed", "converted")


async def among(room: Room) -> set[str]:
    """The segments Ann is in, after everything in the log has been applied."""
    await room.apply()
    return {status for status in STATUSES if await room.members(status) == ["7"]}


@pytest.mark.parametrize(
    ("fault", "person", "statuses"),
    [
        pytest.param(None, ANN, {"recipient", "sent"}, id="sent"),
        pytest.param("hard_bounce", ANN, {"recipient", "bounced"}, id="bounced"),
        pytest.param("reject", ANN, {"recipient", "failed"}, id="failed"),
        pytest.param("timeout", ANN, {"recipient", "attempted"}, id="attempted"),
        pytest.param(None, {**ANN, "unsubscribed": True}, {"recipient", "undeliverable"}, id="undeliverable"),
    ],
)
async def test_a_message_brings_its_person_into_segments(
    room: Room, fault: str | None, person: dict[str, Any], statuses: set[str]
) -> None:
    post = await begin(room, campaign(), *map(emails, STATUSES), person=person)
    if fault is not None:
        await rules(room, faulty(fault))
    prepared = await post.prepare()
    assert "recipient" in await among(room)
    await post.record(prepared, await post.deliverer.hand_over(prepared, system_now))
    assert await among(room) == statuses


async def test_a_retry_brings_them_further(room: Room) -> None:
    post = await begin(room, campaign(), *map(emails, STATUSES))
    await rules(room, faulty("timeout"))
    await post.deliver()
    await rules(room)
    await room.move(seconds=2)
    await post.retry()
    assert await among(room) == {"recipient", "attempted", "sent"}


async def test_who_unsubscribes_before_the_retry_is_undeliverable(room: Room) -> None:
    post = await begin(room, campaign(), *map(emails, STATUSES))
    await rules(room, faulty("timeout"))
    await post.deliver()
    await room.apply(Identify(subject=Identifier(kind="id", value="7"), attributes={"unsubscribed": True}))
    await room.move(seconds=2)
    await post.retry()
    assert await among(room) == {"recipient", "attempted", "undeliverable"}


async def test_a_goal_that_is_met_makes_the_message_a_converted_one(room: Room) -> None:
    goal = {"event": "bought", "within": "P7D", "of": "sent"}
    post = await begin(room, {**campaign(), "goal": goal}, *map(emails, STATUSES))
    await post.deliver()
    await room.move(hours=1)
    await room.apply(TrackEvent(subject=Identifier(kind="id", value="7"), name="bought"))
    assert await among(room) == {"recipient", "sent", "converted"}
    (row,) = await room.rows("SELECT metric, at, seq > 0 AS placed FROM message_events WHERE workspace_id = $1")
    assert row == {"metric": "converted", "at": room.now, "placed": True}


async def test_who_buys_by_a_message_is_at_no_moment_somebody_who_bought_without(room: Room) -> None:
    goal = {"event": "bought", "within": "P7D", "of": "sent"}
    bought = {"performed": {"event": "bought"}}
    alone = segment("alone", [bought, {"message": {"channel": "email", "status": "converted", "inverse": True}}])
    post = await begin(room, {**campaign(), "goal": goal}, alone)
    await post.deliver()
    await room.apply(TrackEvent(subject=Identifier(kind="id", value="7"), name="bought"))
    moves = "SELECT type FROM activities WHERE workspace_id = $1 AND type LIKE 'segment%'"
    assert (await room.members("alone"), await room.rows(moves)) == ([], [])


async def test_a_draft_is_no_message(room: Room) -> None:
    post = await begin(room, campaign(sending_state="draft"), *map(emails, STATUSES))
    await post.deliver()
    assert await among(room) == set()


async def test_where_nothing_looks_at_messages_nobody_is_looked_at(room: Room) -> None:
    post = await begin(room, campaign(), emails("clicked"))
    await post.deliver()
    assert await room.rows("SELECT seq FROM ingest_log WHERE workspace_id = $1 AND op = 'reevaluate'") == []
