"""Addresses that nothing is sent to (SUB-16). Each workspace has a list of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.suppressed import address_key
from store.database import Connection


@dataclass(frozen=True, slots=True)
class SuppressedRow:
    """One entry: an address in a category, for one sending domain or for all."""

    email: str
    category: str
    domain: str
    reason: str
    status: str
    created_at: datetime
    delivery_id: str | None = None


_COLUMNS = "email, category, domain, reason, status, created_at, delivery_id"


async def matching(
    conn: Connection, workspace_id: int, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], SuppressedRow]:
    """The entries that keep mail from reaching these addresses, each given with its sending domain; the oldest of each."""
    if not pairs:
        return {}
    records = await conn.fetch(
        f"""SELECT p.place, {", ".join(f"s.{name}" for name in _COLUMNS.split(", "))}
            FROM unnest($2::text[], $3::text[]) WITH ORDINALITY p (email_key, domain, place)
            JOIN suppressed_addresses s
              ON s.workspace_id = $1 AND s.email_key = p.email_key AND s.domain IN ('', p.domain)
            ORDER BY s.created_at DESC, s.category DESC""",
        workspace_id,
        [address_key(email) for email, _ in pairs],
        [domain.lower() for _, domain in pairs],
    )
    return {pairs[record["place"] - 1]: _row(record) for record in records}


async def add(conn: Connection, workspace_id: int, rows: Sequence[SuppressedRow]) -> None:
    """Put addresses on the list; what is there already stays as it was."""
    if not rows:
        return
    await conn.executemany(
        """INSERT INTO suppressed_addresses
             (workspace_id, email_key, email, category, domain, reason, status, created_at, delivery_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING""",
        [
            (
                workspace_id,
                address_key(row.email),
                row.email,
                row.category,
                row.domain.lower(),
                row.reason,
                row.status,
                row.created_at,
                row.delivery_id,
            )
            for row in rows
        ],
    )


async def remove(conn: Connection, workspace_id: int, category: str, email: str) -> int:
    """Take an address off a list, for every domain; returns how many entries there were."""
    gone = await conn.fetch(
        """DELETE FROM suppressed_addresses WHERE workspace_id = $1 AND email_key = $2 AND category = $3
           RETURNING domain""",
        workspace_id,
        address_key(email),
        category,
    )
    return len(gone)


async def of_address(conn: Connection, workspace_id: int, email: str) -> list[SuppressedRow]:
    """Every entry of an address."""
    records = await conn.fetch(
        f"SELECT {_COLUMNS} FROM suppressed_addresses WHERE workspace_id = $1 AND email_key = $2 ORDER BY category, domain",
        workspace_id,
        address_key(email),
    )
    return [_row(record) for record in records]


async def page(
    conn: Connection,
    workspace_id: int,
    category: str,
    *,
    limit: int,
    offset: int = 0,
    domain: str | None = None,
    email: str | None = None,
) -> list[SuppressedRow]:
    """Entries of a category, newest first; of one domain those for all domains too."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM suppressed_addresses
            WHERE workspace_id = $1 AND category = $2 AND ($3::text IS NULL OR domain IN ('', $3))
              AND ($4::text IS NULL OR email_key = $4)
            ORDER BY created_at DESC, email_key, domain LIMIT $5 OFFSET $6""",
        workspace_id,
        category,
        domain,
        None if email is None else address_key(email),
        limit,
        offset,
    )
    return [_row(record) for record in records]


def _row(record: object) -> SuppressedRow:
    return SuppressedRow(**{name: record[name] for name in _COLUMNS.split(", ")})  # type: ignore[index]


__all__ = ["SuppressedRow", "add", "matching", "of_address", "page", "remove"]
