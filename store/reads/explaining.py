"""What is kept of one person and one campaign's trigger, for those who ask why somebody did not enter."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from store.database import Connection


class TriggerRead(NamedTuple):
    """Whether somebody matches the trigger, since when that has been so, and when the clock looks next."""

    member: bool
    since: datetime
    flips_at: datetime | None


async def trigger(conn: Connection, workspace_id: int, person_id: int, campaign_id: int) -> TriggerRead | None:
    """What is kept; None where that is nothing, which is so of most who do not match."""
    record = await conn.fetchrow(
        """SELECT member, since, flips_at FROM memberships
           WHERE workspace_id = $1 AND person_id = $2 AND kind = 'trigger' AND ref_id = $3""",
        workspace_id,
        person_id,
        campaign_id,
    )
    return None if record is None else TriggerRead(**record)


__all__ = ["TriggerRead", "trigger"]
