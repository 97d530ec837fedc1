"""What makes a database that was put back to an older point, or moved to another server, fit to go on."""

from __future__ import annotations

from store import workspaces
from store.database import Connection

LONG_STRIDE = 1_000_000_000
"""How far numbers of facts and people are moved on: further than any time that was lost can have counted."""
SHORT_STRIDE = 1_000
"""The same for numbers of 32 bits, which only few things have: workspaces."""
COUNTER_STRIDE = 100_000
"""The same for what each workspace counts by itself: definitions, triggers, files."""
_WIDE = 2**31 - 1


async def move_numbers(conn: Connection) -> None:
    """Let no number be given out again that was given out after the point: messages, links and workflows may name it."""
    records = await conn.fetch(
        """SELECT format('%I.%I', schemaname, sequencename) AS name, max_value FROM pg_sequences
           WHERE schemaname = ANY (current_schemas(false))"""
    )
    for record in records:
        stride = LONG_STRIDE if record["max_value"] > _WIDE else SHORT_STRIDE
        await conn.execute(
            "SELECT setval($1::text::regclass, nextval($1::text::regclass) + $2::bigint)", record["name"], stride
        )
    await workspaces.move_counters(conn, COUNTER_STRIDE)


async def renumber_facts(conn: Connection) -> int:
    """Give facts that wait a transaction number of this server; returns how many there are."""
    done: str = await conn.execute("UPDATE ingest_log SET xid = pg_current_xact_id() WHERE applied_at IS NULL")
    return int(done.rsplit(" ", 1)[1])


async def begin_tasks_anew(conn: Connection, types: list[str]) -> int:
    """Let open tasks forget for which transactions they waited, and those of these types their workflows; returns how many."""
    done: str = await conn.execute(
        """UPDATE tasks SET payload = payload - 'barrier', workflow = CASE WHEN type = ANY($1) THEN NULL ELSE workflow END
           WHERE state IN ('queued', 'running')""",
        types,
    )
    return int(done.rsplit(" ", 1)[1])


async def ask_journeys(
    conn: Connection, after: tuple[int, int, str], limit: int
) -> tuple[tuple[int, int, str] | None, int]:
    """Have a page of the journeys under way planned again, those too whose wake was on its way; those after `after`.

    Returns the last one looked at, None where there was none, and how many there were. A journey whose start or wake
    still stands in the outbox is asked already.
    """
    records = await conn.fetch(
        """WITH page AS (
               SELECT workspace_id, person_id, journey_id, workflow_id, campaign_id FROM journeys
               WHERE state = 'in_progress' AND (workspace_id, person_id, journey_id) > ($1, $2, $3)
               ORDER BY workspace_id, person_id, journey_id LIMIT $4),
           asked AS (
               INSERT INTO outbox (workspace_id, lane, kind, journey_id, workflow_id, campaign_id, person_id, why)
               SELECT workspace_id, 'bulk', 'wake', journey_id, workflow_id, campaign_id, person_id, 'restored'
               FROM page p WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.workspace_id = p.workspace_id
                                               AND o.workflow_id = p.workflow_id)
               RETURNING workspace_id, journey_id),
           wanted AS (
               UPDATE journeys j SET wanted = GREATEST(j.wanted, j.seen + 1) FROM asked a
               WHERE j.workspace_id = a.workspace_id AND j.journey_id = a.journey_id)
           SELECT workspace_id, person_id, journey_id FROM page ORDER BY 1, 2, 3""",
        *after,
        limit,
    )
    return (tuple(records[-1]) if records else None), len(records)


async def forget_workers(conn: Connection) -> None:
    """Forget the workers of the life before."""
    await conn.execute("DELETE FROM workers")


__all__ = ["ask_journeys", "begin_tasks_anew", "forget_workers", "move_numbers", "renumber_facts"]
