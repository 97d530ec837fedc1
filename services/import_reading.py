"""The file of an import read into rows, and its rows held against one another (PPL-45)."""

from __future__ import annotations

from domain.csv_files import BadFile, Record, header_of, records, start_of
from domain.import_rows import name_keys
from domain.imports import MOST_COLUMNS, Layout
from services.import_job import Job
from services.long_page import LongPage
from store import import_rows
from store import imports as store
from store.import_rows import FileRow
from store.imports import PIECE_BYTES

READ_PAGE = 2_000
READ_BYTES = PIECE_BYTES
WINDOW_PIECES = 4
WARNED_TOGETHER = 16_000


async def read(job: Job) -> LongPage:
    """Read the next rows of the file; the first page looks at the header. Raises BadFile."""
    conn, task, row = job.conn, job.task, job.row
    offset = task.cursor
    window, final = await store.window(conn, row.workspace_id, row.import_id, offset, WINDOW_PIECES)
    if row.header is None:
        begin = _header(job, window, final=final)
        window, offset = window[begin:], offset + begin
    rows, end, whole = _rows(job, window, final=final)
    await import_rows.insert(conn, row.workspace_id, row.import_id, rows)
    row.rows_to_import += len(rows)
    if whole and final:
        await store.drop_pieces(conn, row.workspace_id, row.import_id)
        row.state, task.cursor, task.total = "validated", 0, row.rows_to_import
    else:
        row.state, task.cursor = "validating", offset + end
        await store.drop_pieces(conn, row.workspace_id, row.import_id, task.cursor // PIECE_BYTES)
    return LongPage()


def _header(job: Job, window: bytes, *, final: bool) -> int:
    """Take the names of the columns from the first row; returns where the second begins."""
    start = start_of(window)
    found = next(records(window[start:], final=final), None)
    if found is None:
        raise BadFile("The file is empty." if final else "The first row is too long.")
    if found.fault is not None:
        raise BadFile(f"The first row cannot be taken. {found.fault}")
    job.row.header = header_of(found.cells, MOST_COLUMNS)
    return start + found.end


def _rows(job: Job, window: bytes, *, final: bool) -> tuple[list[FileRow], int, bool]:
    """A page of rows, where they end, and whether no whole one is left in the window."""
    before = job.row.rows_to_import
    rows: list[FileRow] = []
    end, layout = 0, job.layout
    try:
        for record in records(window, final=final):
            rows.append(_file_row(layout, before + len(rows) + 1, record))
            end = record.end
            if len(rows) == READ_PAGE or end >= READ_BYTES:
                return rows, end, False
    except BadFile as bad:
        raise BadFile(f"Row {before + len(rows) + 1}: {bad}") from None
    if not rows and not final:
        raise BadFile(f"Row {before + 1} is too long; is a quote not closed?")
    return rows, end, True


def _file_row(layout: Layout, row_no: int, record: Record) -> FileRow:
    return FileRow(row_no, record.cells, name_keys(layout, record.cells), record.fault)


async def warn(job: Job) -> LongPage:
    """Look for rows that contradict one another, a part of the file's identifiers at a time."""
    task, row = job.task, job.row
    parts = row.rows_to_import // WARNED_TOGETHER + 1
    if row.type != "people" or task.cursor >= parts:
        row.state, task.cursor = "importing", 0
        return LongPage()
    await import_rows.warn_of_several_emails(job.conn, row.workspace_id, row.import_id, task.cursor, parts)
    await import_rows.warn_of_same_email(job.conn, row.workspace_id, row.import_id, task.cursor, parts)
    task.cursor += 1
    return LongPage()


__all__ = ["read", "warn"]
