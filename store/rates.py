"""Token buckets of workspaces, drawn from by every API process a few times a second."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from store.database import Connection


class Bucket(NamedTuple):
    """What a bucket holds, as of when; real time."""

    tokens: float
    refilled_at: datetime


async def hold(conn: Connection, workspace_id: int, kind: str, fresh: Bucket) -> Bucket:
    """The bucket, locked until the transaction ends; one that was never drawn from is as `fresh`."""
    record = await conn.fetchrow(
        """INSERT INTO rate_buckets AS b (workspace_id, kind, tokens, refilled_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workspace_id, kind) DO UPDATE SET tokens = b.tokens RETURNING tokens, refilled_at""",
        workspace_id,
        kind,
        *fresh,
    )
    assert record is not None, "the statement returns the row it wrote"
    return Bucket(*record)


async def save(conn: Connection, workspace_id: int, kind: str, bucket: Bucket) -> None:
    """Write back a bucket that is held."""
    await conn.execute(
        "UPDATE rate_buckets SET tokens = $3, refilled_at = $4 WHERE workspace_id = $1 AND kind = $2",
        workspace_id,
        kind,
        *bucket,
    )


__all__ = ["Bucket", "hold", "save"]
