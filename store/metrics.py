"""Totals: what is folded, plus the changes that are not yet."""

from __future__ import annotations

from collections.abc import Sequence

from store.database import Connection

FOLD_CLASS = 0x4D46


async def fold(conn: Connection, limit: int = 20_000) -> int:
    """Add up to `limit` changes to their totals; returns how many. Only one process folds at a time.

    A crash may lose the transaction whole, with the changes back in place, so it need not wait for the disk.
    """
    if not await conn.fetchval("SELECT pg_try_advisory_xact_lock($1, 0)", FOLD_CLASS):
        return 0
    await conn.execute("SET LOCAL synchronous_commit = off")
    folded: int = await conn.fetchval(
        """WITH taken AS (
               DELETE FROM metric_deltas WHERE delta_id IN (
                   SELECT delta_id FROM metric_deltas ORDER BY delta_id LIMIT $1)
               RETURNING workspace_id, kind, ref_id, metric, amount),
           added AS (
               INSERT INTO metric_totals AS t (workspace_id, kind, ref_id, metric, total)
               SELECT workspace_id, kind, ref_id, metric, sum(amount) FROM taken GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
               ON CONFLICT (workspace_id, kind, ref_id, metric) DO UPDATE SET total = t.total + EXCLUDED.total)
           SELECT count(*) FROM taken""",
        limit,
    )
    return folded


async def totals(conn: Connection, workspace_id: int, kind: str, ref_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Every total of these things as it is now, by id and metric; what never changed is left out."""
    records = await conn.fetch(
        """SELECT ref_id, metric, sum(amount)::bigint AS total FROM (
               SELECT ref_id, metric, total AS amount FROM metric_totals
               WHERE workspace_id = $1 AND kind = $2 AND ref_id = ANY($3::int[])
               UNION ALL
               SELECT ref_id, metric, amount FROM metric_deltas
               WHERE workspace_id = $1 AND kind = $2 AND ref_id = ANY($3::int[])) parts
           GROUP BY ref_id, metric""",
        workspace_id,
        kind,
        list(ref_ids),
    )
    found: dict[int, dict[str, int]] = {}
    for record in records:
        found.setdefault(record["ref_id"], {})[record["metric"]] = record["total"]
    return found


async def sums(conn: Connection, workspace_id: int, kind: str) -> dict[str, int]:
    """The totals of everything of a kind in the workspace added up, by metric."""
    records = await conn.fetch(
        """SELECT metric, sum(amount)::bigint AS total FROM (
               SELECT metric, total AS amount FROM metric_totals WHERE workspace_id = $1 AND kind = $2
               UNION ALL
               SELECT metric, amount FROM metric_deltas WHERE workspace_id = $1 AND kind = $2) parts
           GROUP BY metric""",
        workspace_id,
        kind,
    )
    return {record["metric"]: record["total"] for record in records}


async def delivery_counts(conn: Connection, workspace_id: int) -> dict[tuple[str, str], int]:
    """How many deliveries of a sandbox there are, by channel and status; too much to ask of a large workspace.

    Holdouts are none: nothing of them has gone through a channel (ACT-19).
    """
    records = await conn.fetch(
        """SELECT channel, status, count(*) AS deliveries FROM deliveries
           WHERE workspace_id = $1 AND NOT holdout GROUP BY channel, status""",
        workspace_id,
    )
    return {(record["channel"], record["status"]): record["deliveries"] for record in records}


async def last_activity(conn: Connection, workspace_id: int) -> int:
    """The number of the latest line of the activity log, 0 where there is none."""
    number: int | None = await conn.fetchval(
        "SELECT max(activity_id) FROM activities WHERE workspace_id = $1", workspace_id
    )
    return number or 0


async def activity_counts(conn: Connection, workspace_id: int, after: int, types: Sequence[str]) -> dict[str, int]:
    """How many lines of these types the activity log has beyond the number `after`."""
    records = await conn.fetch(
        """SELECT type, count(*) AS lines FROM activities
           WHERE workspace_id = $1 AND activity_id > $2 AND type = ANY($3::text[]) GROUP BY type""",
        workspace_id,
        after,
        list(types),
    )
    return {record["type"]: record["lines"] for record in records}


__all__ = ["FOLD_CLASS", "activity_counts", "delivery_counts", "fold", "last_activity", "sums", "totals"]
