"""Objects, relationships and the campaigns that begin with them, in short words."""

from __future__ import annotations

from typing import Any

from domain.operations import ChangeRelationships, DeleteObject, Edge, Identifier, Identify, IdentifyObject, ObjectRef
from tests.support.database import Room

COMPANIES = {"kind": "object_type", "key": "companies", "name": "Companies", "singular_name": "Company"}
"""An object type whose number is 1 in a fresh workspace."""


def who(value: str) -> Identifier:
    """Somebody by id."""
    return Identifier(kind="id", value=value)


def known(value: str, **attributes: Any) -> Identify:
    """Somebody with attributes."""
    return Identify(subject=who(value), attributes=attributes)


def ref(company: str) -> ObjectRef:
    """An object of the first type."""
    return ObjectRef(object_type_id=1, object_id=company)


def put(company: str, **attributes: Any) -> IdentifyObject:
    """An object with attributes."""
    return IdentifyObject(object=ref(company), attributes=attributes)


def remove(company: str) -> DeleteObject:
    """An object is gone."""
    return DeleteObject(object=ref(company))


def relate(company: str, *people: str, **attributes: Any) -> ChangeRelationships:
    """People belong to an object."""
    return ChangeRelationships(
        edges=[Edge(person=who(person), object=ref(company), attributes=attributes) for person in people]
    )


def part(company: str, *people: str) -> ChangeRelationships:
    """People belong to an object no longer."""
    edges = [Edge(person=who(person), object=ref(company)) for person in people]
    return ChangeRelationships(action="delete", edges=edges)


def on_object(where: Any, **fields: Any) -> dict[str, Any]:
    """A trigger that waits for a change of an object."""
    return {"type": "object", "object_type": "companies", "where": where, **fields}


def on_relationship(change: str = "added", **fields: Any) -> dict[str, Any]:
    """A trigger that waits for a relationship."""
    return {"type": "relationship", "change": change, "object_type": "companies", **fields}


async def begun(room: Room, key: str | None = None) -> list[str]:
    """The ids of the people of every journey, or of those in one campaign, sorted."""
    found = await room.rows(
        """SELECT p.id FROM journeys j JOIN people p USING (workspace_id, person_id)
           JOIN definitions d ON d.workspace_id = j.workspace_id AND d.kind = 'campaign' AND d.definition_id = j.campaign_id
           WHERE j.workspace_id = $1 AND ($2::text IS NULL OR d.key = $2) ORDER BY p.id""",
        key,
    )
    return [row["id"] for row in found]


async def lines(room: Room, kind: str) -> list[dict[str, Any]]:
    """The lines of one type in the activity log, oldest first."""
    query = "SELECT name, data FROM activities WHERE workspace_id = $1 AND type = $2 ORDER BY activity_id"
    return await room.rows(query, kind)
