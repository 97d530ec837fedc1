"""Memberships of one segment or trigger, written off in pages: a walk over everybody, since rows are found by person."""

from __future__ import annotations

from typing import NamedTuple

from store.database import Connection
from store.metrics import FOLD_CLASS


class Walked(NamedTuple):
    """The last person of a page, and how many people it had."""

    last: int
    people: int


_PAGE = """page AS MATERIALIZED (
                SELECT person_id FROM people WHERE workspace_id = $1 AND person_id > $4 ORDER BY person_id LIMIT $5)"""
_OF_PAGE = "m.workspace_id = $1 AND m.person_id = page.person_id AND m.kind = $2 AND m.ref_id = $3"


async def purge(conn: Connection, workspace_id: int, kind: str, ref_id: int, *, after: int, limit: int) -> Walked:
    """Delete the memberships that the next people have of something that is gone."""
    return await _walk(
        conn,
        f"""WITH {_PAGE}, gone AS (DELETE FROM memberships m USING page WHERE {_OF_PAGE})
            SELECT COALESCE(max(person_id), $4) AS last, count(*) AS people FROM page""",
        workspace_id,
        kind,
        ref_id,
        after,
        limit,
    )


async def freeze(conn: Connection, workspace_id: int, kind: str, ref_id: int, *, after: int, limit: int) -> Walked:
    """Let the clock ask no more about the memberships of the next people; who is a member stays one."""
    return await _walk(
        conn,
        f"""WITH {_PAGE}, gone AS (DELETE FROM memberships m USING page WHERE {_OF_PAGE} AND NOT m.member),
            frozen AS (UPDATE memberships m SET flips_at = NULL FROM page
                       WHERE {_OF_PAGE} AND m.member AND m.flips_at IS NOT NULL)
            SELECT COALESCE(max(person_id), $4) AS last, count(*) AS people FROM page""",
        workspace_id,
        kind,
        ref_id,
        after,
        limit,
    )


async def forget_totals(conn: Connection, workspace_id: int, kind: str, ref_id: int) -> None:
    """Remove the totals of something that is gone, while nobody folds any."""
    await conn.execute("SELECT pg_advisory_xact_lock($1, 0)", FOLD_CLASS)
    for table in ("metric_deltas", "metric_totals"):
        query = f"DELETE FROM {table} WHERE workspace_id = $1 AND kind = $2 AND ref_id = $3"
        await conn.execute(query, workspace_id, kind, ref_id)


async def _walk(conn: Connection, query: str, *arguments: int | str) -> Walked:
    record = await conn.fetchrow(query, *arguments)
    return Walked(record["last"], record["people"])


__all__ = ["Walked", "forget_totals", "freeze", "purge"]
