"""Workspaces, their clocks, their counters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.database import Connection

RESTORED = "restored"
"""The counter that says from where on counters begin which a restore of the database has forgotten (0059)."""


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """What nearly every transaction needs to know of its workspace."""

    workspace_id: int
    name: str
    sandbox: bool
    clock_now: datetime | None
    delivery_key: bytes
    definitions_rev: int

    def now(self, real_now: datetime) -> datetime:
        """The workspace's present instant: its own clock in a sandbox, real time elsewhere."""
        return self.clock_now if self.clock_now is not None else real_now


_COLUMNS = "workspace_id, name, sandbox, clock_now, delivery_key, definitions_rev"


async def get(conn: Connection, workspace_id: int) -> WorkspaceRow | None:
    """One workspace, or None."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM workspaces WHERE workspace_id = $1", workspace_id)
    return WorkspaceRow(**row) if row else None


async def all_workspaces(conn: Connection) -> list[WorkspaceRow]:
    """Every workspace, oldest first."""
    return [WorkspaceRow(**r) for r in await conn.fetch(f"SELECT {_COLUMNS} FROM workspaces ORDER BY workspace_id")]


async def next_id(conn: Connection, workspace_id: int, kind: str, first: int = 1) -> int:
    """The next integer of a per-workspace, per-kind counter; waits for a concurrent taker of the same counter."""
    value: int = await conn.fetchval(
        """INSERT INTO counters (workspace_id, kind, value)
           VALUES ($1, $2, $3::bigint + COALESCE((SELECT value FROM counters WHERE workspace_id = $1 AND kind = $4), 0))
           ON CONFLICT (workspace_id, kind) DO UPDATE SET value = counters.value + 1 RETURNING value""",
        workspace_id,
        kind,
        first,
        RESTORED,
    )
    return value


async def last_id(conn: Connection, workspace_id: int, kind: str) -> int:
    """The integer that `next_id` gave last, or the one before its first."""
    query = "SELECT value FROM counters WHERE workspace_id = $1 AND kind = ANY($2) ORDER BY kind = $3 LIMIT 1"
    value: int | None = await conn.fetchval(query, workspace_id, [kind, RESTORED], RESTORED)
    return value or 0


async def move_counters(conn: Connection, stride: int) -> None:
    """Let all counters of all workspaces go on further up, those too that have counted nothing yet."""
    await conn.execute(
        "INSERT INTO counters (workspace_id, kind, value) SELECT workspace_id, $1, 0 FROM workspaces ON CONFLICT DO NOTHING",
        RESTORED,
    )
    await conn.execute("UPDATE counters SET value = value + $1", stride)


async def bump_definitions(conn: Connection, workspace_id: int) -> int:
    """Tell every cache in every process that a definition, a state or a credential changed; returns the new number."""
    value: int = await conn.fetchval(
        "UPDATE workspaces SET definitions_rev = definitions_rev + 1 WHERE workspace_id = $1 RETURNING definitions_rev",
        workspace_id,
    )
    return value


async def create(
    conn: Connection, *, name: str, sandbox: bool, clock_now: datetime | None, delivery_key: bytes, now: datetime
) -> int:
    """Insert a workspace and return its id."""
    value: int = await conn.fetchval(
        """INSERT INTO workspaces (name, colour, sandbox, clock_now, delivery_key, definitions_rev, created_at)
           VALUES ($1, '', $2, $3, $4, 1, $5) RETURNING workspace_id""",
        name,
        sandbox,
        clock_now,
        delivery_key,
        now,
    )
    return value


async def set_clock(conn: Connection, workspace_id: int, now: datetime) -> None:
    """Move a sandbox's clock."""
    await conn.execute("UPDATE workspaces SET clock_now = $2 WHERE workspace_id = $1", workspace_id, now)


@dataclass(frozen=True, slots=True)
class WorkspaceDetails:
    """What is shown of a workspace to those who run it."""

    workspace_id: int
    name: str
    colour: str
    sandbox: bool
    created_at: datetime


_DETAILS = "workspace_id, name, colour, sandbox, created_at"


async def details(conn: Connection, workspace_id: int) -> WorkspaceDetails | None:
    """One workspace as it is shown, or None."""
    row = await conn.fetchrow(f"SELECT {_DETAILS} FROM workspaces WHERE workspace_id = $1", workspace_id)
    return WorkspaceDetails(**row) if row else None


async def all_details(conn: Connection) -> list[WorkspaceDetails]:
    """Every workspace as it is shown, oldest first."""
    return [WorkspaceDetails(**r) for r in await conn.fetch(f"SELECT {_DETAILS} FROM workspaces ORDER BY workspace_id")]


async def change(
    conn: Connection, workspace_id: int, *, name: str | None, colour: str | None
) -> WorkspaceDetails | None:
    """Rename or recolour a workspace, None leaves as it is; None where there is no such workspace."""
    row = await conn.fetchrow(
        f"""UPDATE workspaces SET name = COALESCE($2, name), colour = COALESCE($3, colour)
            WHERE workspace_id = $1 RETURNING {_DETAILS}""",
        workspace_id,
        name,
        colour,
    )
    return WorkspaceDetails(**row) if row else None


async def lock(conn: Connection, workspace_id: int) -> None:
    """Let nobody else change the workspace's row until this transaction ends."""
    await conn.execute("SELECT 1 FROM workspaces WHERE workspace_id = $1 FOR UPDATE", workspace_id)


async def allowed_ips(conn: Connection, workspace_id: int) -> list[str] | None:
    """The addresses and networks from which calls are taken, empty for all; None where there is no such workspace."""
    found: list[str] | None = await conn.fetchval(
        "SELECT allowed_ips FROM workspaces WHERE workspace_id = $1", workspace_id
    )
    return found


async def set_allowed_ips(conn: Connection, workspace_id: int, listed: list[str]) -> list[str] | None:
    """Replace them; None where there is no such workspace."""
    kept: list[str] | None = await conn.fetchval(
        "UPDATE workspaces SET allowed_ips = $2 WHERE workspace_id = $1 RETURNING allowed_ips", workspace_id, listed
    )
    return kept
