"""Definitions: documents in canonical form with the server's side of them, and who stands in a campaign's blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from domain.definitions import KINDS
from domain.definitions.secrets import masked
from domain.diff import diff
from store import entry_retries, revisions
from store.authors import author
from store.database import Connection
from store.revisions import RevisionRow

_LOCK_CLASS = 0x5044
_ENTERED = ("starting", "running")
"""The states in which people may begin a campaign."""


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """One stored definition. `version` counts for campaigns only, as do `actions`, `removed_blocks` and the starts."""

    workspace_id: int
    kind: str
    definition_id: int
    key: str
    name: str
    document: dict[str, Any]
    revision: int
    version: int
    state: str | None
    source: str | None
    created_at: datetime
    updated_at: datetime
    actions: dict[str, int] = field(default_factory=dict)
    removed_blocks: dict[str, str | None] = field(default_factory=dict)
    goal_seq: int | None = None
    first_started: datetime | None = None
    started_at: datetime | None = None
    webhook_token: str | None = None
    audience: str | None = None
    interval_since: datetime | None = None
    goal_at: datetime | None = None
    goal_changed_at: datetime | None = None
    goal_changed_seq: int | None = None
    schedule_problems: list[dict[str, Any]] | None = None


_NAMES = [column.name for column in fields(DefinitionRow)]
_COLUMNS = ", ".join(_NAMES)
_UNCHANGING = frozenset({"workspace_id", "kind", "definition_id", "key", "created_at"})


def _row(record: Mapping[str, Any]) -> DefinitionRow:
    return DefinitionRow(**{name: record[name] for name in _NAMES})


def _values(row: DefinitionRow) -> list[Any]:
    return [getattr(row, name) for name in _NAMES]


async def lock(conn: Connection, workspace_id: int) -> None:
    """Let nobody else write definitions or lifecycle states of the workspace until this transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock($1, $2)", _LOCK_CLASS, workspace_id)


async def load_all(conn: Connection, workspace_id: int) -> list[DefinitionRow]:
    """Every definition of the workspace, by kind and oldest first."""
    query = f"SELECT {_COLUMNS} FROM definitions WHERE workspace_id = $1 ORDER BY kind, definition_id"
    return [_row(record) for record in await conn.fetch(query, workspace_id)]


async def get(conn: Connection, workspace_id: int, kind: str, ref: str | int) -> DefinitionRow | None:
    """One definition by key or id, or None."""
    if isinstance(ref, int) and not 0 < ref < 2**31:
        return None
    column = "definition_id" if isinstance(ref, int) else "key"
    query = f"SELECT {_COLUMNS} FROM definitions WHERE workspace_id = $1 AND kind = $2 AND {column} = $3"
    record = await conn.fetchrow(query, workspace_id, kind, ref)
    return _row(record) if record else None


async def insert(conn: Connection, row: DefinitionRow) -> None:
    """Store a new definition, and its first revision."""
    places = ", ".join(f"${i}" for i in range(1, len(_NAMES) + 1))
    await conn.execute(f"INSERT INTO definitions ({_COLUMNS}) VALUES ({places})", *_values(row))
    await revisions.add(conn, revision_of(row, author=author(), source=row.source))


async def update(conn: Connection, row: DefinitionRow, *, source: str | None = None) -> None:
    """Replace everything of a definition but its names, its birth and what its URL received; keeps the revision.

    `source` is that of the bundle which the change is part of. A state that was written by a version without revisions is
    kept before it is replaced.
    """
    before, is_kept = await _before(conn, row)
    if before is not None and not is_kept:
        await revisions.add(conn, revision_of(before, author=None, source=before.source))
    places = {name: f"${i}" for i, name in enumerate(_NAMES, start=1)}
    changes = ", ".join(f"{name} = {place}" for name, place in places.items() if name not in _UNCHANGING)
    await conn.execute(
        f"""UPDATE definitions SET {changes}
            WHERE workspace_id = {places["workspace_id"]} AND kind = {places["kind"]}
              AND definition_id = {places["definition_id"]} AND key = {places["key"]}
              AND created_at = {places["created_at"]}""",
        *_values(row),
    )
    if before is not None and before.revision != row.revision:
        await revisions.add(conn, revision_of(row, author=author(), source=source, before=before))


async def _before(conn: Connection, row: DefinitionRow) -> tuple[DefinitionRow | None, bool]:
    """What is stored of a definition, and whether its revision is kept."""
    record = await conn.fetchrow(
        f"""SELECT {_COLUMNS}, EXISTS (SELECT 1 FROM definition_revisions r WHERE r.workspace_id = $1 AND r.kind = $2
                                         AND r.definition_id = $3 AND r.revision = definitions.revision) AS kept
            FROM definitions WHERE workspace_id = $1 AND kind = $2 AND definition_id = $3""",
        row.workspace_id,
        row.kind,
        row.definition_id,
    )
    return (None, False) if record is None else (_row(record), record["kept"])


def revision_of(
    row: DefinitionRow, *, author: str | None = None, source: str | None, before: DefinitionRow | None = None
) -> RevisionRow:
    """What is kept of a definition as it is now: no secret that only the definition itself may hold."""
    secrets = KINDS[row.kind].secrets if row.kind in KINDS else ()
    changes = None
    if before is not None:
        changes = [entry.masked(secrets).wire() for entry in diff(before.document, row.document)]
    return RevisionRow(
        row.workspace_id,
        row.kind,
        row.definition_id,
        row.revision,
        masked(row.document, secrets),
        changes,
        author,
        source,
        row.updated_at,
    )


async def set_state(conn: Connection, workspace_id: int, kind: str, definition_id: int, state: str) -> None:
    """Move a definition to another lifecycle state; the document and its revision stay.

    What waits to begin a campaign that nobody enters any more waits no longer.
    """
    await conn.execute(
        "UPDATE definitions SET state = $4 WHERE workspace_id = $1 AND kind = $2 AND definition_id = $3",
        workspace_id,
        kind,
        definition_id,
        state,
    )
    if kind == "campaign" and state not in _ENTERED:
        await entry_retries.forget_campaign(conn, workspace_id, definition_id)


async def set_started(
    conn: Connection, workspace_id: int, campaign_id: int, state: str, now: datetime, *, audience: str = "future"
) -> None:
    """Record that a campaign or broadcast starts now, in the state it takes, and whom it takes in."""
    await conn.execute(
        """UPDATE definitions SET state = $3, started_at = $4, first_started = COALESCE(first_started, $4),
               audience = $5, schedule_problems = NULL
           WHERE workspace_id = $1 AND kind IN ('campaign', 'broadcast') AND definition_id = $2""",
        workspace_id,
        campaign_id,
        state,
        now,
        audience,
    )


async def set_schedule_problems(
    conn: Connection, workspace_id: int, campaign_id: int, problems: Sequence[Mapping[str, Any]]
) -> None:
    """Note why the clock could not start a campaign."""
    await conn.execute(
        """UPDATE definitions SET schedule_problems = $3
           WHERE workspace_id = $1 AND kind = 'campaign' AND definition_id = $2""",
        workspace_id,
        campaign_id,
        list(problems),
    )


async def by_webhook(conn: Connection, token: str) -> DefinitionRow | None:
    """The campaign of whatever workspace whose URL has this token, or None."""
    record = await conn.fetchrow(f"SELECT {_COLUMNS} FROM definitions WHERE webhook_token = $1", token)
    return _row(record) if record else None


async def set_sample(conn: Connection, workspace_id: int, campaign_id: int, sample: Any) -> None:
    """Keep a payload that a draft received, in place of the one before."""
    await conn.execute(
        "UPDATE definitions SET sample = $3 WHERE workspace_id = $1 AND kind = 'campaign' AND definition_id = $2",
        workspace_id,
        campaign_id,
        sample,
    )


async def sample_of(conn: Connection, workspace_id: int, campaign_id: int) -> Any:
    """The latest payload that a campaign received as a draft, None where there is none."""
    return await conn.fetchval(
        "SELECT sample FROM definitions WHERE workspace_id = $1 AND kind = 'campaign' AND definition_id = $2",
        workspace_id,
        campaign_id,
    )


async def set_source(conn: Connection, workspace_id: int, names: Sequence[tuple[str, int]], source: str) -> None:
    """Note under which source documents were applied last; `names` are kinds with ids."""
    await conn.execute(
        """UPDATE definitions d SET source = $4
           FROM unnest($2::text[], $3::int[]) AS n (kind, id)
           WHERE d.workspace_id = $1 AND d.kind = n.kind AND d.definition_id = n.id AND d.source IS DISTINCT FROM $4""",
        workspace_id,
        [kind for kind, _ in names],
        [number for _, number in names],
        source,
    )


async def delete(conn: Connection, workspace_id: int, kind: str, definition_id: int) -> None:
    """Remove a definition and its revisions for good; its id is never given out again."""
    await revisions.forget(conn, workspace_id, kind, definition_id)
    if kind == "campaign":
        await entry_retries.forget_campaign(conn, workspace_id, definition_id)
    await conn.execute(
        "DELETE FROM definitions WHERE workspace_id = $1 AND kind = $2 AND definition_id = $3",
        workspace_id,
        kind,
        definition_id,
    )


async def page(
    conn: Connection,
    workspace_id: int,
    kind: str,
    *,
    before: int | None,
    limit: int,
    state: str | None = None,
    tag: str | None = None,
    trigger: str | None = None,
) -> list[DefinitionRow]:
    """Up to `limit` definitions of a kind, newest first, below the id `before`."""
    return [
        _row(record)
        for record in await conn.fetch(
            f"""SELECT {_COLUMNS} FROM definitions
                WHERE workspace_id = $1 AND kind = $2
                  AND ($3::int IS NULL OR definition_id < $3)
                  AND ($5::text IS NULL OR state = $5)
                  AND ($6::text IS NULL OR document -> 'tags' ? $6)
                  AND ($7::text IS NULL OR document -> 'trigger' ->> 'type' = $7)
                ORDER BY definition_id DESC LIMIT $4""",
            workspace_id,
            kind,
            before,
            limit,
            state,
            tag,
            trigger,
        )
    ]


async def active_journeys(conn: Connection, workspace_id: int, campaigns: Sequence[int]) -> dict[int, int]:
    """How many journeys are under way, by campaign id; campaigns without any are left out."""
    records = await conn.fetch(
        """SELECT campaign_id, count(*) AS journeys FROM journeys
           WHERE workspace_id = $1 AND campaign_id = ANY($2::int[]) AND state = 'in_progress' GROUP BY campaign_id""",
        workspace_id,
        list(campaigns),
    )
    return {record["campaign_id"]: record["journeys"] for record in records}


async def standing_at(conn: Connection, workspace_id: int, campaign_id: int, blocks: Sequence[str]) -> int:
    """How many journeys of a campaign stand in one of the blocks."""
    count: int = await conn.fetchval(
        """SELECT count(*) FROM journeys
           WHERE workspace_id = $1 AND campaign_id = $2 AND block = ANY($3::text[]) AND state = 'in_progress'""",
        workspace_id,
        campaign_id,
        list(blocks),
    )
    return count


async def rename_block(conn: Connection, workspace_id: int, campaign_id: int, old: str, new: str) -> int:
    """Take the people of a renamed block along; returns how many.

    A journey that another transaction holds is left out, because waiting for it here could wait for ever: it finds its
    way by the recorded successor.
    """
    moved: str = await conn.execute(
        """UPDATE journeys SET block = $4
           WHERE workspace_id = $1 AND journey_id IN (
               SELECT journey_id FROM journeys
               WHERE workspace_id = $1 AND campaign_id = $2 AND block = $3 AND state = 'in_progress'
               FOR UPDATE SKIP LOCKED)""",
        workspace_id,
        campaign_id,
        old,
        new,
    )
    return int(moved.rsplit(" ", 1)[1])


__all__ = [
    "DefinitionRow",
    "active_journeys",
    "by_webhook",
    "delete",
    "get",
    "insert",
    "load_all",
    "lock",
    "page",
    "rename_block",
    "revision_of",
    "sample_of",
    "set_sample",
    "set_schedule_problems",
    "set_source",
    "set_started",
    "set_state",
    "standing_at",
    "update",
]
