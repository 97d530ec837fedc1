"""Deleting journeys that ended long ago, and what stays of them so that nobody begins anew what they may begin once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from store.database import Connection
from store.journeys import NOBODY


class Passed(NamedTuple):
    """A page of journeys looked at: the last of them (None: there were none), how many were deleted."""

    last: str | None
    deleted: int


async def delete_ended(
    conn: Connection, workspace_id: int, before: datetime, *, after: str, until: str, limit: int
) -> Passed:
    """Delete, of the next journeys with ids between `after` and `until`, those that ended before an instant.

    One stays as long as its steps are there (who is erased is found in them by it), and as long as a delivery of it is to be
    sent. The latest of each person in each campaign stays for as long as these are there, emptied of what it was about:
    frequency asks whether and when somebody was in a campaign (CMP-14).
    """
    record = await conn.fetchrow(
        f"""WITH page AS MATERIALIZED (
                SELECT journey_id, campaign_id, person_id, started_at, started_seq, state, ended_at FROM journeys
                WHERE workspace_id = $1 AND journey_id > $2 AND journey_id < $3 ORDER BY journey_id LIMIT $4),
            old AS MATERIALIZED (
                SELECT * FROM page p WHERE p.state <> 'in_progress' AND p.ended_at < $5
                  AND NOT EXISTS (SELECT 1 FROM journey_steps s WHERE s.workspace_id = $1
                                    AND s.journey_id = p.journey_id AND s.started_at = p.started_at)
                  AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.workspace_id = $1
                                    AND d.journey_id = p.journey_id AND (d.in_hand OR d.as_draft))),
            latest AS MATERIALIZED (
                SELECT o.journey_id FROM old o
                WHERE o.person_id <> {NOBODY}
                  AND EXISTS (SELECT 1 FROM people WHERE workspace_id = $1 AND person_id = o.person_id)
                  AND EXISTS (SELECT 1 FROM definitions WHERE workspace_id = $1 AND kind = 'campaign'
                                AND definition_id = o.campaign_id)
                  AND NOT EXISTS (
                    SELECT 1 FROM journeys n
                    WHERE n.workspace_id = $1 AND n.campaign_id = o.campaign_id AND n.person_id = o.person_id
                      AND (n.started_at, n.started_seq, n.journey_id) > (o.started_at, o.started_seq, o.journey_id))),
            emptied AS (
                UPDATE journeys j SET trigger = '{{}}', attributes = '{{}}', wait = NULL FROM latest l
                WHERE j.workspace_id = $1 AND j.journey_id = l.journey_id
                  AND (j.trigger <> '{{}}' OR j.attributes <> '{{}}' OR j.wait IS NOT NULL)),
            gone AS (
                DELETE FROM journeys j USING old o
                WHERE j.workspace_id = $1 AND j.journey_id = o.journey_id AND j.person_id = o.person_id
                  AND NOT EXISTS (SELECT 1 FROM latest l WHERE l.journey_id = o.journey_id)
                RETURNING 1)
            SELECT (SELECT max(journey_id) FROM page) AS last, (SELECT count(*) FROM gone) AS deleted""",
        workspace_id,
        after,
        until,
        limit,
        before,
    )
    return Passed(record["last"], record["deleted"])


__all__ = ["Passed", "delete_ended"]
