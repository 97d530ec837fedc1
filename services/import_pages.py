"""The work of an import in pages: its rows put into the log, their outcomes counted (PPL-45)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from domain.csv_files import BadFile
from domain.ids import cio_id
from domain.import_rows import RowRefused, operation_of, subject_of
from domain.operations import AnyOperation, Identifier, ImportRef, SegmentMember
from domain.row_outcomes import NOBODY, RowOutcome
from ingest.catalog import Catalog
from services.import_ending import ended
from services.import_fetching import fetch
from services.import_job import Job
from services.import_reading import read, warn
from services.long_page import LongPage, Moment
from store import import_rows, log
from store import imports as store
from store.database import Connection
from store.import_rows import FileRow
from store.tasks import TaskRow

QUEUE_PAGE = 500
MOST_OUTSTANDING = 2_000
"""How many of its rows the log may hold at once, so that other facts get through."""


async def page(conn: Connection, catalog: Catalog, task: TaskRow, moment: Moment) -> LongPage:
    """The next piece of work of an import."""
    row = await store.get(conn, task.workspace_id, task.payload["import_id"])
    if row is None:
        return LongPage("cancelled")
    job = Job(conn, catalog, task, row, moment)
    try:
        match row.state:
            case "preprocessing":
                done = fetch(task)
            case "preprocessed" | "validating":
                done = await read(job)
            case "validated":
                done = await warn(job)
            case _:
                done = await _import(job)
    except BadFile as bad:
        task.error = str(bad)
        await ended(conn, task, "failed", moment.now)
        return LongPage("failed", told=("tasks",))
    row.updated_at = moment.now
    await store.save(conn, row)
    return done


def words(task: TaskRow) -> str:
    """The import by its number."""
    return f"import {task.payload['import_id']}"


async def _import(job: Job) -> LongPage:
    """Count what was settled, and put the next rows into the log."""
    task, row = job.task, job.row
    moved = await count(job)
    task.done = task.cursor
    room = min(QUEUE_PAGE, MOST_OUTSTANDING - (row.rows_queued - task.cursor))
    if row.rows_queued < row.rows_to_import and room > 0:
        await _queue(job, room)
        return LongPage(told=("ingest",))
    if task.cursor < row.rows_to_import:
        return LongPage(idle=not moved, told=("ingest",) if moved else ())
    row.state = "imported"
    return LongPage("succeeded", told=("ingest",))


async def count(job: Job) -> bool:
    """Count the rows that were settled since, and move the task's cursor to the last; whether there were any."""
    task, row = job.task, job.row
    settled = await import_rows.settled(job.conn, row.workspace_id, row.import_id, task.cursor, row.rows_queued)
    if settled.upto == task.cursor:
        return False
    await _into_segment(job, settled.upto)
    await import_rows.forget_sound(job.conn, row.workspace_id, row.import_id, task.cursor, settled.upto)
    row.counts = {w: row.counted.get(w, 0) + settled.counts.get(w, 0) for w in {*row.counted, *settled.counts}}
    task.cursor = settled.upto
    return True


async def _queue(job: Job, limit: int) -> None:
    """Put rows into the log; those that cannot be taken are settled here."""
    row = job.row
    found = await import_rows.after(job.conn, row.workspace_id, row.import_id, row.rows_queued, limit)
    looked_up = await _looked_up(job, found)
    operations: list[AnyOperation] = []
    refused: list[RowOutcome] = []
    for file_row in found:
        if file_row.error is not None:
            continue
        ref = ImportRef(import_id=row.import_id, row=file_row.row_no)
        try:
            operations.append(_operation(job, file_row, ref, looked_up.get(file_row.row_no)))
        except RowRefused as refusal:
            refused.append(RowOutcome(ref, "failed", str(refusal)))
    await _append(job, operations)
    await import_rows.save_outcomes(job.conn, row.workspace_id, refused)
    # Where everything that is left was removed with the people it was about, there is nothing to wait for.
    row.rows_queued = found[-1].row_no if found else row.rows_to_import


def _operation(job: Job, row: FileRow, ref: ImportRef, meant: Identifier | str | None) -> AnyOperation:
    if isinstance(meant, str):
        raise RowRefused(meant)
    return operation_of(job.layout, row.cells, ref, meant)


async def _append(job: Job, operations: Iterable[AnyOperation]) -> None:
    entries = [log.entry_of(job.row.workspace_id, operation, job.source) for operation in operations]
    await log.append(job.conn, entries, job.moment.real_now)


async def _looked_up(job: Job, rows: Sequence[FileRow]) -> dict[int, Identifier | str]:
    """Whom rows mean, or why nobody, where they name people by an address that identifies nobody (PPL-46)."""
    layout, settings = job.layout, job.catalog.settings
    if layout.type != "people" or layout.identifier != "email" or settings.identifiers != "id_only":
        return {}
    values = {row.row_no: layout.values(row.cells) for row in rows if len(row.cells) == len(layout.names)}
    wanted = sorted({cells["email"] for cells in values.values()})
    people: dict[str, list[Mapping[str, object]]] = {}
    for person in await store.people_with_email(job.conn, job.row.workspace_id, wanted):
        people.setdefault(str(person["email"]), []).append(person)
    return {number: _meant(people.get(cells["email"], []), cells) for number, cells in values.items()}


def _meant(people: Sequence[Mapping[str, object]], cells: Mapping[str, str]) -> Identifier | str:
    if not cells["email"].strip():
        return 'Missing value in the "email" column.'
    if not people:
        return NOBODY
    if len(people) > 1:
        return "Several people have this email."
    person = people[0]
    if cells.get("id", "").strip() and cells["id"] != person["id"]:
        return "Failed Attribute Change: id: The person has another id, which only a row with a cio_id changes."
    return Identifier(kind="cio_id", value=cio_id(int(str(person["person_id"]))))


async def _into_segment(job: Job, upto: int) -> None:
    """Put the people of rows that were imported into the manual segment that was asked for."""
    row = job.row
    segment_id = row.settings.get("segment")
    if segment_id is None:
        return
    rows = await import_rows.taken(job.conn, row.workspace_id, row.import_id, job.task.cursor, upto)
    looked_up = await _looked_up(job, rows)
    members: list[AnyOperation] = []
    for taken in rows:
        subject = looked_up.get(taken.row_no) or subject_of(job.layout, job.layout.values(taken.cells))
        if isinstance(subject, Identifier):
            # Named as a row, so that nobody is made who was removed meanwhile.
            ref = ImportRef(import_id=row.import_id, row=taken.row_no)
            members.append(SegmentMember(subject=subject, segment_id=segment_id, row=ref))
    await _append(job, members)


__all__ = ["count", "ended", "page", "words"]
