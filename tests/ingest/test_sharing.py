"""Who takes which facts when several processes apply: a second one helps where there is enough to do, and only there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from clock import system_now
from domain.operations import Identifier, Identify
from ingest.claim import Claim, claim_batch
from tests.support.database import Room

SIZE = 4


def somebody(number: int) -> Identify:
    return Identify(subject=Identifier(kind="id", value=f"p{number}"), attributes={"n": number})


@asynccontextmanager
async def claimed(room: Room, size: int = SIZE, later: timedelta = timedelta(0)) -> AsyncIterator[Claim]:
    """What a process claims that is still at work."""
    async with room.db.transaction() as conn:
        yield await claim_batch(conn, room.workspace_id, size, system_now() + later)


def who(claim: Claim) -> list[str]:
    return [name.value_key for fact in claim.facts for name in fact.names]


async def test_a_few_facts_are_left_to_who_is_at_work(room: Room) -> None:
    await room.accept(*[somebody(number) for number in range(SIZE + 1)])
    async with claimed(room) as first, claimed(room) as second:
        assert (len(first.facts), first.helping) == (SIZE, False)
        assert (second.facts, second.helping) == ([], True)
    async with claimed(room) as alone:
        assert (len(alone.facts), alone.helping) == (SIZE, False)


async def test_a_second_process_takes_what_follows_where_much_is_waiting(room: Room) -> None:
    await room.accept(*[somebody(number) for number in range(2 * SIZE)])
    async with claimed(room) as first, claimed(room) as second, claimed(room) as third:
        assert who(first) == ["p0", "p1", "p2", "p3"]
        assert who(second) == ["p4", "p5", "p6", "p7"]
        assert third.facts == []


async def test_facts_that_have_waited_are_taken_however_few(room: Room) -> None:
    await room.accept(*[somebody(number) for number in range(SIZE + 1)])
    async with claimed(room), claimed(room, later=timedelta(seconds=2)) as second:
        assert who(second) == ["p4"]


async def test_who_helps_goes_round_the_people_in_hand(room: Room) -> None:
    await room.accept(*[somebody(number) for number in (0, 1, 2, 3, 1, 4, 5, 1, 6, 7)])
    async with claimed(room), claimed(room) as second:
        assert who(second) == ["p4", "p5"]
    async with claimed(room, size=2 * SIZE) as alone:
        assert who(alone) == ["p0", "p1", "p2", "p3", "p1", "p4", "p5", "p1"]
