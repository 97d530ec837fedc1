"""Fifty thousand people, built and then moved by the clock, against PostgreSQL counting the same in plain SQL (PPL-41)."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from tests.support.building import Building
from tests.support.database import Room

PEOPLE = 50_000
MOST_A_PAGE = 20_000
SEGMENT = {
    "kind": "segment",
    "key": "loyal",
    "name": "Loyal",
    "conditions": [
        {"attribute": {"field": "plan", "operator": "in", "value": ["pro", 5]}},
        {"performed": {"event": "purchased", "times": {"at_least": 2}, "within": "P30D"}},
    ],
}
FILL = """
    WITH made AS (
        INSERT INTO people (workspace_id, id, attributes, attribute_times, created_at, age_start)
        SELECT $1, 'p' || n, jsonb_build_object('city', 'Leeds', 'plan',
                   ('["free", "PRO", 5, "5.0", "pro", true]'::jsonb -> (n % 6))), '{}', $3::timestamptz, $3::timestamptz
        FROM generate_series(1, $2::int) AS n RETURNING person_id, workspace_id)
    INSERT INTO events (workspace_id, person_id, at, seq, name, name_key, type, data, processed_at)
    SELECT workspace_id, person_id, $3::timestamptz - ((person_id * 13 + e * 17) % 60) * interval '1 day', person_id * 10 + e,
           'Purchased', 'purchased', 'event', '{"amount": 20}', $3::timestamptz
    FROM made, generate_series(1, 3) AS e"""
COUNT = """
    SELECT count(*) AS members FROM people p
    WHERE p.workspace_id = $1 AND lower((p.attributes ->> 'plan') COLLATE "C") IN ('pro', '5', '5.0') AND (
        SELECT count(*) FROM events e WHERE e.workspace_id = p.workspace_id AND e.person_id = p.person_id
          AND e.name_key = 'purchased' AND e.at > $2) >= 2"""


async def test_fifty_thousand_people_are_built_and_leave_by_the_clock_as_plain_sql_counts_them(room: Room):
    async with room.db.transaction() as conn:
        await conn.execute(FILL, room.workspace_id, PEOPLE, room.now)
        await conn.execute("ANALYZE people, events")

    async def counted() -> int:
        [row] = await room.rows(COUNT, room.now - timedelta(days=30))
        return row["members"]

    built = await counted()
    building = Building(room)
    [task_id] = await building.save(SEGMENT)
    cursors, progress = [0], await building.step(task_id)
    while not progress.over:
        progress = await building.step(task_id)
        if progress.done > cursors[-1]:
            cursors.append(progress.done)
    assert (progress.state, progress.done, progress.total) == ("succeeded", PEOPLE, PEOPLE)
    assert all(0 < later - earlier <= MOST_A_PAGE for earlier, later in pairwise(cursors))
    assert len(await room.members("loyal")) == built == await building.counted("loyal")
    assert PEOPLE // 10 < built < PEOPLE // 2
    # Nobody does anything any more: by the clock alone they leave, day after day, until nobody is left.
    for days in (1, 6, 23):
        await room.move(days=days)
        await building.catch_up()
        assert len(await room.members("loyal")) == await counted() == await building.counted("loyal")
    assert await room.members("loyal") == []
