"""Occurrences of triggers that wait: for the campaign's filters to come true, or for the journey under way to end (CMP-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from store.database import Connection


@dataclass(slots=True)
class EntryRetry:
    """One occurrence that waits; `until` is its last instant, None where it waits for the journey under way to end."""

    person_id: int
    campaign_id: int
    entry: str
    occurred_at: datetime
    occurred_seq: int
    parked_at: datetime
    until: datetime | None
    trigger: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int, str]:
        """What it is known by."""
        return self.person_id, self.campaign_id, self.entry


_COLUMNS = "person_id, campaign_id, entry, occurred_at, occurred_seq, parked_at, until, trigger"


def _row(record: Any) -> EntryRetry:
    return EntryRetry(**record)


async def of_people(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[EntryRetry]:
    """What waits for these people, whose locks the caller holds, oldest first."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM entry_retries WHERE workspace_id = $1 AND person_id = ANY($2::bigint[])
            ORDER BY person_id, occurred_at, occurred_seq, campaign_id""",
        workspace_id,
        list(person_ids),
    )
    return [_row(record) for record in records]


async def of_person(conn: Connection, workspace_id: int, person_id: int, campaign_id: int) -> list[EntryRetry]:
    """What waits for one person to begin one campaign, newest first; for those who only look."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM entry_retries WHERE workspace_id = $1 AND person_id = $2 AND campaign_id = $3
            ORDER BY occurred_at DESC, occurred_seq DESC""",
        workspace_id,
        person_id,
        campaign_id,
    )
    return [_row(record) for record in records]


async def save(conn: Connection, workspace_id: int, rows: Sequence[EntryRetry]) -> None:
    """Have occurrences wait."""
    if rows:
        await conn.execute(
            f"""INSERT INTO entry_retries (workspace_id, {_COLUMNS})
                SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::timestamptz[], $6::bigint[],
                                         $7::timestamptz[], $8::timestamptz[], $9::jsonb[])
                ON CONFLICT (workspace_id, person_id, campaign_id, entry) DO UPDATE SET
                    occurred_at = EXCLUDED.occurred_at, occurred_seq = EXCLUDED.occurred_seq,
                    parked_at = EXCLUDED.parked_at, until = EXCLUDED.until, trigger = EXCLUDED.trigger""",
            workspace_id,
            [row.person_id for row in rows],
            [row.campaign_id for row in rows],
            [row.entry for row in rows],
            [row.occurred_at for row in rows],
            [row.occurred_seq for row in rows],
            [row.parked_at for row in rows],
            [row.until for row in rows],
            [row.trigger for row in rows],
        )


async def delete(conn: Connection, workspace_id: int, keys: Sequence[tuple[int, int, str]]) -> None:
    """Let nothing wait any more under these keys."""
    if keys:
        await conn.execute(
            """DELETE FROM entry_retries r USING unnest($2::bigint[], $3::int[], $4::text[]) AS g (person_id, campaign_id, entry)
               WHERE r.workspace_id = $1 AND r.person_id = g.person_id AND r.campaign_id = g.campaign_id
                 AND r.entry = g.entry""",
            workspace_id,
            *[list(column) for column in zip(*keys, strict=True)],
        )


async def forget_campaign(conn: Connection, workspace_id: int, campaign_id: int) -> None:
    """Let nothing wait any more for a campaign that has stopped, or is gone."""
    await conn.execute(
        "DELETE FROM entry_retries WHERE workspace_id = $1 AND campaign_id = $2", workspace_id, campaign_id
    )


__all__ = ["EntryRetry", "delete", "forget_campaign", "of_people", "of_person", "save"]
