"""When campaigns start and stop by themselves: rows of `due`, one for each instant that is still to come (CMP-22)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from store.database import Connection

Turn = Literal["campaign_start", "campaign_stop"]
START: Final[Turn] = "campaign_start"
STOP: Final[Turn] = "campaign_stop"
TURNS: Final[tuple[Turn, ...]] = (START, STOP)


async def put(conn: Connection, workspace_id: int, turn: Turn, campaign_id: int, due_at: datetime) -> None:
    """Have the clock start or stop a campaign at an instant, in place of the one before."""
    await conn.execute(
        """INSERT INTO due (workspace_id, kind, ref, due_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workspace_id, kind, ref) DO UPDATE SET due_at = excluded.due_at""",
        workspace_id,
        turn,
        str(campaign_id),
        due_at,
    )


async def drop(conn: Connection, workspace_id: int, campaign_id: int, turns: Sequence[Turn] = TURNS) -> None:
    """Ask the clock for nothing more of these."""
    await conn.execute(
        "DELETE FROM due WHERE workspace_id = $1 AND kind = ANY($2::text[]) AND ref = $3",
        workspace_id,
        list(turns),
        str(campaign_id),
    )


async def take(conn: Connection, workspace_id: int, turn: Turn, campaign_id: int, now: datetime) -> bool:
    """Take the turn of a campaign whose instant has come; False where there is none, or none any more."""
    taken = await conn.fetchval(
        "DELETE FROM due WHERE workspace_id = $1 AND kind = $2 AND ref = $3 AND due_at <= $4 RETURNING 1",
        workspace_id,
        turn,
        str(campaign_id),
        now,
    )
    return taken is not None


async def ahead(conn: Connection, workspace_id: int, campaign_ids: Sequence[int]) -> set[int]:
    """Which of these campaigns have a start or a stop still to come."""
    records = await conn.fetch(
        """SELECT DISTINCT ref FROM due
           WHERE workspace_id = $1 AND kind = ANY($2::text[]) AND ref = ANY($3::text[])""",
        workspace_id,
        list(TURNS),
        [str(number) for number in campaign_ids],
    )
    return {int(record["ref"]) for record in records}


__all__ = ["START", "STOP", "TURNS", "Turn", "ahead", "drop", "put", "take"]
