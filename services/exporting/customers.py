"""People as a table, and whom they belong to as a second one (PPL-49)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.conditions import Condition, decide
from domain.definitions import ObjectTypeDefinition
from domain.exports import DISPLAYED, MOST_RELATIONSHIPS, PEOPLE_FILE, RELATIONSHIPS_FILE, CustomersExport
from domain.facts import Facts
from domain.ids import cio_id, cio_object_id
from domain.people_filters import narrowing_segment
from domain.subjects import Segment
from domain.values import to_unix
from services.exporting.job import PAGE, ExportFailed, Job, Row
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
    if job.task.total is None:
        job.task.total = await tasks.count_people(job.conn, job.workspace_id)
    narrowed = None if condition is None else narrowing_segment(condition)
    found = await reads.people(job.conn, job.workspace_id, job.task.cursor, PAGE, narrowed)
    if not found:
        job.add_rows(PEOPLE_FILE, _columns(request, condition), ())
        if request.relationships:
            job.add_rows(RELATIONSHIPS_FILE, _RELATED, ())
        job.task.total = job.task.done
        return False
    matched = [person for person in found if _matches(job, condition, person)]
    rows = (Row(person.person_id, _cells(request, condition, person)) for person in matched)
    job.row.total += job.add_rows(PEOPLE_FILE, _columns(request, condition), rows)
    if request.relationships:
        await _relationships(job, [person.person_id for person in matched])
    job.task.cursor = found[-1].person_id
    job.looked(len(found))
    return True


def _matches(job: Job, condition: Condition | None, person: ExportedPerson) -> bool:
    if condition is None:
        return True
    named = {name: value for name, value in person.named.items() if value is not None}
    facts = Facts(
        attributes={**person.attributes, **named, EXTRAS[0]: to_unix(person.created_at)},
        age_start=person.age_start,
        segments=frozenset(person.segments),
        segment_ids=job.catalog.segment_ids,
    )
    return decide(condition, facts, job.moment.now)[0]


def _columns(request: CustomersExport, condition: Condition | None) -> list[str]:
    """The columns that are there whatever people have."""
    segments = [name for number in _segments(condition) for name in _segment_columns(number)]
    if request.attributes is not None:
        chosen = [name for name in request.attributes if name != "id"]
        return list(dict.fromkeys(["id", *chosen, *segments]))
    more = DISPLAYED if request.columns == "displayed" else ()
    return list(dict.fromkeys([*NAMED, *more, *EXTRAS, *segments]))


def _cells(request: CustomersExport, condition: Condition | None, person: ExportedPerson) -> dict[str, Any]:
    extras = {EXTRAS[0]: to_unix(person.created_at), EXTRAS[1]: person.attributes.get("_last_visit")}
    everything = {**person.attributes, **person.named, **extras}
    everything.pop("_last_visit", None)
    if request.attributes is not None:
        cells = {name: everything.get(name) for name in ("id", *request.attributes)}
    elif request.columns == "displayed":
        cells = {name: everything.get(name) for name in (*NAMED, *DISPLAYED, *EXTRAS)}
    else:
        cells = everything
    for number in _segments(condition):
        since = person.segments.get(number)
        if since is not None:
            epoch, readable = _segment_columns(number)
            cells |= {epoch: since, readable: datetime.fromtimestamp(since, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")}
    return cells


def _segments(condition: Condition | None) -> Iterator[int]:
    """The segments that a filter names, each once."""
    leaves = () if condition is None else condition.leaves
    named = (leaf.body.ref for leaf in leaves if isinstance(leaf.body, Segment))
    yield from dict.fromkeys(ref for ref in named if isinstance(ref, int))


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
