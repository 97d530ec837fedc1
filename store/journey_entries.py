"""Whether something that happened has begun a journey of somebody already (CMP-15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.database import Connection


async def has_entry(conn: Connection, workspace_id: int, campaign_id: int, person_id: int, entry: str) -> bool:
    """Whether an occurrence has begun a journey of a person in a campaign."""
    found: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT 1 FROM journeys
               WHERE workspace_id = $1 AND campaign_id = $2 AND person_id = $3 AND entry = $4)""",
        workspace_id,
        campaign_id,
        person_id,
        entry,
    )
    return found


async def has_begun_since(
    conn: Connection, workspace_id: int, campaign_id: int, person_id: int, trigger: Mapping[str, Any], *, since: int
) -> bool:
    """Whether the object of a trigger, and the person whose relationship it is, began a journey by a fact after `since`."""
    found: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT 1 FROM journeys
               WHERE workspace_id = $1 AND campaign_id = $2 AND person_id = $3 AND started_seq > $6
                 AND trigger -> 'object' = $4 AND (trigger -> 'person') IS NOT DISTINCT FROM $5::jsonb)""",
        workspace_id,
        campaign_id,
        person_id,
        trigger["object"],
        trigger.get("person"),
        since,
    )
    return found


__all__ = ["has_begun_since", "has_entry"]
