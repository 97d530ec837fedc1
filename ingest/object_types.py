"""Which object types facts may be about: those defined, those a fact brings into being, none that is retired (PPL-24)."""

from __future__ import annotations

from domain.animals import animal_for
from domain.definitions import ObjectTypeDefinition
from domain.definitions.object_type import LARGEST_NUMBER
from domain.outcomes import Done
from ingest.unit import Unit
from store import definitions, object_types, workspaces
from store.database import Connection
from store.definitions import DefinitionRow

KIND = "object_type"
MOST_TYPES = 1_000


async def refused_type(unit: Unit, object_type_id: int) -> Done | None:
    """Why objects of this type cannot be made, None where they can; a number nobody knows becomes a type by it."""
    if unit.catalog.find(KIND, object_type_id) is not None:
        return None
    if not 0 < object_type_id <= LARGEST_NUMBER:
        return Done("failed", note=f"{object_type_id} is no number of an object type.")
    conn, workspace_id = unit.conn, unit.catalog.workspace_id
    known = await object_types.find(conn, workspace_id, object_type_id)
    if known is None:
        # People are locked by now: whoever needs both locks takes this one second.
        await definitions.lock(conn, workspace_id)
        known = await object_types.find(conn, workspace_id, object_type_id)
    if known is not None:
        note = f"The object type {object_type_id} was deleted, and its number is not used again."
        return Done("ignored", note=note) if known.retired else None
    most = unit.catalog.settings.limits.automatic_object_types
    if await object_types.count_automatic(conn, workspace_id) >= most:
        note = f"There is no object type {object_type_id}, and calls have made {most} types already; define it first."
        return Done("failed", note=note)
    await _make(conn, unit, object_type_id)
    return None


async def _make(conn: Connection, unit: Unit, object_type_id: int) -> None:
    """A disabled type named after an animal, until somebody gives it a name."""
    workspace_id = unit.catalog.workspace_id
    taken: set[str] = set()
    for row in await definitions.page(conn, workspace_id, KIND, before=None, limit=MOST_TYPES):
        taken |= {row.key, row.document.get("slug", ""), row.document.get("singular_slug", "")}
    animal = animal_for(object_type_id, taken)
    definition = ObjectTypeDefinition(
        kind=KIND,
        key=animal.one,
        name=animal.many.capitalize(),
        object_type_id=object_type_id,
        singular_name=animal.one.capitalize(),
        slug=animal.many,
        singular_slug=animal.one,
        enabled=False,
    )
    row = DefinitionRow(
        workspace_id=workspace_id,
        kind=KIND,
        definition_id=object_type_id,
        key=definition.key,
        name=definition.name,
        document=definition.wire(),
        revision=1,
        version=1,
        state=None,
        source=None,
        created_at=unit.now,
        updated_at=unit.now,
    )
    await object_types.take(conn, workspace_id, object_type_id, automatic=True)
    await definitions.insert(conn, row)
    await workspaces.bump_definitions(conn, workspace_id)


__all__ = ["refused_type"]
