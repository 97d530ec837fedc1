"""Journeys as a table, newest first, and what happened at each block as a second one (CMP-30, PPL-49)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.exports import JourneysExport
from domain.values import from_unix, to_unix
from services.exporting.job import PAGE, Job, Row
from services.looking import journeys as looking
from store import journeys as rows
from store.journeys import JourneyRow
from store.reads import journeys as reads
from store.reads import people as people_reads
from store.reads.journeys import JourneyFilter
from store.reads.people import PersonRead

FILE: Final = "journeys.csv"
STEPS_FILE: Final = "steps.csv"
_NAMES: Final = ("id", "email", "cio_id")
COLUMNS: Final = (
    "journey_id",
    "campaign_id",
    "campaign",
    *_NAMES,
    "state",
    "reason",
    "explanation",
    "started_at",
    "ended_at",
    "converted_at",
    "version",
    "block",
    "arrived_at",
    "due_at",
)
STEP_COLUMNS: Final = (
    "journey_id",
    "seq_num",
    "output_id",
    "output_type",
    "block",
    "action_id",
    "outcome",
    "explanation",
    "path",
    "branch_index",
    "delivery_id",
    "draft",
    "delay_ends_at",
    "created_at",
    "left_at",
)


async def page(job: Job) -> bool:
    """The next journeys; False when none is left."""
    request = JourneysExport.model_validate(job.row.request)
    found = await reads.page(job.conn, job.workspace_id, _filter(request), before=job.state.get("last"), limit=PAGE)
    people = await people_reads.by_numbers(job.conn, job.workspace_id, [journey.person_id for journey in found])
    columns = [*COLUMNS, *(name for name in request.attributes if name not in COLUMNS)]
    job.row.total += job.add_rows(FILE, columns, (_row(job, request, journey, people) for journey in found))
    if request.steps:
        await _steps(job, found)
    job.looked(len(found))
    if found:
        job.state["last"] = found[-1].journey_id
    return len(found) == PAGE


def _filter(request: JourneysExport) -> JourneyFilter:
    assert isinstance(request.campaign, int), "it is kept by its number"
    return JourneyFilter(
        campaign_id=request.campaign,
        state=request.state,
        block=request.block,
        started_from=None if request.start is None else from_unix(request.start),
        started_until=None if request.end is None else from_unix(request.end + 1),
    )


def _row(job: Job, request: JourneysExport, journey: JourneyRow, people: Mapping[int, PersonRead]) -> Row:
    person = people.get(journey.person_id)
    shown = looking.shown(job.catalog, journey, person)
    position = shown["position"] or {}
    cells: dict[str, Any] = {name: shown.get(name) for name in COLUMNS if name not in _NAMES}
    cells |= {"journey_id": journey.journey_id}
    cells |= {name: position.get(name) for name in ("block", "arrived_at", "due_at")}
    if person is not None:
        known = {**person.attributes, "_created_in_customerio_at": to_unix(person.created_at)}
        cells |= {name: known.get(name) for name in request.attributes if name not in COLUMNS} | person.identifiers
    return Row(_whose(journey), cells)


def _whose(journey: JourneyRow) -> int | None:
    """Whose line it is, and goes with; None where nobody travels."""
    return journey.person_id if journey.travelled else None


async def _steps(job: Job, found: Sequence[JourneyRow]) -> None:
    whose = {journey.journey_id: _whose(journey) for journey in found}
    steps = await rows.steps_of_many(job.conn, found)
    lines = (Row(whose[step.journey_id], {**looking.step_shown(step), "journey_id": step.journey_id}) for step in steps)
    job.add_rows(STEPS_FILE, STEP_COLUMNS, (Row(who, {n: cells[n] for n in STEP_COLUMNS}) for who, cells in lines))


__all__ = ["page"]
