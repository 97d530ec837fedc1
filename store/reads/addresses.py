"""People by their addresses: a range of names where addresses are names, page by page where they are attributes (PPL-44)."""

from __future__ import annotations

from typing import NamedTuple

from store.database import Connection


class Addressed(NamedTuple):
    """Somebody with an address; `key` is the address in the form in which addresses are compared."""

    key: str
    person_id: int
    id: str | None
    email: str


async def between(
    conn: Connection, workspace_id: int, first: str, end: str, *, after: str, limit: int
) -> list[Addressed]:
    """The next people whose names that are addresses lie from `first` to before `end`, by address."""
    records = await conn.fetch(
        """SELECT i.value_key, p.person_id, p.id, p.email FROM identities i JOIN people p USING (workspace_id, person_id)
           WHERE i.workspace_id = $1 AND i.kind = 'email' AND i.value_key >= $2 AND i.value_key < $3 AND i.value_key > $4
           ORDER BY i.value_key LIMIT $5""",
        workspace_id,
        first,
        end,
        after,
        limit,
    )
    return [Addressed(*record) for record in records]


async def ending(
    conn: Connection, workspace_id: int, suffix: str, *, after: str, limit: int
) -> tuple[list[Addressed], str | None]:
    """Those with this ending among the next so many addresses, and the last that was looked at (None: there were fewer)."""
    records = await conn.fetch(
        """WITH looked AS MATERIALIZED (
               SELECT value_key, person_id FROM identities
               WHERE workspace_id = $1 AND kind = 'email' AND value_key > $3 ORDER BY value_key LIMIT $4)
           SELECT l.value_key, p.person_id, p.id, p.email FROM looked l
           JOIN people p ON p.workspace_id = $1 AND p.person_id = l.person_id
           WHERE right(l.value_key, length($2::text)) = $2
           UNION ALL SELECT max(value_key), count(*), NULL, NULL FROM looked""",
        workspace_id,
        suffix,
        after,
        limit,
    )
    (end,) = (record for record in records if record["email"] is None)
    found = sorted(Addressed(*record) for record in records if record["email"] is not None)
    return found, end["value_key"] if end["person_id"] == limit else None


async def kept(conn: Connection, workspace_id: int, *, after: int, limit: int) -> tuple[list[Addressed], int | None]:
    """Those who have an address as an attribute among the next people by internal number, and the last of all (None: the end)."""
    records = await conn.fetch(
        """SELECT person_id, id, attributes ->> 'email' AS email FROM people
           WHERE workspace_id = $1 AND person_id > $2 ORDER BY person_id LIMIT $3""",
        workspace_id,
        after,
        limit,
    )
    found = [
        Addressed(email.strip().casefold(), person_id, name, email)
        for person_id, name, email in records
        if email is not None
    ]
    return found, records[-1]["person_id"] if len(records) == limit else None


__all__ = ["Addressed", "between", "ending", "kept"]
