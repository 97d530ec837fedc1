"""What somebody waits for goes before what nobody waits for, and never for ever."""

from __future__ import annotations

import asyncio

from services.precedence import Precedence


async def bulk(precedence: Precedence, done: list[str]) -> None:
    for number in range(3):
        await precedence.give_way()
        done.append(f"bulk {number}")
        await asyncio.sleep(0)


async def test_bulk_work_stands_aside_until_nothing_is_urgent():
    precedence, done = Precedence(), []
    with precedence.urgent(), precedence.urgent():
        working = asyncio.create_task(bulk(precedence, done))
        for _ in range(20):
            await asyncio.sleep(0)
        assert done == []
        done.append("urgent")
    await working
    assert done == ["urgent", "bulk 0", "bulk 1", "bulk 2"]


async def test_bulk_work_goes_on_in_the_end_although_something_is_urgent_all_the_time():
    precedence, done = Precedence(), []
    with precedence.urgent():
        await bulk(precedence, done)
    assert done == ["bulk 0", "bulk 1", "bulk 2"]


async def test_where_nothing_is_urgent_nobody_waits():
    done: list[str] = []
    await bulk(Precedence(), done)
    assert len(done) == 3
