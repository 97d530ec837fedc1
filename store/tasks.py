"""Long work as rows: who runs a task holds its row for a page, so that a killed run rolls back and another goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from store.database import Connection
from telemetry.figures import TASK_SECONDS, TASKS_ENDED

OPEN = ("queued", "running")


@dataclass(slots=True)
class TaskRow:
    """One task; `cursor` is the last person looked at, `done` counts those looked at of `total` (None: not known).

    `workflow` is the Temporal workflow that carries it, once it is there; None for work without one.
    """

    workspace_id: int
    task_id: str
    type: str
    state: str
    priority: str
    payload: dict[str, Any]
    created_at: datetime
    cursor: int = 0
    done: int = 0
    total: int | None = None
    error: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    workflow: str | None = None


_NAMES = [column.name for column in fields(TaskRow)]
_COLUMNS = ", ".join(_NAMES)


def _row(record: Mapping[str, Any]) -> TaskRow:
    return TaskRow(**{name: record[name] for name in _NAMES})


async def insert(conn: Connection, row: TaskRow) -> None:
    """Store a new task."""
    places = ", ".join(f"${i}" for i in range(1, len(_NAMES) + 1))
    await conn.execute(f"INSERT INTO tasks ({_COLUMNS}) VALUES ({places})", *[getattr(row, n) for n in _NAMES])


async def get(conn: Connection, workspace_id: int, task_id: str) -> TaskRow | None:
    """One task, or None."""
    query = f"SELECT {_COLUMNS} FROM tasks WHERE workspace_id = $1 AND task_id = $2"
    record = await conn.fetchrow(query, workspace_id, task_id)
    return _row(record) if record else None


async def page(
    conn: Connection, workspace_id: int, *, state: str | None, before: str | None, limit: int
) -> list[TaskRow]:
    """Up to `limit` tasks, newest first, older than the task `before`."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM tasks
            WHERE workspace_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR task_id < $3)
            ORDER BY task_id DESC LIMIT $4""",
        workspace_id,
        state,
        before,
        limit,
    )
    return [_row(record) for record in records]


async def hold(conn: Connection, workspace_id: int, task_id: str) -> TaskRow | None:
    """One task, locked to the end of the transaction; waits for whoever holds it."""
    query = f"SELECT {_COLUMNS} FROM tasks WHERE workspace_id = $1 AND task_id = $2 FOR UPDATE"
    record = await conn.fetchrow(query, workspace_id, task_id)
    return _row(record) if record else None


async def unstarted(conn: Connection, types: Sequence[str], limit: int) -> list[TaskRow]:
    """Open tasks of these types that no workflow carries yet, oldest first."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM tasks
            WHERE state IN ('queued', 'running') AND workflow IS NULL AND type = ANY($1::text[])
            ORDER BY created_at, workspace_id, task_id LIMIT $2""",
        list(types),
        limit,
    )
    return [_row(record) for record in records]


async def carried(
    conn: Connection, after: tuple[int, str], limit: int, workspace_id: int | None = None
) -> list[TaskRow]:
    """A page of open tasks with a workflow, of one workspace or all; `after` is the last seen."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM tasks
            WHERE state IN ('queued', 'running') AND workflow IS NOT NULL AND (workspace_id, task_id) > ($1, $2)
              AND ($4::int IS NULL OR workspace_id = $4)
            ORDER BY workspace_id, task_id LIMIT $3""",
        *after,
        limit,
        workspace_id,
    )
    return [_row(record) for record in records]


async def note_workflow(conn: Connection, workspace_id: int, task_id: str, workflow: str) -> None:
    """The task has a workflow that carries it."""
    await conn.execute(
        "UPDATE tasks SET workflow = $3 WHERE workspace_id = $1 AND task_id = $2", workspace_id, task_id, workflow
    )


async def claim(conn: Connection, after: tuple[int, str], without: Sequence[str] = ()) -> TaskRow | None:
    """Lock, to the end of the transaction, the next task that nobody runs; `after` is the one that had its turn last.

    Types in `without` are somebody else's work.
    """
    record = await conn.fetchrow(
        f"""SELECT {_COLUMNS} FROM tasks WHERE state IN ('queued', 'running') AND type <> ALL($3::text[])
            ORDER BY CASE priority WHEN 'high' THEN 0 WHEN 'low' THEN 2 ELSE 1 END,
                     (workspace_id, task_id) <= ($1::int, $2::text), workspace_id, task_id
            LIMIT 1 FOR UPDATE SKIP LOCKED""",
        *after,
        list(without),
    )
    return _row(record) if record else None


async def save(conn: Connection, row: TaskRow) -> None:
    """Write back where a task stands; the caller holds its row."""
    await conn.execute(
        """UPDATE tasks SET state = $3, payload = $4, cursor = $5, done = $6, total = $7, error = $8, started_at = $9,
                  ended_at = $10
           WHERE workspace_id = $1 AND task_id = $2""",
        row.workspace_id,
        row.task_id,
        row.state,
        row.payload,
        row.cursor,
        row.done,
        row.total,
        row.error,
        row.started_at,
        row.ended_at,
    )
    if row.ended_at is not None:
        TASKS_ENDED.labels(row.type, row.state).inc()
        TASK_SECONDS.labels(row.type).observe((row.ended_at - row.created_at).total_seconds())


async def is_superseded(conn: Connection, row: TaskRow, key: str) -> bool:
    """Whether a later task of the same type is about the same thing, which stands in the payload under `key`."""
    found: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT 1 FROM tasks WHERE workspace_id = $1 AND task_id > $2 AND type = $3
               AND payload -> $4::text = (SELECT payload -> $4::text FROM tasks WHERE workspace_id = $1 AND task_id = $2))""",
        row.workspace_id,
        row.task_id,
        row.type,
        key,
    )
    return found


async def is_open(conn: Connection, workspace_id: int, kind: str, about: Mapping[str, Any]) -> bool:
    """Whether a task of a type is under way whose payload says all of this."""
    found: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT 1 FROM tasks WHERE workspace_id = $1 AND type = $2
               AND state IN ('queued', 'running') AND payload @> $3)""",
        workspace_id,
        kind,
        dict(about),
    )
    return found


async def own_number(conn: Connection) -> int:
    """This transaction's number; whatever began to write before has a lower one."""
    value: str = await conn.fetchval("SELECT pg_current_xact_id()::text")
    return int(value)


async def oldest_running(conn: Connection) -> int:
    """The lowest number of a transaction still under way, this one's included."""
    value: str = await conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    return int(value)


async def oldest_writer(conn: Connection) -> str:
    """Which other connection to the server, of whatever database, has been writing in a transaction for longest, in words."""
    record = await conn.fetchrow(
        """SELECT pid, datname, state FROM pg_stat_activity
           WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY age(backend_xid) DESC LIMIT 1"""
    )
    if record is None:
        return "one that is prepared, or whose owner this user may not see"
    return f"process {record['pid']} of PostgreSQL, database {record['datname']}, {record['state']}"


async def count_people(conn: Connection, workspace_id: int) -> int:
    """How many people a page-wise walk over the workspace will meet."""
    count: int = await conn.fetchval("SELECT count(*) FROM people WHERE workspace_id = $1", workspace_id)
    return count


async def count_once(conn: Connection, row: TaskRow) -> None:
    """Note for a task that walks over everybody how many there are, where that is not known yet."""
    if row.total is None:
        row.total = await count_people(conn, row.workspace_id)


async def people_inside(
    conn: Connection,
    workspace_id: int,
    campaign_id: int,
    *,
    after: int,
    limit: int,
    blocks: list[str] | None = None,
    up_to: int | None = None,
) -> list[int]:
    """The next people, by internal number, with a journey of the campaign under way.

    With `blocks` one standing there, with `up_to` one that a fact up to this one began.
    """
    records = await conn.fetch(
        """SELECT DISTINCT person_id FROM journeys
           WHERE workspace_id = $1 AND campaign_id = $2 AND state = 'in_progress' AND person_id > $3
             AND ($5::text[] IS NULL OR block = ANY($5::text[])) AND ($6::bigint IS NULL OR started_seq <= $6)
           ORDER BY person_id LIMIT $4""",
        workspace_id,
        campaign_id,
        after,
        limit,
        blocks,
        up_to,
    )
    return [record["person_id"] for record in records]


async def journeys_inside(
    conn: Connection, workspace_id: int, campaign_id: int, person_ids: list[int], up_to: int | None
) -> list[str]:
    """The journeys of the campaign under way of these people, whose locks the caller holds; `up_to` as of `people_inside`."""
    records = await conn.fetch(
        """SELECT journey_id FROM journeys
           WHERE workspace_id = $1 AND campaign_id = $2 AND state = 'in_progress' AND person_id = ANY($3::bigint[])
             AND ($4::bigint IS NULL OR started_seq <= $4)
           ORDER BY journey_id""",
        workspace_id,
        campaign_id,
        person_ids,
        up_to,
    )
    return [record["journey_id"] for record in records]


__all__ = [
    "OPEN",
    "TaskRow",
    "carried",
    "claim",
    "count_once",
    "count_people",
    "get",
    "hold",
    "insert",
    "is_open",
    "is_superseded",
    "journeys_inside",
    "note_workflow",
    "oldest_running",
    "oldest_writer",
    "own_number",
    "page",
    "people_inside",
    "save",
    "unstarted",
]
