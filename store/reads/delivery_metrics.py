"""What became of messages, by when they were made: counted from their rows by an index, never from what they say (SUB-25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from store.database import Connection

MOST_LINKS: Final = 1_000
"""How many links are told of at once; those that were clicked most."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose messages are counted: those of a campaign or broadcast, perhaps of one of its blocks, or of a transactional message.

    Holdouts count for their block only (ACT-19). `channel` None is every channel.
    """

    campaign_id: int | None = None
    action_id: int | None = None
    transactional_id: int | None = None
    channel: str | None = None


class Counted(NamedTuple):
    """How many messages made in a step have reached a metric; steps are numbered from 0."""

    step: int
    metric: str
    language: str | None
    messages: int


class Clicks(NamedTuple):
    """How often a link of messages made in a step was clicked, and how often by people and by machines."""

    href: str
    step: int
    clicked: int
    human: int
    machine: int


def _which(source: Source, begins: Sequence[datetime], end: datetime) -> tuple[str, list[Any]]:
    """The test on `d`, whose parameters come after the workspace in $1 and where the steps begin in $2."""
    column, number = ("campaign_id", source.campaign_id)
    if source.transactional_id is not None:
        column, number = ("transactional_id", source.transactional_id)
    test = f"""d.workspace_id = $1 AND d.{column} = $3 AND d.created_at >= $4 AND d.created_at < $5
        AND ($6::int IS NULL OR d.action_id = $6) AND ($6::int IS NOT NULL OR NOT d.holdout)
        AND ($7::text IS NULL OR d.channel = $7)"""
    return test, [number, begins[0], end, source.action_id, source.channel]


async def by_step(
    conn: Connection,
    workspace_id: int,
    source: Source,
    begins: Sequence[datetime],
    end: datetime,
    *,
    languages: bool = False,
) -> list[Counted]:
    """The metrics of the messages made in each step; every message counts as `created`. With `languages` each apart."""
    if not begins:
        return []
    test, values = _which(source, begins, end)
    language = "d.language" if languages else "NULL::text"
    records = await conn.fetch(
        f"""SELECT width_bucket(d.created_at, $2::timestamptz[]) - 1 AS step, m.metric, {language} AS language,
                   count(*) AS messages
            FROM deliveries d CROSS JOIN LATERAL jsonb_object_keys(d.metrics || '{{"created": 0}}'::jsonb) AS m (metric)
            WHERE {test} GROUP BY 1, 2, 3""",
        workspace_id,
        list(begins),
        *values,
    )
    return [Counted(*record) for record in records]


async def of_links(
    conn: Connection,
    workspace_id: int,
    source: Source,
    begins: Sequence[datetime],
    end: datetime,
    *,
    unique: bool,
) -> list[Clicks]:
    """The clicks on links in the messages made in each step, each click or, `unique`, each message once."""
    if not begins:
        return []
    test, values = _which(source, begins, end)
    what = "DISTINCT d.delivery_id" if unique else "*"
    records = await conn.fetch(
        f"""WITH clicks AS (
                SELECT e.link, width_bucket(d.created_at, $2::timestamptz[]) - 1 AS step, count({what}) AS clicked,
                       count({what}) FILTER (WHERE e.human) AS human, count({what}) FILTER (WHERE NOT e.human) AS machine
                FROM deliveries d JOIN message_events e
                  ON e.workspace_id = d.workspace_id AND e.delivery_id = d.delivery_id
                WHERE {test} AND d.metrics ? 'clicked' AND e.metric = 'clicked' AND e.link IS NOT NULL GROUP BY 1, 2),
            most AS (SELECT link FROM clicks GROUP BY link ORDER BY sum(clicked) DESC, link LIMIT $8)
            SELECT link, step, clicked, human, machine FROM clicks WHERE link IN (SELECT link FROM most)""",
        workspace_id,
        list(begins),
        *values,
        MOST_LINKS,
    )
    return [Clicks(*record) for record in records]


async def of_trigger(conn: Connection, workspace_id: int, broadcast_id: int, trigger_no: int) -> dict[str, int]:
    """How many messages of one trigger of a broadcast have reached each metric, drafts included; holdouts are left out."""
    records = await conn.fetch(
        """SELECT m.metric, count(*) AS messages
           FROM deliveries d CROSS JOIN LATERAL jsonb_object_keys(d.metrics || '{"created": 0}'::jsonb) AS m (metric)
           WHERE d.workspace_id = $1 AND d.campaign_id = $2 AND d.trigger_no = $3 AND NOT d.holdout GROUP BY 1""",
        workspace_id,
        broadcast_id,
        trigger_no,
    )
    return {record["metric"]: record["messages"] for record in records}


__all__ = ["MOST_LINKS", "Clicks", "Counted", "Source", "by_step", "of_links", "of_trigger"]
