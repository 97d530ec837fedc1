"""What became of messages, each time somebody reported it, and messages as conditions on people see them (PPL-37)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from store.database import Connection


class MessageEvent(NamedTuple):
    """A metric that was reported of a delivery by the fact `seq`; `human` where a person did it."""

    delivery_id: str
    seq: int
    metric: str
    at: datetime
    human: bool
    link: str | None = None
    response: str | None = None


class Message(NamedTuple):
    """One delivery to somebody, of a block or of a transactional message; `metrics` maps each metric to the microsecond of its first time."""

    person_id: int
    channel: str
    campaign_id: int | None
    action_id: int | None
    transactional_id: int | None
    created_at: datetime
    metrics: dict[str, int]
    events: list[dict[str, Any]]


async def insert(conn: Connection, workspace_id: int, rows: Sequence[MessageEvent]) -> None:
    """Store what was reported; the same fact twice is one."""
    if rows:
        await conn.execute(
            """INSERT INTO message_events (workspace_id, delivery_id, seq, metric, at, human, link, response)
               SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::bool[], $7::text[],
                                        $8::text[])
               ON CONFLICT DO NOTHING""",
            workspace_id,
            *[list(column) for column in zip(*rows, strict=True)],
        )


async def of_people(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[Message]:
    """Every message to these people, drafts and holdouts apart, with all that was reported of each."""
    records = await conn.fetch(
        """SELECT d.person_id, d.channel, d.campaign_id, d.action_id, d.transactional_id, d.created_at, d.metrics, COALESCE(
                  (SELECT jsonb_agg(jsonb_build_object('metric', e.metric, 'seq', e.seq, 'human', e.human,
                                    'at', floor(EXTRACT(EPOCH FROM e.at) * 1000000), 'link', e.link, 'response', e.response))
                   FROM message_events e WHERE e.workspace_id = d.workspace_id AND e.delivery_id = d.delivery_id), '[]')
           FROM deliveries d
           WHERE d.workspace_id = $1 AND d.person_id = ANY($2::bigint[]) AND NOT d.draft AND NOT d.holdout""",
        workspace_id,
        list(person_ids),
    )
    return [Message(*record) for record in records]


__all__ = ["Message", "MessageEvent", "insert", "of_people"]
