"""What became of journeys, by when they were created: counted from their rows and their steps (CMP-30, SUB-26).

A journey's id begins with the instant at which it was made, so that a range of instants is a range of ids.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.ids import ulid
from store.database import Connection

LATE = timedelta(days=7)
"""How long before its row the id of a journey may have been made, where a caller is told it at once (CMP-09)."""
_RANGE = """workspace_id = $1 AND campaign_id = $2 AND journey_id >= $3 AND journey_id < $4
            AND created_at >= $5 AND created_at < $6"""


class Counted(NamedTuple):
    """The journeys created in one increment, by what they ever reached."""

    started: int
    activated: int
    messaged: int
    finished: int
    exited_early: int
    converted: int
    never_activated: int


async def by_increment(
    conn: Connection,
    workspace_id: int,
    campaign_id: int,
    begins: Sequence[datetime],
    end: datetime,
    *,
    messages: Collection[str],
    actions: Collection[str],
) -> list[Counted]:
    """One count for each of the increments that begin at these instants; the last is over at `end`.

    `messages` are the types of blocks that write to somebody or call an endpoint, `actions` those of blocks that change data.
    """
    counted = [Counted(*[0] * len(Counted._fields))] * len(begins)
    if not begins:
        return counted
    which = (workspace_id, campaign_id, *_ids(begins[0], end), begins[0], end)
    # The steps of the journeys are in the partitions of when these started, which for a past event is before they were created.
    first, last = await conn.fetchrow(f"SELECT min(started_at), max(started_at) FROM journeys WHERE {_RANGE}", *which)
    if first is None:
        return counted
    records = await conn.fetch(
        f"""WITH made AS MATERIALIZED (
                SELECT journey_id, started_at, state, reason, converted_at,
                       width_bucket(created_at, $7::timestamptz[]) AS increment
                FROM journeys WHERE {_RANGE}),
            reached AS (
                SELECT s.journey_id, bool_or(s.output_type = ANY($8::text[])) AS messaged
                FROM made JOIN journey_steps s ON s.workspace_id = $1 AND s.journey_id = made.journey_id
                     AND s.started_at = made.started_at
                WHERE s.started_at >= $10 AND s.started_at <= $11
                  AND ((s.output_type = ANY($8::text[]) AND s.outcome <> 'skipped')
                       OR (s.output_type = ANY($9::text[]) AND s.outcome IN ('done', 'drafted')))
                GROUP BY s.journey_id)
            SELECT increment, count(*) AS started, count(r.journey_id) AS activated,
                   count(*) FILTER (WHERE r.messaged) AS messaged,
                   count(*) FILTER (WHERE state = 'finished') AS finished,
                   count(*) FILTER (WHERE state = 'exited_early') AS left_early,
                   count(*) FILTER (WHERE converted_at IS NOT NULL) AS converted,
                   count(*) FILTER (WHERE state = 'exited_early' AND reason IN ('filters', 'trigger')
                                      AND r.journey_id IS NULL) AS never_activated
            FROM made LEFT JOIN reached r USING (journey_id) GROUP BY increment""",
        *which,
        list(begins),
        list(messages),
        list(actions),
        first,
        last,
    )
    for record in records:
        found = dict(record)
        found["exited_early"] = found.pop("left_early") - found["never_activated"]
        place = found.pop("increment") - 1
        counted[place] = Counted(**found)
    return counted


async def are_few(
    conn: Connection, workspace_id: int, campaign_id: int, start: datetime, end: datetime, *, most: int
) -> bool:
    """Whether no more than `most` journeys were created in the range, so that counting them costs little."""
    query = f"SELECT count(*) FROM (SELECT 1 FROM journeys WHERE {_RANGE} LIMIT $7) few"
    values = (workspace_id, campaign_id, *_ids(start, end), start, end)
    return bool(await conn.fetchval(query, *values, most + 1) <= most)


def _ids(start: datetime, end: datetime) -> tuple[str, str]:
    """Between which ids the journeys of a range are, the second one excluded."""
    first, beyond = (max(0, int(at.timestamp() * 1_000)) for at in (start - LATE, end + timedelta(seconds=1)))
    return ulid(first, bytes(10)), ulid(beyond, bytes(10))


__all__ = ["LATE", "Counted", "are_few", "by_increment"]
