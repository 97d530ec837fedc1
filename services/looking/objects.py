"""Objects as the App API shows them, and who belongs to which (APP-20)."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import ValidationError

from domain.definitions.object_type import LARGEST_NUMBER
from domain.errors import DomainError, NotFound
from domain.object_filters import fits, parse_object_filter
from domain.problems import from_validation_error
from domain.values import text_form, to_unix
from services.looking import people
from services.looking.people import MICROS, IdType
from store import definitions
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.reads import objects as reads
from store.reads.cursor import decode, encode
from store.reads.objects import ObjectRead

ObjectIdType = Literal["object_id", "cio_object_id"]
PAGE: Final = 1_000
MOST_LOOKED_AT: Final = 50_000
"""How many objects one call looks at: after these it answers with what it has found, and where to go on."""
_FIELDS: Final = frozenset({"object_type_id", "filter"})
_TYPE: Final = "object_type"


async def search(
    db: Database, workspace_id: int, body: Any, *, start: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of the objects of a type that fit a filter; `next` is empty after the last page.

    A page may be short although more follow. Raises NotFound for a type, DomainError `invalid_parameter` for a body.
    """
    number, raw = _asked(body)
    try:
        where = parse_object_filter(raw, number)
    except ValidationError as error:
        problem = from_validation_error(error, raw, "/filter")[0]
        raise DomainError("invalid_parameter", problem.message, problem.pointer) from None
    cursor = decode(start, str)
    after: str | None = None if cursor is None else cursor[0]
    found: list[ObjectRead] = []
    looked = 0
    more = True
    async with db.connection() as conn:
        await _type(conn, workspace_id, number)
        while more and len(found) < limit and looked < MOST_LOOKED_AT:
            rows = await reads.page(conn, workspace_id, number, after=after, limit=PAGE)
            more = len(rows) == PAGE
            for row in rows:
                if len(found) == limit:
                    more = True
                    break
                after = row.object_id
                looked += 1
                if fits(where, {**row.attributes, **row.identifiers}):
                    found.append(row)
    return {
        "identifiers": [row.identifiers for row in found],
        "ids": [row.object_id for row in found],
        "next": encode(after) if more and after is not None else "",
    }


async def attributes(
    db: Database, workspace_id: int, object_type: str, name: str, id_type: ObjectIdType = "object_id"
) -> dict[str, Any]:
    """One object with all attributes as text; raises NotFound."""
    async with db.connection() as conn:
        row, _ = await _named(conn, workspace_id, object_type, name, id_type)
    return {
        "object": {
            "identifiers": row.identifiers,
            "object_type_id": str(row.object_type_id),
            "attributes": {key: text_form(value) for key, value in sorted(row.attributes.items())},
            "timestamps": {key: row.attribute_times.get(key, 0) // MICROS for key in sorted(row.attributes)},
        }
    }


async def people_of(
    db: Database,
    workspace_id: int,
    object_type: str,
    name: str,
    id_type: ObjectIdType = "object_id",
    *,
    start: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """One page of the people who belong to an object; raises NotFound."""
    after = _number(start)
    async with db.connection() as conn:
        row, kind = await _named(conn, workspace_id, object_type, name, id_type)
        found = await reads.people_of(conn, workspace_id, row.object_no, after=after, limit=limit + 1)
    shown = [
        {
            "identifiers": person.identifiers,
            "object_type_id": str(row.object_type_id),
            "object_type_disabled": not kind.document["enabled"],
        }
        for person in found[:limit]
    ]
    return {"cio_relationships": shown, "next": encode(found[limit - 1].person_id) if len(found) > limit else ""}


async def objects_of(
    db: Database,
    workspace_id: int,
    customer: str,
    id_type: IdType = "id",
    *,
    start: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """One page of what a person belongs to, each with when that began; raises NotFound."""
    after = _number(start)
    async with db.connection() as conn:
        person = await people.named(conn, workspace_id, customer, id_type)
        found = await reads.objects_of(conn, workspace_id, person.person_id, after=after, limit=limit + 1)
    shown = [
        {
            "object_type_id": str(row.object_type_id),
            "identifiers": ObjectRead(row.object_no, row.object_type_id, row.object_id, {}, {}).identifiers,
            "attributes": {key: text_form(value) for key, value in sorted(row.attributes.items())},
            "timestamps": {key: to_unix(row.created_at) for key in sorted(row.attributes)},
        }
        for row in found[:limit]
    ]
    return {"cio_relationships": shown, "next": encode(found[limit - 1].object_no) if len(found) > limit else ""}


async def _type(conn: Connection, workspace_id: int, number: int) -> DefinitionRow:
    row = await definitions.get(conn, workspace_id, _TYPE, number)
    if row is None:
        raise NotFound("object type", number)
    return row


async def _named(
    conn: Connection, workspace_id: int, object_type: str, name: str, id_type: ObjectIdType
) -> tuple[ObjectRead, DefinitionRow]:
    number = int(object_type) if object_type.isascii() and object_type.isdecimal() and len(object_type) <= 10 else 0
    if not 0 < number <= LARGEST_NUMBER:
        raise NotFound("object type", object_type)
    kind = await _type(conn, workspace_id, number)
    find = reads.by_id if id_type == "object_id" else reads.by_cio_object_id
    row = await find(conn, workspace_id, number, name)
    if row is None:
        raise NotFound("object", name)
    return row, kind


def _asked(body: Any) -> tuple[int, Any]:
    """The type and the filter of a body."""
    if not isinstance(body, dict):
        raise DomainError("invalid_parameter", "Send an object with object_type_id and filter.")
    unknown = next((name for name in body if name not in _FIELDS), None)
    if unknown is not None:
        raise DomainError("invalid_parameter", "There is no such field here.", f"/{unknown}")
    said = body.get("object_type_id")
    text = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 0 < int(text) <= LARGEST_NUMBER):
        raise DomainError("invalid_parameter", "Give the number of an object type, like '1'.", "/object_type_id")
    if "filter" not in body:
        raise DomainError("invalid_parameter", "Say which objects are meant.", "/filter")
    return int(text), body["filter"]


def _number(start: str | None) -> int:
    cursor = decode(start, int)
    return 0 if cursor is None else min(max(cursor[0], 0), 2**62)


__all__ = ["ObjectIdType", "attributes", "objects_of", "people_of", "search"]
