"""Relationships of people with objects; a person's are written under the person's lock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from store.database import Connection

Pair = tuple[int, int]


class RelationshipRow(NamedTuple):
    """A person and an object that belong together."""

    person_id: int
    object_no: int
    attributes: dict[str, Any]


async def find(conn: Connection, workspace_id: int, pairs: Collection[Pair]) -> dict[Pair, RelationshipRow]:
    """Those of these pairs of person and object that are related."""
    records = await conn.fetch(
        """SELECT r.person_id, r.object_no, r.attributes FROM relationships r
           JOIN unnest($2::bigint[], $3::bigint[]) AS u (person_id, object_no)
             ON r.workspace_id = $1 AND r.person_id = u.person_id AND r.object_no = u.object_no""",
        workspace_id,
        [person_id for person_id, _ in pairs],
        [object_no for _, object_no in pairs],
    )
    return {(record["person_id"], record["object_no"]): RelationshipRow(*record) for record in records}


class Related(NamedTuple):
    """An object with what is said of somebody's belonging to it."""

    person_id: int
    object_type_id: int
    object_no: int
    object_id: str
    attributes: dict[str, Any]
    relationship: dict[str, Any]


async def of_people(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[Related]:
    """Every object these people are related to."""
    records = await conn.fetch(
        """SELECT r.person_id, o.object_type_id, o.object_no, o.object_id, o.attributes, r.attributes
           FROM relationships r JOIN objects o ON o.workspace_id = r.workspace_id AND o.object_no = r.object_no
           WHERE r.workspace_id = $1 AND r.person_id = ANY($2::bigint[]) ORDER BY r.person_id, r.object_no""",
        workspace_id,
        list(person_ids),
    )
    return [Related(*record) for record in records]


async def people_of(conn: Connection, workspace_id: int, object_no: int, after: int, limit: int) -> list[int]:
    """The next people, by internal number, who are related to an object."""
    records = await conn.fetch(
        """SELECT person_id FROM relationships WHERE workspace_id = $1 AND object_no = $2 AND person_id > $3
           ORDER BY person_id LIMIT $4""",
        workspace_id,
        object_no,
        after,
        limit,
    )
    return [record["person_id"] for record in records]


async def save(conn: Connection, workspace_id: int, rows: Sequence[RelationshipRow], now: datetime) -> None:
    """Relate people and objects, or replace the attributes of those related already."""
    if rows:
        await conn.execute(
            """INSERT INTO relationships (workspace_id, person_id, object_no, attributes, created_at)
               SELECT $1, u.*, $5 FROM unnest($2::bigint[], $3::bigint[], $4::jsonb[]) AS u
               ON CONFLICT (workspace_id, person_id, object_no) DO UPDATE SET attributes = EXCLUDED.attributes""",
            workspace_id,
            [row.person_id for row in rows],
            [row.object_no for row in rows],
            [row.attributes for row in rows],
            now,
        )


async def delete(conn: Connection, workspace_id: int, pairs: Collection[Pair]) -> None:
    """Part people and objects."""
    if pairs:
        await conn.execute(
            """DELETE FROM relationships r USING unnest($2::bigint[], $3::bigint[]) AS u (person_id, object_no)
               WHERE r.workspace_id = $1 AND r.person_id = u.person_id AND r.object_no = u.object_no""",
            workspace_id,
            [person_id for person_id, _ in pairs],
            [object_no for _, object_no in pairs],
        )


async def part_from(conn: Connection, workspace_id: int, object_no: int) -> list[int]:
    """Part an object from everybody; returns whom that concerned."""
    records = await conn.fetch(
        "DELETE FROM relationships WHERE workspace_id = $1 AND object_no = $2 RETURNING person_id",
        workspace_id,
        object_no,
    )
    return sorted(record["person_id"] for record in records)


__all__ = ["Pair", "Related", "RelationshipRow", "delete", "find", "of_people", "part_from", "people_of", "save"]
