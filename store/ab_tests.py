"""What became of the arms of a message's test, counted from its deliveries (ACT-18)."""

from __future__ import annotations

from typing import NamedTuple

from store.database import Connection


class ArmCounts(NamedTuple):
    """The deliveries of one arm that were sent, holdouts apart, and how far they came.

    `arrived` are those whose arrival was reported, which is not said by every provider: an open says it, too, but of those
    who open only. `human` are the opens and clicks of people.
    """

    variant: str
    sent: int
    delivered: int
    arrived: int
    trapped: int
    opened: int
    human_opened: int
    clicked: int
    human_clicked: int
    converted: int


async def counts(conn: Connection, workspace_id: int, campaign_id: int, action_id: int) -> list[ArmCounts]:
    """Each arm of the block's present test: what was made since the block last sent without one."""
    records = await conn.fetch(
        """WITH made AS MATERIALIZED (
               SELECT variant, holdout, metrics, created_at FROM deliveries
               WHERE workspace_id = $1 AND campaign_id = $2 AND action_id = $3)
           SELECT variant,
                  count(*) FILTER (WHERE NOT holdout) AS sent,
                  count(*) FILTER (WHERE NOT holdout AND metrics ? 'delivered') AS delivered,
                  count(*) FILTER (WHERE NOT holdout AND metrics ? 'delivered'
                                   AND metrics -> 'delivered' IS DISTINCT FROM metrics -> 'opened'
                                   AND metrics -> 'delivered' IS DISTINCT FROM metrics -> 'clicked') AS arrived,
                  count(*) FILTER (WHERE holdout) AS trapped,
                  count(*) FILTER (WHERE metrics ? 'opened') AS opened,
                  count(*) FILTER (WHERE metrics ? 'human_opened') AS human_opened,
                  count(*) FILTER (WHERE metrics ? 'clicked') AS clicked,
                  count(*) FILTER (WHERE metrics ? 'human_clicked') AS human_clicked,
                  count(*) FILTER (WHERE metrics ? 'converted') AS converted
           FROM made
           WHERE variant IS NOT NULL AND metrics ? 'sent'
             AND created_at >= COALESCE((SELECT max(created_at) FROM made WHERE variant IS NULL), '-infinity')
           GROUP BY variant ORDER BY variant""",
        workspace_id,
        campaign_id,
        action_id,
    )
    return [ArmCounts(**dict(record)) for record in records]


__all__ = ["ArmCounts", "counts"]
