"""Object types among the definitions: their numbers, and what becomes of their objects (PPL-24, APP-20)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from domain.definitions import Definition, ObjectTypeDefinition
from domain.errors import Problem
from services import tasks
from services.definition_checks import Checked
from store import definitions, workspaces
from store import object_types as store
from store.database import Connection, Database
from store.definitions import DefinitionRow

KIND: Final = "object_type"
_POINTER = "/object_type_id"


async def check(conn: Connection, workspace_id: int, checked: Checked) -> None:
    """Add what is wrong with the numbers that documents ask for: changed, taken, or used once and retired."""
    asking = [item for item in checked.incoming if isinstance(item.definition, ObjectTypeDefinition)]
    if not any(isinstance(i.definition, ObjectTypeDefinition) and i.definition.object_type_id for i in asking):
        return
    retired = await store.retired(conn, workspace_id)
    asked: set[int] = set()
    for item in asking:
        assert isinstance(item.definition, ObjectTypeDefinition), "only those were chosen"
        number = item.definition.object_type_id
        if number is None:
            continue
        holder = checked.library.known(KIND, number)
        problem = None
        if item.row is not None and number != item.row.definition_id:
            message = f"This stays {item.row.definition_id}; make another object type instead."
            problem = Problem(code="immutable", pointer=item.pointer + _POINTER, message=message)
        elif item.row is None and number in retired:
            message = f"{number} was the number of an object type that is deleted; it is not used again."
            problem = Problem(code="duplicate", pointer=item.pointer + _POINTER, message=message)
        elif item.row is None and (holder is not None or number in asked):
            whose = f"'{holder.key}'" if holder is not None else "another in here"
            message = f"{number} is the number of the object type {whose}."
            problem = Problem(code="duplicate", pointer=item.pointer + _POINTER, message=message)
        asked.add(number)
        if problem is not None:
            checked.errors.append(problem)


async def reserve(
    conn: Connection, workspace_id: int, coming: Iterable[tuple[Definition, DefinitionRow | None]]
) -> None:
    """Give new types the numbers they ask for, before any other gets one of its own."""
    for definition, row in coming:
        if row is None and isinstance(definition, ObjectTypeDefinition) and definition.object_type_id is not None:
            await store.take(conn, workspace_id, definition.object_type_id, automatic=False)


async def number_for(conn: Connection, workspace_id: int, definition: ObjectTypeDefinition) -> int:
    """The number of a new type: the one it asked for, else the next that was never given out."""
    if definition.object_type_id is not None:
        return definition.object_type_id
    while True:
        number = await workspaces.next_id(conn, workspace_id, KIND)
        if await store.find(conn, workspace_id, number) is None:
            await store.take(conn, workspace_id, number, automatic=False)
            return number


async def retire(conn: Connection, workspace_id: int, number: int, now: datetime) -> None:
    """The type is deleted: its number is used up, its objects and their relationships go."""
    await store.retire(conn, workspace_id, number)
    await tasks.create(conn, workspace_id, "object_type_delete", {"object_type_id": number}, now=now)


async def list_all(db: Database, workspace_id: int) -> dict[str, Any]:
    """Every object type in the vendor's shape, by number."""
    async with db.connection() as conn:
        rows = await definitions.load_all(conn, workspace_id)
    return {"types": [_wire(row) for row in rows if row.kind == KIND]}


def _wire(row: DefinitionRow) -> dict[str, Any]:
    names = ("name", "singular_name", "slug", "singular_slug")
    return {
        "id": str(row.definition_id),
        **{name: row.document[name] for name in names},
        "icon": "",
        "enabled": row.document["enabled"],
    }


__all__ = ["KIND", "check", "list_all", "number_for", "reserve", "retire"]
