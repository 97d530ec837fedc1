"""Objects and relationships as lookers see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.ids import cio_id, cio_object_id, object_no_of
from store.database import Connection

_COLUMNS = "o.object_no, o.object_type_id, o.object_id, o.attributes, o.attribute_times"


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """One object."""

    object_no: int
    object_type_id: int
    object_id: str
    attributes: Mapping[str, Any]
    attribute_times: Mapping[str, int]

    @property
    def identifiers(self) -> dict[str, str]:
        """Its two names."""
        return {"object_id": self.object_id, "cio_object_id": cio_object_id(self.object_no)}


@dataclass(frozen=True, slots=True)
class RelatedObject:
    """An object somebody belongs to, and what is said of that."""

    object_no: int
    object_type_id: int
    object_id: str
    attributes: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RelatedPerson:
    """Somebody who belongs to an object."""

    person_id: int
    id: str | None
    email: str | None

    @property
    def identifiers(self) -> dict[str, str | None]:
        """The names of the person."""
        return {"cio_id": cio_id(self.person_id), "id": self.id, "email": self.email}


async def by_id(conn: Connection, workspace_id: int, object_type_id: int, object_id: str) -> ObjectRead | None:
    """The object of a type with this id, or None."""
    return await _one(conn, workspace_id, object_type_id, "object_id", object_id)


async def by_cio_object_id(conn: Connection, workspace_id: int, object_type_id: int, text: str) -> ObjectRead | None:
    """The object of a type that we gave this id, or None."""
    number = object_no_of(text)
    return None if number is None else await _one(conn, workspace_id, object_type_id, "object_no", number)


async def _one(
    conn: Connection, workspace_id: int, object_type_id: int, column: str, value: str | int
) -> ObjectRead | None:
    record = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM objects o WHERE o.workspace_id = $1 AND o.object_type_id = $2 AND o.{column} = $3",
        workspace_id,
        object_type_id,
        value,
    )
    return None if record is None else ObjectRead(*record)


async def page(
    conn: Connection, workspace_id: int, object_type_id: int, *, after: str | None, limit: int
) -> list[ObjectRead]:
    """The next objects of a type, by their ids."""
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM objects o
            WHERE o.workspace_id = $1 AND o.object_type_id = $2 AND ($3::text IS NULL OR o.object_id > $3)
            ORDER BY o.object_id LIMIT $4""",
        workspace_id,
        object_type_id,
        after,
        limit,
    )
    return [ObjectRead(*record) for record in records]


async def objects_of(
    conn: Connection, workspace_id: int, person_id: int, *, after: int, limit: int
) -> Sequence[RelatedObject]:
    """The next objects somebody belongs to, the oldest first."""
    records = await conn.fetch(
        """SELECT o.object_no, o.object_type_id, o.object_id, r.attributes, r.created_at
           FROM relationships r JOIN objects o ON o.workspace_id = r.workspace_id AND o.object_no = r.object_no
           WHERE r.workspace_id = $1 AND r.person_id = $2 AND r.object_no > $3 ORDER BY r.object_no LIMIT $4""",
        workspace_id,
        person_id,
        after,
        limit,
    )
    return [RelatedObject(*record) for record in records]


async def people_of(
    conn: Connection, workspace_id: int, object_no: int, *, after: int, limit: int
) -> Sequence[RelatedPerson]:
    """The next people who belong to an object, those first who were added first."""
    records = await conn.fetch(
        """SELECT p.person_id, p.id, p.email
           FROM relationships r JOIN people p ON p.workspace_id = r.workspace_id AND p.person_id = r.person_id
           WHERE r.workspace_id = $1 AND r.object_no = $2 AND r.person_id > $3 ORDER BY r.person_id LIMIT $4""",
        workspace_id,
        object_no,
        after,
        limit,
    )
    return [RelatedPerson(*record) for record in records]


__all__ = [
    "ObjectRead",
    "RelatedObject",
    "RelatedPerson",
    "by_cio_object_id",
    "by_id",
    "objects_of",
    "page",
    "people_of",
]
