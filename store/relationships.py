"""Relationships of people with objects; a person's are written under the person's lock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from asyncpg import Record

from store.database import Connection
from store.people import ReadPerson

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


async def concerned(conn: Connection, workspace_id: int, object_no: int, after: int, limit: int) -> list[int]:
    """The same with those who travel a journey that the object triggered, related to it still or not."""
    records = await conn.fetch(
        """SELECT person_id FROM (
               (SELECT person_id FROM relationships WHERE workspace_id = $1 AND object_no = $2 AND person_id > $3
                ORDER BY person_id LIMIT $4)
               UNION
               (SELECT person_id FROM journeys
                WHERE workspace_id = $1 AND state = 'in_progress' AND trigger ? 'object'
                  AND trigger -> 'object' = to_jsonb($2::bigint) AND person_id > $3
                ORDER BY person_id LIMIT $4)) found
           ORDER BY person_id LIMIT $4""",
        workspace_id,
        object_no,
        after,
        limit,
    )
    return [record["person_id"] for record in records]


class Member(NamedTuple):
    """Somebody related to an object, with what is said of that."""

    person: ReadPerson
    relationship: dict[str, Any]
    since: datetime


_MEMBERS = """SELECT p.person_id, p.id, p.email, p.attributes, p.created_at, p.age_start,
                     r.attributes AS relationship, r.created_at AS since
              FROM relationships r JOIN people p ON p.workspace_id = r.workspace_id AND p.person_id = r.person_id
              WHERE r.workspace_id = $1 AND r.object_no = $2 AND """


async def members_page(conn: Connection, workspace_id: int, object_no: int, after: int, limit: int) -> list[Member]:
    """The next people, by internal number, who are related to an object, as they are; nobody is locked."""
    query = _MEMBERS + "r.person_id > $3 ORDER BY r.person_id LIMIT $4"
    return [_member(record) for record in await conn.fetch(query, workspace_id, object_no, after, limit)]


async def members(conn: Connection, workspace_id: int, object_no: int, person_ids: Sequence[int]) -> list[Member]:
    """Those of these people who are related to an object, as they are; nobody is locked."""
    query = _MEMBERS + "r.person_id = ANY($3::bigint[]) ORDER BY r.person_id"
    return [_member(record) for record in await conn.fetch(query, workspace_id, object_no, list(person_ids))]


def _member(record: Record) -> Member:
    *person, relationship, since = record
    return Member(ReadPerson(*person), relationship, since)


class Triggering(NamedTuple):
    """An object that triggered somebody's journey; `relationship` is None where they are not related to it."""

    person_id: int
    object_no: int
    object_id: str
    attributes: dict[str, Any]
    relationship: dict[str, Any] | None


async def triggering(conn: Connection, workspace_id: int, pairs: Collection[Pair]) -> list[Triggering]:
    """The objects of these pairs of person and object that are there, with what is said of the relationship."""
    records = await conn.fetch(
        """SELECT u.person_id, o.object_no, o.object_id, o.attributes, r.attributes
           FROM unnest($2::bigint[], $3::bigint[]) AS u (person_id, object_no)
           JOIN objects o ON o.workspace_id = $1 AND o.object_no = u.object_no
           LEFT JOIN relationships r
             ON r.workspace_id = $1 AND r.person_id = u.person_id AND r.object_no = u.object_no""",
        workspace_id,
        [person_id for person_id, _ in pairs],
        [object_no for _, object_no in pairs],
    )
    return [Triggering(*record) for record in records]


class Newest(NamedTuple):
    """One of the newest objects that somebody is related to."""

    person_id: int
    object_type_id: int
    object_no: int
    object_id: str
    attributes: dict[str, Any]
    created_at: datetime
    relationship: dict[str, Any]


async def newest(conn: Connection, workspace_id: int, person_ids: Sequence[int], most: int) -> list[Newest]:
    """Up to so many objects of each type that these people are related to, those made last first."""
    records = await conn.fetch(
        """SELECT person_id, object_type_id, object_no, object_id, attributes, created_at, relationship FROM (
               SELECT r.person_id, o.object_type_id, o.object_no, o.object_id, o.attributes, o.created_at,
                      r.attributes AS relationship, row_number() OVER (
                          PARTITION BY r.person_id, o.object_type_id ORDER BY o.created_at DESC, o.object_no DESC
                      ) AS place
               FROM relationships r JOIN objects o ON o.workspace_id = r.workspace_id AND o.object_no = r.object_no
               WHERE r.workspace_id = $1 AND r.person_id = ANY($2::bigint[])) found
           WHERE place <= $3 ORDER BY person_id, object_type_id, place""",
        workspace_id,
        list(person_ids),
        most,
    )
    return [Newest(*record) for record in records]


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


__all__ = [
    "Member",
    "Newest",
    "Pair",
    "Related",
    "RelationshipRow",
    "Triggering",
    "concerned",
    "delete",
    "find",
    "members",
    "members_page",
    "newest",
    "of_people",
    "part_from",
    "people_of",
    "save",
    "triggering",
]
