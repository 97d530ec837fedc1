"""Builds that are stepped, cancelled, replaced and asked for again among facts: members and figures stay right (PPL-29, PPL-41)."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clock import system_now
from domain.errors import DomainError
from services import long_tasks, segment_builds, segment_life
from store import metrics
from store.database import Database
from tests.ingest.test_builds import COMPANIES, LEAVES, SEGMENTS, facts
from tests.support.building import Building
from tests.support.database import Room
from tests.support.tasks import Tasks


class Act(NamedTuple):
    """Something that somebody does to segments or their builds: which, and what with."""

    verb: str
    segment: str = ""
    leaf: str = ""
    place: int = 0


AGAIN = {"or": [{"segment": "idle"}, {"segment": "pro"}]}
CONDITIONS = {**LEAVES, "again": AGAIN}
plain = st.sampled_from([key for key in LEAVES if key != "nested"])
places = st.integers(0, 20)
acts = st.one_of(
    st.builds(lambda segment, leaf: Act("edit", segment, leaf), plain, plain),
    st.sampled_from(["again", "nested"]).map(lambda leaf: Act("edit", "nested", leaf)),
    places.map(lambda place: Act("step", place=place)),
    places.map(lambda place: Act("step", place=place)),
    places.map(lambda place: Act("cancel", place=place)),
    st.builds(Act, st.sampled_from(["archive", "unarchive", "rebuild"]), st.sampled_from(list(LEAVES))),
    st.sampled_from([Act("run"), Act("fold")]),
)
steps = st.lists(facts | acts | acts | st.integers(1, 240), min_size=6, max_size=25)


async def being_built(room: Room) -> list[str]:
    rows = await room.rows(
        """SELECT task_id FROM tasks WHERE workspace_id = $1 AND type = 'segment_build' AND state IN ('queued', 'running')
           ORDER BY task_id"""
    )
    return [row["task_id"] for row in rows]


async def carry_out(building: Building, act: Act) -> None:
    room = building.room
    where = (room.db, room.workspace_id)
    if act.verb == "edit":
        await building.save(
            {"kind": "segment", "key": act.segment, "name": act.segment, "conditions": CONDITIONS[act.leaf]}
        )
    elif act.verb in ("archive", "unarchive"):
        await getattr(segment_life, act.verb)(*where, act.segment, system_now())
    elif act.verb == "rebuild":
        await segment_builds.rebuild(*where, act.segment, system_now())
    elif act.verb == "run":
        await Tasks(room.db, room.catalogs).runner.run_once()
    elif act.verb == "fold":
        async with room.db.transaction() as conn:
            await metrics.fold(conn)
    elif found := await being_built(room):
        task_id = found[act.place % len(found)]
        if act.verb == "cancel":
            await long_tasks.cancel(*where, task_id, system_now())
        else:
            await building.step(task_id)
            await building.step(task_id)


async def check(building: Building) -> None:
    """The figures are those of the members, and who is in a segment that is ready is who matches."""
    room = building.room
    rows = await room.rows(
        "SELECT key, definition_id, state FROM definitions WHERE workspace_id = $1 AND kind = 'segment'"
    )
    async with room.db.connection() as conn:
        totals = await metrics.totals(conn, room.workspace_id, "segment", [row["definition_id"] for row in rows])
    for row in rows:
        members = await room.members(row["key"])
        assert (row, totals.get(row["definition_id"], {}).get("members", 0)) == (row, len(members))
        if row["state"] == "ready":
            assert (row, members) == (row, await building.expected(row["key"]))


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(steps=steps)
async def test_whatever_happens_to_builds_members_and_figures_are_right(database: Database, steps: list[Any]):
    async with database.transaction() as conn:
        await conn.execute("UPDATE tasks SET state = 'cancelled' WHERE state IN ('queued', 'running')")
    room = await Room.make(database)
    await room.define(COMPANIES, *SEGMENTS)
    building = Building(room)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.builds.SPAN", 1)
        for step in steps:
            if isinstance(step, int):
                await room.move(minutes=step)
            elif isinstance(step, Act):
                with contextlib.suppress(DomainError):
                    await carry_out(building, step)
            else:
                await room.accept(step)
            await building.catch_up()
            await check(building)
        await building.finish(*await being_built(room))
        await Tasks(room.db, room.catalogs).drain()
    await building.catch_up()
    await check(building)
