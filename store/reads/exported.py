"""What exports are made of: people, devices, objects, relationships, read page by page in a stable order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.facts import EventFact
from domain.ids import cio_id
from store.database import Connection


class ExportedPerson(NamedTuple):
    """One person; `segments` are those they are in, and since when in Unix seconds."""

    person_id: int
    id: str | None
    email: str | None
    attributes: dict[str, Any]
    created_at: datetime
    age_start: datetime
    segments: dict[int, int]

    @property
    def named(self) -> dict[str, Any]:
        """The identifiers as columns."""
        return {"id": self.id, "email": self.email or self.attributes.get("email"), "cio_id": cio_id(self.person_id)}


class ExportedDevice(NamedTuple):
    """A device and whose it is."""

    token: str
    person_id: int
    id: str | None
    email: str | None
    platform: str
    last_used: datetime
    last_status: str
    attributes: dict[str, Any]
    created_at: datetime


class ExportedObject(NamedTuple):
    """One object."""

    object_no: int
    object_type_id: int
    object_id: str
    attributes: dict[str, Any]
    created_at: datetime


class ExportedRelationship(NamedTuple):
    """A person and an object that belong together."""

    person_id: int
    id: str | None
    email: str | None
    object_no: int
    object_type_id: int
    object_id: str
    attributes: dict[str, Any]
    created_at: datetime


class SharedValue(NamedTuple):
    """A person who shares a value of an attribute with somebody."""

    value: str
    person_id: int
    id: str | None
    email: str | None


class SegmentChange(NamedTuple):
    """Somebody entered or left a segment."""

    activity_id: int
    person_id: int
    id: str | None
    email: str | None
    type: str
    at: datetime


_PERSON = "p.person_id, p.id, p.email, p.attributes, p.created_at, p.age_start"
_WITH_SEGMENTS = f"""SELECT {_PERSON}, (
                         SELECT jsonb_object_agg(m.ref_id, floor(EXTRACT(EPOCH FROM m.since))) FROM memberships m
                         WHERE m.workspace_id = p.workspace_id AND m.person_id = p.person_id
                           AND m.kind = 'segment' AND m.member) AS segments FROM people p WHERE p.workspace_id = $1"""


async def people(conn: Connection, workspace_id: int, after: int, limit: int) -> list[ExportedPerson]:
    """The next people by internal number."""
    records = await conn.fetch(
        f"{_WITH_SEGMENTS} AND p.person_id > $2 ORDER BY p.person_id LIMIT $3", workspace_id, after, limit
    )
    return [_person(record) for record in records]


async def people_among(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[ExportedPerson]:
    """These people, by internal number; those who are gone are left out."""
    records = await conn.fetch(
        f"{_WITH_SEGMENTS} AND p.person_id = ANY($2::bigint[]) ORDER BY p.person_id", workspace_id, list(person_ids)
    )
    return [_person(record) for record in records]


async def person(conn: Connection, workspace_id: int, person_id: int) -> ExportedPerson | None:
    """One person by internal number, without segments; None where they are gone."""
    record = await conn.fetchrow(
        f"SELECT {_PERSON}, NULL::jsonb AS segments FROM people p WHERE workspace_id = $1 AND person_id = $2",
        workspace_id,
        person_id,
    )
    return None if record is None else _person(record)


def _person(record: Any) -> ExportedPerson:
    segments = {int(number): int(since) for number, since in (record["segments"] or {}).items()}
    return ExportedPerson(**{**record, "segments": segments})


async def devices(
    conn: Connection, workspace_id: int, after: str, limit: int, person_id: int | None = None
) -> list[ExportedDevice]:
    """The next devices by token; of one person where that is given."""
    records = await conn.fetch(
        """SELECT d.token, d.person_id, p.id, p.email, d.platform, d.last_used, d.last_status, d.attributes, d.created_at
           FROM devices d JOIN people p USING (workspace_id, person_id)
           WHERE d.workspace_id = $1 AND d.token > $2 AND ($4::bigint IS NULL OR d.person_id = $4)
           ORDER BY d.token LIMIT $3""",
        workspace_id,
        after,
        limit,
        person_id,
    )
    return [ExportedDevice(*record) for record in records]


async def objects(
    conn: Connection, workspace_id: int, object_type_id: int, after: int, limit: int
) -> list[ExportedObject]:
    """The next objects of a type by internal number."""
    records = await conn.fetch(
        """SELECT object_no, object_type_id, object_id, attributes, created_at FROM objects
           WHERE workspace_id = $1 AND object_type_id = $2 AND object_no > $3 ORDER BY object_no LIMIT $4""",
        workspace_id,
        object_type_id,
        after,
        limit,
    )
    return [ExportedObject(*record) for record in records]


async def object_named(
    conn: Connection, workspace_id: int, object_type_id: int, object_id: str
) -> ExportedObject | None:
    """One object, or None."""
    record = await conn.fetchrow(
        """SELECT object_no, object_type_id, object_id, attributes, created_at FROM objects
           WHERE workspace_id = $1 AND object_type_id = $2 AND object_id = $3""",
        workspace_id,
        object_type_id,
        object_id,
    )
    return None if record is None else ExportedObject(*record)


_RELATIONSHIPS = """SELECT r.person_id, p.id, p.email, r.object_no, o.object_type_id, o.object_id, r.attributes, r.created_at
                    FROM relationships r JOIN objects o USING (workspace_id, object_no)
                    JOIN people p USING (workspace_id, person_id) WHERE r.workspace_id = $1"""


async def relationships_of_people(
    conn: Connection, workspace_id: int, person_ids: Sequence[int], without: Sequence[int]
) -> list[ExportedRelationship]:
    """The relationships of these people with objects, but for those of some types."""
    records = await conn.fetch(
        f"""{_RELATIONSHIPS} AND r.person_id = ANY($2::bigint[]) AND o.object_type_id <> ALL($3::int[])
            ORDER BY r.person_id, r.object_no""",
        workspace_id,
        list(person_ids),
        list(without),
    )
    return [ExportedRelationship(*record) for record in records]


async def relationships_of_objects(
    conn: Connection, workspace_id: int, object_nos: Sequence[int]
) -> list[ExportedRelationship]:
    """The relationships of people with these objects."""
    records = await conn.fetch(
        f"{_RELATIONSHIPS} AND r.object_no = ANY($2::bigint[]) ORDER BY r.object_no, r.person_id",
        workspace_id,
        list(object_nos),
    )
    return [ExportedRelationship(*record) for record in records]


async def shared_values(
    conn: Connection,
    workspace_id: int,
    attribute: str,
    *,
    part: int,
    parts: int,
    after: tuple[str, int],
    limit: int,
) -> list[SharedValue]:
    """People who share a value, by value and number; values are looked at in `parts`, by their hashes."""
    records = await conn.fetch(
        """SELECT value, person_id, id, email FROM (
               SELECT v.value, p.person_id, p.id, p.email, count(*) OVER (PARTITION BY v.value) AS sharing
               FROM people p, LATERAL (
                   SELECT CASE $2 WHEN 'id' THEN p.id WHEN 'email' THEN COALESCE(p.email, p.attributes ->> 'email')
                          ELSE p.attributes ->> $2 END COLLATE "C" AS value) v
               WHERE p.workspace_id = $1 AND v.value <> '' AND (hashtext(v.value) & 65535) % $4 = $3) valued
           WHERE sharing > 1 AND (value, person_id) > ($5::text COLLATE "C", $6::bigint)
           ORDER BY value, person_id LIMIT $7""",
        workspace_id,
        attribute,
        part,
        parts,
        *after,
        limit,
    )
    return [SharedValue(*record) for record in records]


async def segment_changes(
    conn: Connection,
    workspace_id: int,
    segment_id: int,
    *,
    since: datetime | None,
    until: datetime | None,
    after: int,
    limit: int,
) -> list[SegmentChange]:
    """The next times somebody entered or left a segment, as far as the activity log goes back."""
    records = await conn.fetch(
        """SELECT a.activity_id, a.person_id, p.id, p.email, a.type, a.at
           FROM activities a JOIN people p USING (workspace_id, person_id)
           WHERE a.workspace_id = $1 AND a.activity_id > $3 AND a.type IN ('segment_enter', 'segment_leave')
             AND (a.data ->> 'segment_id') = $2::text
             AND ($4::timestamptz IS NULL OR a.at >= $4) AND ($5::timestamptz IS NULL OR a.at < $5)
           ORDER BY a.activity_id LIMIT $6""",
        workspace_id,
        str(segment_id),
        after,
        since,
        until,
        limit,
    )
    return [SegmentChange(*record) for record in records]


async def events_of(
    conn: Connection, workspace_id: int, person_id: int, after: tuple[datetime, int] | None, limit: int
) -> list[EventFact]:
    """The next events of a person, oldest first."""
    at, seq = after if after is not None else (None, None)
    records = await conn.fetch(
        """SELECT name, at, seq, data, type, event_id FROM events
           WHERE workspace_id = $1 AND person_id = $2 AND ($3::timestamptz IS NULL OR (at, seq) > ($3, $4::bigint))
           ORDER BY at, seq LIMIT $5""",
        workspace_id,
        person_id,
        at,
        seq,
        limit,
    )
    return [EventFact(name, at, seq, data, kind, event_id) for name, at, seq, data, kind, event_id in records]


__all__ = [
    "ExportedDevice",
    "ExportedObject",
    "ExportedPerson",
    "ExportedRelationship",
    "SegmentChange",
    "SharedValue",
    "devices",
    "events_of",
    "object_named",
    "objects",
    "people",
    "people_among",
    "person",
    "relationships_of_objects",
    "relationships_of_people",
    "segment_changes",
    "shared_values",
]
