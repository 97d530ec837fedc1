"""Names of attributes and events for the data index, recorded as deltas and folded into totals by the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from store.database import Connection

Delta = tuple[tuple[str, str, str, str], int, int]
MOST_NAMES: Final = 10_000
"""How many names a workspace keeps of one kind; what comes beyond is counted together, under the empty name."""
BEYOND: Final = ""
EVENTS: Final = ("event", "page", "screen")
_FOLD_CLASS = 0x444E
_SIGHTING = "(value_type <> '' OR source = '' OR kind IN ('event', 'page', 'screen'))"
"""A value of no type takes an attribute away: nobody has seen one."""


async def insert_deltas(conn: Connection, workspace_id: int, rows: Sequence[Delta], at: datetime) -> None:
    """Record names as (kind, name, type, source), how often they were seen, and how many more people hold them."""
    if rows:
        await conn.execute(
            """INSERT INTO data_name_deltas (workspace_id, kind, name, value_type, source, seen, holders, at)
               SELECT $1, u.*, $8 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[]) u""",
            workspace_id,
            [key[0] for key, _, _ in rows],
            [key[1] for key, _, _ in rows],
            [key[2] for key, _, _ in rows],
            [key[3] for key, _, _ in rows],
            [seen for _, seen, _ in rows],
            [holders for _, _, holders in rows],
            at,
        )


async def fold(conn: Connection, limit: int = 20_000, most: int = MOST_NAMES) -> int:
    """Add up to `limit` deltas to the names; returns how many. Only one process folds at a time.

    A kind that has `most` names takes no new ones. Of a name that is not there, nobody is known to have held it. Like
    totals, this need not wait for the disk.
    """
    if not await conn.fetchval("SELECT pg_try_advisory_xact_lock($1, 0)", _FOLD_CLASS):
        return 0
    await conn.execute("SET LOCAL synchronous_commit = off")
    record = await conn.fetchrow(
        f"""WITH taken AS (
                DELETE FROM data_name_deltas WHERE delta_id IN (
                    SELECT delta_id FROM data_name_deltas ORDER BY delta_id LIMIT $1)
                RETURNING workspace_id, kind, name, value_type, source, seen, holders, at),
            grouped AS (
                SELECT workspace_id, kind, name, value_type, source, sum(seen) AS seen, sum(holders) AS holders,
                       min(at) AS first_at, max(at) AS last_at
                FROM taken WHERE {_SIGHTING} GROUP BY 1, 2, 3, 4, 5),
            fresh AS (
                SELECT workspace_id, kind, name, sum(seen) AS seen, sum(holders) AS holders FROM grouped g
                WHERE name <> '' AND NOT EXISTS (SELECT 1 FROM data_names d
                    WHERE d.workspace_id = g.workspace_id AND d.kind = g.kind AND d.name = g.name)
                GROUP BY 1, 2, 3),
            room AS (
                SELECT workspace_id, kind, $2 - (
                    SELECT count(DISTINCT d.name) FROM data_names d
                    WHERE d.workspace_id = k.workspace_id AND d.kind = k.kind AND d.name <> '') AS free
                FROM (SELECT DISTINCT workspace_id, kind FROM fresh) k),
            ranked AS (
                SELECT f.workspace_id, f.kind, f.name, r.free,
                       row_number() OVER (PARTITION BY f.workspace_id, f.kind ORDER BY f.name) AS place
                FROM fresh f JOIN room r USING (workspace_id, kind) WHERE f.seen > 0 OR f.holders > 0),
            placed AS (
                SELECT g.workspace_id, g.kind, CASE WHEN n.place > n.free THEN '' ELSE g.name END AS name,
                       g.value_type, g.source, g.seen, g.holders, g.first_at, g.last_at
                FROM grouped g LEFT JOIN fresh f USING (workspace_id, kind, name)
                LEFT JOIN ranked n USING (workspace_id, kind, name)
                WHERE f.name IS NULL OR n.name IS NOT NULL),
            added AS (
                INSERT INTO data_names AS d
                    (workspace_id, kind, name, value_type, source, seen, holders, first_at, last_at)
                SELECT workspace_id, kind, name, value_type, source, sum(seen), sum(holders), min(first_at), max(last_at)
                FROM placed GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
                ON CONFLICT (workspace_id, kind, name, value_type, source) DO UPDATE
                SET seen = d.seen + EXCLUDED.seen, holders = d.holders + EXCLUDED.holders,
                    first_at = least(d.first_at, EXCLUDED.first_at), last_at = greatest(d.last_at, EXCLUDED.last_at))
            SELECT (SELECT count(*) FROM taken) AS rows, array_agg(workspace_id) AS workspaces,
                   array_agg(kind) AS kinds, array_agg(name) AS names FROM grouped WHERE holders < 0""",
        limit,
        most,
    )
    if record["names"]:
        await conn.execute(
            """DELETE FROM data_names d USING unnest($1::int[], $2::text[], $3::text[]) AS u (workspace_id, kind, name)
               WHERE d.workspace_id = u.workspace_id AND d.kind = u.kind AND d.name = u.name
                 AND d.seen = 0 AND d.holders = 0""",
            record["workspaces"],
            record["kinds"],
            record["names"],
        )
    folded: int = record["rows"]
    return folded


@dataclass(frozen=True, slots=True)
class NameRead:
    """One name of the index: how often it was seen by type and by source, and what people say about it."""

    kind: str
    name: str
    types: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    seen: int = 0
    holders: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    description: str | None = None
    privacy_level: int = 0


_PARTS = f"""(
    SELECT kind, name, value_type, source, seen, holders, first_at, last_at FROM data_names
    WHERE workspace_id = $1 AND kind = ANY($2::text[])
    UNION ALL
    SELECT kind, name, value_type, source, seen, holders, at, at FROM data_name_deltas
    WHERE workspace_id = $1 AND kind = ANY($2::text[]) AND {_SIGHTING}) parts"""
"""What is folded, and what is not yet."""


async def names(conn: Connection, workspace_id: int, kinds: Sequence[str]) -> list[tuple[str, str]]:
    """Every name of these kinds with its kind, those included that people only describe; in the order of names."""
    records = await conn.fetch(
        f"""SELECT name, kind FROM (
                SELECT name, kind FROM {_PARTS} WHERE name <> '' GROUP BY 1, 2 HAVING sum(seen) > 0 OR sum(holders) > 0
                UNION SELECT name, kind FROM data_name_notes WHERE workspace_id = $1 AND kind = ANY($2::text[])) known
            ORDER BY name, kind""",
        workspace_id,
        list(kinds),
    )
    return [(record["name"], record["kind"]) for record in records]


async def beyond(conn: Connection, workspace_id: int, kinds: Sequence[str]) -> int:
    """How often names were seen for which there was no room."""
    seen: int | None = await conn.fetchval(
        f"SELECT sum(seen)::bigint FROM {_PARTS} WHERE name = ''", workspace_id, list(kinds)
    )
    return seen or 0


async def read(conn: Connection, workspace_id: int, wanted: Sequence[tuple[str, str]]) -> list[NameRead]:
    """These names, each given with its kind, in the order given."""
    kinds = sorted({kind for _, kind in wanted})
    sought = sorted({name for name, _ in wanted})
    records = await conn.fetch(
        f"""SELECT kind, name, value_type, source, sum(seen)::bigint AS seen, sum(holders)::bigint AS holders,
                   min(first_at) AS first_at, max(last_at) AS last_at
            FROM {_PARTS} WHERE name = ANY($3::text[]) GROUP BY 1, 2, 3, 4 ORDER BY 3, 4""",
        workspace_id,
        kinds,
        sought,
    )
    notes = await conn.fetch(
        """SELECT kind, name, description, privacy_level FROM data_name_notes
           WHERE workspace_id = $1 AND kind = ANY($2::text[]) AND name = ANY($3::text[])""",
        workspace_id,
        kinds,
        sought,
    )
    found = {(name, kind): NameRead(kind, name) for name, kind in wanted}
    said = {(note["name"], note["kind"]): note for note in notes}
    for record in records:
        key = (record["name"], record["kind"])
        if key in found:
            found[key] = _added(found[key], **record)
    return [
        _described(name, said[key]["description"], said[key]["privacy_level"]) if key in said else name
        for key, name in found.items()
    ]


def _added(
    before: NameRead,
    *,
    kind: str,
    name: str,
    value_type: str,
    source: str,
    seen: int,
    holders: int,
    first_at: datetime,
    last_at: datetime,
) -> NameRead:
    types, sources = dict(before.types), dict(before.sources)
    if value_type:
        types[value_type] = types.get(value_type, 0) + seen
    if source:
        sources[source] = sources.get(source, 0) + seen
    return NameRead(
        kind,
        name,
        types,
        sources,
        before.seen + seen,
        max(before.holders + holders, 0),
        first_at if before.first_at is None else min(before.first_at, first_at),
        last_at if before.last_at is None else max(before.last_at, last_at),
    )


def _described(name: NameRead, description: str | None, privacy_level: int) -> NameRead:
    return NameRead(
        name.kind,
        name.name,
        name.types,
        name.sources,
        name.seen,
        name.holders,
        name.first_at,
        name.last_at,
        description,
        privacy_level,
    )


async def describe(
    conn: Connection,
    workspace_id: int,
    kind: str,
    notes: Sequence[tuple[str, str | None, int | None]],
    now: datetime,
) -> None:
    """Say something about names: (name, description, privacy level); None leaves as it is what was said before."""
    await conn.execute(
        """INSERT INTO data_name_notes AS d (workspace_id, kind, name, description, privacy_level, updated_at)
           SELECT $1, $2, u.name, u.description, COALESCE(u.level, 0), $6
           FROM unnest($3::text[], $4::text[], $5::int[]) AS u (name, description, level) ORDER BY u.name
           ON CONFLICT (workspace_id, kind, name) DO UPDATE
           SET description = COALESCE(EXCLUDED.description, d.description), updated_at = EXCLUDED.updated_at,
               privacy_level = CASE WHEN (SELECT x.level FROM unnest($3::text[], $5::int[]) AS x (name, level)
                                          WHERE x.name = d.name) IS NULL
                                    THEN d.privacy_level ELSE EXCLUDED.privacy_level END""",
        workspace_id,
        kind,
        [name for name, _, _ in notes],
        [description for _, description, _ in notes],
        [level for _, _, level in notes],
        now,
    )


async def remove(conn: Connection, workspace_id: int, kind: str, name: str) -> None:
    """Take a name out of the index, with what was said about it; nobody holds it any more, or soon will not.

    How many hold it is still reckoned until they are none, so that those who begin to hold it anew are counted right.
    """
    for table, which in (
        ("data_name_deltas", " AND source <> ''"),
        ("data_names", " AND source <> ''"),
        ("data_name_notes", ""),
    ):
        await conn.execute(
            f"DELETE FROM {table} WHERE workspace_id = $1 AND kind = $2 AND name = $3{which}", workspace_id, kind, name
        )


async def holders_page(
    conn: Connection, workspace_id: int, name: str, *, after: int, limit: int
) -> tuple[int, int, list[int]]:
    """The next people: the last one looked at, how many were looked at, and which of them hold the attribute."""
    records = await conn.fetch(
        """SELECT person_id, attributes ? $2::text AS holds FROM people WHERE workspace_id = $1 AND person_id > $3
           ORDER BY person_id LIMIT $4""",
        workspace_id,
        name,
        after,
        limit,
    )
    last = records[-1]["person_id"] if records else after
    return last, len(records), [record["person_id"] for record in records if record["holds"]]


async def performers(conn: Connection, workspace_id: int) -> dict[tuple[str, str], int]:
    """How many people did each event, by name and kind; reads all events of the workspace."""
    records = await conn.fetch(
        "SELECT name, type, count(DISTINCT person_id) AS people FROM events WHERE workspace_id = $1 GROUP BY 1, 2",
        workspace_id,
    )
    return {(record["name"], record["type"]): record["people"] for record in records}


__all__ = [
    "BEYOND",
    "EVENTS",
    "MOST_NAMES",
    "NameRead",
    "beyond",
    "describe",
    "fold",
    "holders_page",
    "insert_deltas",
    "names",
    "performers",
    "read",
    "remove",
]
