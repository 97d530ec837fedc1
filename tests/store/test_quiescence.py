"""The one question: each kind of work that is left is seen, and nothing else is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clock import system_now
from domain.operations import Identifier, Identify
from services import tasks
from store import quiescence
from tests.store.rows import CAMPAIGN, DELIVERY, DUE, FLIP, JOURNEY, OUTBOX, execute
from tests.support.database import START, Room

LATER = START + timedelta(seconds=1)


async def pending(room: Room) -> dict[str, int]:
    async with room.db.connection() as conn:
        found = await quiescence.look(conn, room.workspace_id, START)
    kinds = {name: getattr(found, name) for name in found.__slots__}
    assert found.quiet == (not any(kinds.values()))
    return {name: count for name, count in kinds.items() if count}


async def test_a_fresh_workspace_is_quiet(room: Room):
    assert await pending(room) == {}


async def test_an_accepted_fact_is_pending_until_applied(room: Room):
    await room.accept(Identify(subject=Identifier(kind="id", value="1")))
    assert await pending(room) == {"ingestion": 1}
    await room.apply()
    assert await pending(room) == {}


@pytest.mark.parametrize(
    ("query", "arguments", "expected"),
    [
        (JOURNEY, ("in_progress", None, START, 1, 0), {"behind": 1}),
        (JOURNEY, ("in_progress", None, START, 1, 1), {}),
        (JOURNEY, ("in_progress", START, START, 1, 1), {"overdue": 1}),
        (JOURNEY, ("in_progress", LATER, START, 1, 1), {}),
        (JOURNEY, ("exited_early", None, START, 2, 1), {}),
        (OUTBOX, (), {"outbox": 1}),
        (FLIP, (START, START), {"flips": 1}),
        (FLIP, (START, LATER), {}),
        (FLIP, (START, None), {}),
        (DUE, (START,), {"rows": 1}),
        (DUE, (LATER,), {}),
        (DELIVERY, ("queued", False, START), {"deliveries": 1}),
        (DELIVERY, ("queued", True, START), {}),
        (DELIVERY, ("sent", False, START), {}),
        (CAMPAIGN, ("stopping", START), {"stopping": 1}),
        (CAMPAIGN, ("running", START), {}),
    ],
)
async def test_what_is_left_is_seen(room: Room, query, arguments, expected):
    await execute(room, query, *arguments)
    assert await pending(room) == expected


async def test_a_campaign_with_people_inside_is_not_waited_for(room: Room):
    await execute(room, CAMPAIGN, "stopping", START)
    await execute(room, JOURNEY, "in_progress", None, START, 0, 0)
    assert await pending(room) == {}


async def test_open_tasks_are_seen(room: Room):
    async with room.db.transaction() as conn:
        task_id = await tasks.create(conn, room.workspace_id, "segment_build", {"segment_id": 1}, now=START)
    for state, expected in (("queued", 1), ("running", 1), ("succeeded", 0), ("failed", 0), ("cancelled", 0)):
        await execute(room, "UPDATE tasks SET state = $2 WHERE workspace_id = $1", state)
        assert (await pending(room)).get("tasks", 0) == expected
    await execute(room, "UPDATE tasks SET state = 'running' WHERE workspace_id = $1")
    await execute(room, JOURNEY, "in_progress", START, START, 1, 0)
    await execute(room, DELIVERY, "attempted", False, START)
    await execute(room, DUE, START)
    async with room.db.connection() as conn:
        named = await quiescence.names(conn, room.workspace_id, START)
    assert (named.journeys, named.deliveries, named.tasks) == ([("J", "b")], [("D", "attempted")], [task_id])
    await execute(room, "UPDATE tasks SET state = 'cancelled' WHERE workspace_id = $1")


async def test_other_workspaces_do_not_matter(room: Room):
    other = await Room.make(room.db)
    for query, arguments in (
        (OUTBOX, ()),
        (FLIP, (START, START)),
        (DUE, (START,)),
        (DELIVERY, ("queued", False, START)),
    ):
        await execute(other, query, *arguments)
    assert await pending(room) == {}
    for table in ("outbox", "memberships", "due"):
        await execute(other, f"DELETE FROM {table} WHERE workspace_id = $1")


async def test_untouched_means_nothing_that_happened(room: Room):
    async def untouched() -> bool:
        async with room.db.connection() as conn:
            return await quiescence.is_untouched(conn, room.workspace_id)

    await execute(room, CAMPAIGN, "running", system_now())
    assert await untouched()
    await execute(room, JOURNEY, "finished", None, START, 0, 0)
    assert not await untouched()
