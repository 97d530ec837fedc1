"""People as a table, and whom they belong to as a second one (PPL-49)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.conditions import Condition
from domain.definitions import ObjectTypeDefinition
from domain.exports import DISPLAYED, MOST_RELATIONSHIPS, PEOPLE_FILE, RELATIONSHIPS_FILE, CustomersExport
from domain.ids import cio_id, cio_object_id
from domain.subjects import Segment
from domain.values import to_unix
from services.exporting.job import PAGE, ExportFailed, Job, Row
from services.looking import matching
from store import tasks
from store.reads import exported as reads
from store.reads.exported import ExportedPerson, ExportedRelationship

NAMED = ("id", "email", "cio_id")
EXTRAS = ("_created_in_customerio_at", "_last_visited")
_RELATED = ("cio_id", "object_type_id", "object_id", "cio_object_id", "_created_at")


async def page(job: Job) -> bool:
    """The next people who match; False when everybody was looked at."""
    request = CustomersExport.model_validate(job.row.request)
    condition = request.condition
    await tasks.count_once(job.conn, job.task)
    found, last, looked = await _next(job, condition)
    if looked == 0:
        job.add_rows(PEOPLE_FILE, _columns(job, request, condition), ())
        if request.relationships:
            job.add_rows(RELATIONSHIPS_FILE, _RELATED, ())
        job.task.total = job.task.done
        return False
    rows = (Row(person.person_id, _cells(job, request, condition, person)) for person in found)
    job.row.total += job.add_rows(PEOPLE_FILE, _columns(job, request, condition), rows)
    if request.relationships:
        await _relationships(job, [person.person_id for person in found])
    job.task.cursor = last
    job.looked(looked)
    return True


async def _next(job: Job, condition: Condition | None) -> tuple[list[ExportedPerson], int, int]:
    """The next people who match, the last who was looked at, how many were (0: nobody is left)."""
    conn, workspace_id, after = job.conn, job.workspace_id, job.task.cursor
    if condition is None:
        found = await reads.people(conn, workspace_id, after, PAGE)
        return found, found[-1].person_id if found else after, len(found)
    looked = await matching.next_page(conn, job.catalog, condition, job.moment.now, after=after)
    matched = await reads.people_among(conn, workspace_id, [row.person_id for row in looked.matched])
    return matched, looked.last, looked.looked


def _columns(job: Job, request: CustomersExport, condition: Condition | None) -> list[str]:
    """The columns that are there whatever people have."""
    segments = [name for number in _segments(job, condition) for name in _segment_columns(number)]
    if request.attributes is not None:
        chosen = [name for name in request.attributes if name != "id"]
        return list(dict.fromkeys(["id", *chosen, *segments]))
    more = DISPLAYED if request.columns == "displayed" else ()
    return list(dict.fromkeys([*NAMED, *more, *EXTRAS, *segments]))


def _cells(job: Job, request: CustomersExport, condition: Condition | None, person: ExportedPerson) -> dict[str, Any]:
    extras = {EXTRAS[0]: to_unix(person.created_at), EXTRAS[1]: person.attributes.get("_last_visit")}
    everything = {**person.attributes, **person.named, **extras}
    everything.pop("_last_visit", None)
    if request.attributes is not None:
        cells = {name: everything.get(name) for name in ("id", *request.attributes)}
    elif request.columns == "displayed":
        cells = {name: everything.get(name) for name in (*NAMED, *DISPLAYED, *EXTRAS)}
    else:
        cells = everything
    for number in _segments(job, condition):
        since = person.segments.get(number)
        if since is not None:
            epoch, readable = _segment_columns(number)
            cells |= {epoch: since, readable: datetime.fromtimestamp(since, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")}
    return cells


def _segments(job: Job, condition: Condition | None) -> Iterator[int]:
    """The segments that a filter names, each once."""
    leaves = () if condition is None else condition.leaves
    named = (leaf.body.ref for leaf in leaves if isinstance(leaf.body, Segment))
    numbers = (job.catalog.segment_ids.get(ref) if isinstance(ref, str) else ref for ref in named)
    yield from dict.fromkeys(number for number in numbers if number is not None)


def _segment_columns(number: int) -> tuple[str, str]:
    return f"_segment:{number}", f"_segment:{number}:readable"


async def _relationships(job: Job, person_ids: Sequence[int]) -> None:
    found = await reads.relationships_of_people(job.conn, job.workspace_id, person_ids, disabled_types(job))
    job.add_rows(RELATIONSHIPS_FILE, _RELATED, (Row(edge.person_id, _related(edge)) for edge in found))
    if job.state.get("lines", {}).get(RELATIONSHIPS_FILE, 0) > MOST_RELATIONSHIPS:
        raise ExportFailed(f"There are more than {MOST_RELATIONSHIPS:,} relationships.")


def _related(edge: ExportedRelationship) -> dict[str, Any]:
    return {
        **edge.attributes,
        "cio_id": cio_id(edge.person_id),
        "object_type_id": edge.object_type_id,
        "object_id": edge.object_id,
        "cio_object_id": cio_object_id(edge.object_no),
        "_created_at": to_unix(edge.created_at),
    }


def disabled_types(job: Job) -> list[int]:
    """The numbers of object types that are not to be seen."""
    entries = job.catalog.compiled.others.get("object_type", ())
    types = [entry.definition for entry in entries if isinstance(entry.definition, ObjectTypeDefinition)]
    return [kind.object_type_id for kind in types if not kind.enabled and kind.object_type_id is not None]


__all__ = ["EXTRAS", "NAMED", "disabled_types", "page"]
