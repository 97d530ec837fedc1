"""Which deliveries may claim a goal, and marking the one that does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from store import journeys
from store.database import Connection
from store.journeys import JourneyRow

MOST_CANDIDATES = 100


class Candidate(NamedTuple):
    """A delivery within the window, not converted yet: one of a journey, or of a recipient of a broadcast's trigger."""

    delivery_id: str
    journey_id: str | None
    action_id: int
    holdout: bool
    trigger_no: int | None
    recipient_no: int | None
    created_at: datetime


async def written_to(
    conn: Connection, workspace_id: int, person_ids: Sequence[int], campaign_ids: Sequence[int]
) -> list[tuple[int, int]]:
    """Who of these people has a delivery of which of these campaigns."""
    records = await conn.fetch(
        """SELECT DISTINCT person_id, campaign_id FROM deliveries
           WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) AND campaign_id = ANY($3::int[])""",
        workspace_id,
        list(person_ids),
        list(campaign_ids),
    )
    return [(record["person_id"], record["campaign_id"]) for record in records]


async def candidates(
    conn: Connection,
    workspace_id: int,
    person_id: int,
    campaign_id: int,
    *,
    basis: str,
    since: int,
    until: int | None = None,
    calls: Sequence[int] = (),
) -> list[Candidate]:
    """Deliveries of the campaign to the person whose basis metric (`sent`...) is not older than `since`, latest first.

    Of webhooks only those of the actions in `calls` count, of Slack none. `since` and `until` are in microseconds; of a campaign's deliveries to one person the hundred latest are looked at.
    """
    records = await conn.fetch(
        """SELECT delivery_id, journey_id, action_id, holdout, trigger_no, recipient_no, created_at FROM deliveries
           WHERE workspace_id = $1 AND person_id = $2 AND campaign_id = $3
             AND (metrics ->> $4)::bigint >= $5 AND NOT metrics ? 'converted'
             AND (journey_id IS NOT NULL OR trigger_no IS NOT NULL)
             AND ($7::bigint IS NULL OR (metrics ->> $4)::bigint <= $7)
             AND (channel NOT IN ('webhook', 'slack') OR (channel = 'webhook' AND action_id = ANY($8::int[])))
           ORDER BY (metrics ->> $4)::bigint DESC, created_at DESC, action_id DESC, delivery_id LIMIT $6""",
        workspace_id,
        person_id,
        campaign_id,
        basis,
        since,
        MOST_CANDIDATES,
        until,
        list(calls),
    )
    return [Candidate(**dict(record)) for record in records]


async def converting(conn: Connection, workspace_id: int, person_id: int, campaign_ids: Sequence[int]) -> set[int]:
    """Which of these campaigns have converted by a delivery to the person."""
    records = await conn.fetch(
        """SELECT DISTINCT campaign_id FROM deliveries
           WHERE workspace_id = $1 AND person_id = $2 AND campaign_id = ANY($3::int[]) AND metrics ? 'converted'""",
        workspace_id,
        person_id,
        list(campaign_ids),
    )
    return {record["campaign_id"] for record in records}


async def journey_of(conn: Connection, workspace_id: int, journey_id: str) -> JourneyRow | None:
    """The journey a delivery belongs to."""
    return await journeys.get(conn, workspace_id, journey_id)


async def mark(conn: Connection, workspace_id: int, delivery_id: str, at: int, metric: str) -> bool:
    """Note the first time of a metric on a delivery, in microseconds; returns whether it was the first."""
    changed: str = await conn.execute(
        """UPDATE deliveries SET metrics = metrics || jsonb_build_object($3::text, $4::bigint)
           WHERE workspace_id = $1 AND delivery_id = $2 AND NOT metrics ? $3""",
        workspace_id,
        delivery_id,
        metric,
        at,
    )
    return changed.endswith(" 1")


async def origin(conn: Connection, workspace_id: int, delivery_id: str) -> list[tuple[str, int]]:
    """What the metrics of a delivery count for: its campaign or broadcast with the action, or its transactional message."""
    record = await conn.fetchrow(
        """SELECT campaign_id AS campaign, action_id AS action, transactional_id AS transactional
           FROM deliveries WHERE workspace_id = $1 AND delivery_id = $2""",
        workspace_id,
        delivery_id,
    )
    return [(kind, ref) for kind, ref in dict(record or {}).items() if ref is not None]


__all__ = ["Candidate", "candidates", "converting", "journey_of", "mark", "origin", "written_to"]
