"""The objects of one type as a table, and who belongs to them as a second one (PPL-50)."""

from __future__ import annotations

from typing import Any

from domain.exports import DISPLAYED_OF_OBJECTS, MOST_RELATIONSHIPS, RELATIONSHIPS_FILE, ObjectsExport
from domain.ids import cio_id, cio_object_id
from domain.values import to_unix
from services.exporting.job import PAGE, ExportFailed, Job, Row
from store.reads import exported as reads
from store.reads.exported import ExportedObject

FILE = "objects.csv"
NAMED = ("object_id", "cio_object_id")
_RELATED = ("cio_object_id", "cio_id", "id", "email", "_created_at")


async def page(job: Job) -> bool:
    """The next objects; False when none is left."""
    request = ObjectsExport.model_validate(job.row.request)
    found = await reads.objects(job.conn, job.workspace_id, request.object_type_id, job.task.cursor, PAGE)
    rows = (Row(None, _cells(request, thing)) for thing in found)
    job.row.total += job.add_rows(FILE, _columns(request), rows)
    if request.relationships:
        await _relationships(job, [thing.object_no for thing in found])
    job.looked(len(found))
    if found:
        job.task.cursor = found[-1].object_no
    return len(found) == PAGE


def _columns(request: ObjectsExport) -> list[str]:
    if request.attributes is not None:
        return list(dict.fromkeys([*NAMED, *request.attributes]))
    return [*NAMED, *DISPLAYED_OF_OBJECTS] if request.columns == "displayed" else [*NAMED, "_created_at"]


def _cells(request: ObjectsExport, thing: ExportedObject) -> dict[str, Any]:
    named = {"object_id": thing.object_id, "cio_object_id": cio_object_id(thing.object_no)}
    everything = {**thing.attributes, **named, "_created_at": to_unix(thing.created_at)}
    if request.attributes is None and request.columns == "all":
        return everything
    return {name: everything.get(name) for name in _columns(request)}


async def _relationships(job: Job, object_nos: list[int]) -> None:
    rows = []
    for edge in await reads.relationships_of_objects(job.conn, job.workspace_id, object_nos):
        named = {"cio_id": cio_id(edge.person_id), "id": edge.id, "email": edge.email}
        created = {"cio_object_id": cio_object_id(edge.object_no), "_created_at": to_unix(edge.created_at)}
        rows.append(Row(edge.person_id, {**edge.attributes, **named, **created}))
    job.add_rows(RELATIONSHIPS_FILE, _RELATED, rows)
    if job.state.get("lines", {}).get(RELATIONSHIPS_FILE, 0) > MOST_RELATIONSHIPS:
        raise ExportFailed(f"There are more than {MOST_RELATIONSHIPS:,} relationships.")


__all__ = ["page"]
