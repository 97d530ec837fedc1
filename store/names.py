"""Whose a name is: people by identifier, and what else leads to people or objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.definitions.object_type import LARGEST_NUMBER
from domain.ids import object_no_of, person_id_of
from domain.operations import ANONYMOUS, DELIVERY, DEVICE, OBJECT, OBJECT_BY_CIO_ID, Name
from store.database import Connection

_IDENTITY_KINDS = frozenset({"id", "email"})
_BY_VALUE: Mapping[str, str] = {
    DEVICE: "SELECT token AS value, person_id AS owner FROM devices WHERE workspace_id = $1 AND token = ANY($2::text[])",
    DELIVERY: """SELECT delivery_id AS value, person_id AS owner FROM deliveries
                 WHERE workspace_id = $1 AND delivery_id = ANY($2::text[]) AND person_id IS NOT NULL""",
    ANONYMOUS: """SELECT anonymous_id AS value, person_id AS owner FROM anonymous_ids
                  WHERE workspace_id = $1 AND anonymous_id = ANY($2::text[])""",
}


async def resolve(conn: Connection, workspace_id: int, wanted: Iterable[tuple[str, str]]) -> dict[Name, int]:
    """The internal number behind each name, that of an object negative; names of nobody are left out."""
    by_kind: dict[str, set[str]] = {}
    for kind, value in wanted:
        by_kind.setdefault(kind, set()).add(value)
    found: dict[Name, int] = {}
    identities = [(kind, value) for kind in _IDENTITY_KINDS for value in by_kind.get(kind, ())]
    if identities:
        found |= await _identities(conn, workspace_id, identities)
    if values := by_kind.get("cio_id"):
        found |= await _by_cio_id(conn, workspace_id, values)
    for kind, query in _BY_VALUE.items():
        if values := by_kind.get(kind):
            records = await conn.fetch(query, workspace_id, list(values))
            found |= {Name(kind, record["value"]): record["owner"] for record in records}
    if values := by_kind.get(OBJECT):
        found |= await _objects(conn, workspace_id, values)
    if values := by_kind.get(OBJECT_BY_CIO_ID):
        found |= await _objects_by_number(conn, workspace_id, values)
    return found


async def _identities(conn: Connection, workspace_id: int, names: list[tuple[str, str]]) -> dict[Name, int]:
    records = await conn.fetch(
        """SELECT i.kind, i.value_key, i.person_id FROM identities i
           JOIN unnest($2::text[], $3::text[]) AS u (kind, value_key)
             ON i.workspace_id = $1 AND i.kind = u.kind AND i.value_key = u.value_key""",
        workspace_id,
        [kind for kind, _ in names],
        [value for _, value in names],
    )
    return {Name(record["kind"], record["value_key"]): record["person_id"] for record in records}


async def _by_cio_id(conn: Connection, workspace_id: int, values: set[str]) -> dict[Name, int]:
    numbers = {number: value for value in values if (number := person_id_of(value))}
    if not numbers:
        return {}
    records = await conn.fetch(
        "SELECT person_id FROM people WHERE workspace_id = $1 AND person_id = ANY($2::bigint[])",
        workspace_id,
        list(numbers),
    )
    return {Name("cio_id", numbers[record["person_id"]]): record["person_id"] for record in records}


async def _objects(conn: Connection, workspace_id: int, values: set[str]) -> dict[Name, int]:
    named = [(int(kind), value) for kind, _, value in (text.partition(":") for text in values)]
    # No type has a number that its column cannot hold; nor must one hold up everything behind it.
    pairs = [(kind, value) for kind, value in named if 0 < kind <= LARGEST_NUMBER]
    records = await conn.fetch(
        """SELECT o.object_type_id, o.object_id, o.object_no FROM objects o
           JOIN unnest($2::int[], $3::text[]) AS u (kind, value)
             ON o.workspace_id = $1 AND o.object_type_id = u.kind AND o.object_id = u.value""",
        workspace_id,
        [kind for kind, _ in pairs],
        [value for _, value in pairs],
    )
    return {
        Name(OBJECT, f"{record['object_type_id']}:{record['object_id']}"): -record["object_no"] for record in records
    }


async def _objects_by_number(conn: Connection, workspace_id: int, values: set[str]) -> dict[Name, int]:
    numbers = {number: value for value in values if (number := object_no_of(value))}
    if not numbers:
        return {}
    records = await conn.fetch(
        "SELECT object_no FROM objects WHERE workspace_id = $1 AND object_no = ANY($2::bigint[])",
        workspace_id,
        list(numbers),
    )
    return {Name(OBJECT_BY_CIO_ID, numbers[record["object_no"]]): -record["object_no"] for record in records}


__all__ = ["resolve"]
