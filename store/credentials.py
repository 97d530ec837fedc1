"""Keys of callers: Track pairs, App and Pipelines keys, service-account tokens; secrets as SHA-256 only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from store.database import Connection


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """One key of a workspace; `scopes` None grants all, `settings` are those of a source of data."""

    workspace_id: int
    credential_id: int
    kind: str
    name: str
    site_id: str | None
    secret_hash: bytes
    scopes: list[str] | None
    created_at: datetime
    last_used_at: datetime | None
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """A key as it stood when a call asked for it, and what its workspace said then about callers."""

    credential: CredentialRow
    definitions_rev: int
    sandbox: bool
    allowed_ips: list[str]
    clock_now: datetime | None


_NAMES = [column.name for column in fields(CredentialRow)]
_COLUMNS = ", ".join(_NAMES)
_JOINED = (
    f"SELECT {', '.join(f'c.{name}' for name in _NAMES)}, w.definitions_rev, w.sandbox, w.allowed_ips, w.clock_now"
    " FROM credentials c JOIN workspaces w ON w.workspace_id = c.workspace_id"
)


async def find(conn: Connection, *, sites: Sequence[str], hashes: Sequence[bytes]) -> list[KnownCaller]:
    """The Track pairs with these site ids, the App and Pipelines keys with these hashes, as far as there are any."""
    query = (
        f"{_JOINED} WHERE c.site_id = ANY($1::text[])"
        f" UNION ALL {_JOINED} WHERE c.kind IN ('app', 'pipelines') AND c.secret_hash = ANY($2::bytea[])"
    )
    rows = [tuple(record) for record in await conn.fetch(query, sites, hashes)]
    return [KnownCaller(CredentialRow(*row[: len(_NAMES)]), *row[len(_NAMES) :]) for row in rows]


async def of_workspace(conn: Connection, workspace_id: int) -> list[CredentialRow]:
    """The keys of a workspace, oldest first."""
    query = f"SELECT {_COLUMNS} FROM credentials WHERE workspace_id = $1 ORDER BY credential_id"
    return [CredentialRow(**record) for record in await conn.fetch(query, workspace_id)]


async def get(conn: Connection, workspace_id: int, credential_id: int) -> CredentialRow | None:
    """One key, or None."""
    query = f"SELECT {_COLUMNS} FROM credentials WHERE workspace_id = $1 AND credential_id = $2"
    record = await conn.fetchrow(query, workspace_id, credential_id)
    return CredentialRow(**record) if record else None


async def insert(conn: Connection, row: CredentialRow) -> None:
    """Store a new key."""
    places = ", ".join(f"${i}" for i in range(1, len(_NAMES) + 1))
    query = f"INSERT INTO credentials ({_COLUMNS}) VALUES ({places})"
    await conn.execute(query, *(getattr(row, name) for name in _NAMES))


async def change(
    conn: Connection, workspace_id: int, credential_id: int, *, name: str | None, settings: dict[str, Any]
) -> CredentialRow | None:
    """Give a key another name (None leaves it) and change these settings; None where there is no such key."""
    query = f"""UPDATE credentials SET name = COALESCE($3, name), settings = settings || $4
                WHERE workspace_id = $1 AND credential_id = $2 RETURNING {_COLUMNS}"""
    record = await conn.fetchrow(query, workspace_id, credential_id, name, settings)
    return CredentialRow(**record) if record else None


async def delete(conn: Connection, workspace_id: int, credential_id: int) -> None:
    """Forget a key: the next call with it is refused."""
    query = "DELETE FROM credentials WHERE workspace_id = $1 AND credential_id = $2"
    await conn.execute(query, workspace_id, credential_id)


async def touch(conn: Connection, keys: Sequence[tuple[int, int]], now: datetime) -> None:
    """Note that these (workspace, credential) pairs were used."""
    await conn.execute(
        """UPDATE credentials c SET last_used_at = $3
           FROM unnest($1::int[], $2::int[]) AS used (workspace_id, credential_id)
           WHERE c.workspace_id = used.workspace_id AND c.credential_id = used.credential_id""",
        [workspace_id for workspace_id, _ in keys],
        [credential_id for _, credential_id in keys],
        now,
    )


async def find_tokens(conn: Connection, hashes: Sequence[bytes]) -> list[tuple[bytes, str]]:
    """The service-account tokens with these hashes, each with its name."""
    query = "SELECT token_hash, name FROM service_tokens WHERE token_hash = ANY($1::bytea[])"
    return [(record["token_hash"], record["name"]) for record in await conn.fetch(query, hashes)]


async def put_token(conn: Connection, token_hash: bytes, name: str, now: datetime) -> None:
    """Store a service-account token unless it is there already."""
    query = "INSERT INTO service_tokens (token_hash, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    await conn.execute(query, token_hash, name, now)
