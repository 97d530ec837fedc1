"""Why people did not begin a journey although something might have begun it (CMP-34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from store.database import Connection

NOBODY = 0
"""The person of a refusal that concerns everybody the occurrence might have begun a journey for."""


class Refusal(NamedTuple):
    """One occurrence that began nothing: when it was looked at, the check that failed, and what that saw."""

    campaign_id: int
    person_id: int
    seq: int
    occurrence: str
    at: datetime
    step: str
    evidence: Mapping[str, Any]


_COLUMNS = "campaign_id, person_id, seq, occurrence, at, step, evidence"


async def insert(conn: Connection, workspace_id: int, rows: Sequence[Refusal]) -> None:
    """Write refusals; of one occurrence the latest stays."""
    latest = {(row.campaign_id, row.person_id, row.seq, row.occurrence): row for row in rows}
    if latest:
        await conn.execute(
            f"""INSERT INTO entry_refusals (workspace_id, {_COLUMNS})
                SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[],
                                         $8::jsonb[])
                ON CONFLICT (workspace_id, campaign_id, person_id, seq, occurrence)
                DO UPDATE SET at = EXCLUDED.at, step = EXCLUDED.step, evidence = EXCLUDED.evidence""",
            workspace_id,
            *[list(column) for column in zip(*latest.values(), strict=True)],
        )


async def of_person(
    conn: Connection, workspace_id: int, campaign_id: int, person_id: int, *, limit: int
) -> list[Refusal]:
    """The latest refusals of one person in one campaign, newest first; those of nobody in particular where asked."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM entry_refusals
            WHERE workspace_id = $1 AND campaign_id = $2 AND person_id = $3 ORDER BY at DESC, seq DESC LIMIT $4""",
        workspace_id,
        campaign_id,
        person_id,
        limit,
    )
    return [Refusal(**record) for record in records]


__all__ = ["NOBODY", "Refusal", "insert", "of_person"]
