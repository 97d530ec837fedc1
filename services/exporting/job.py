"""One export at work: what every page of it has at hand, and where its lines go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from domain.values import text_form
from ingest.catalog import Catalog
from services.long_page import Moment
from store import exports as store
from store.database import Connection
from store.exports import ExportRecord, Line
from store.tasks import TaskRow

PAGE = 1_000


class Row(NamedTuple):
    """One row of a table: whom it is about, and its cells by column."""

    person_id: int | None
    cells: Mapping[str, Any]


class ExportFailed(Exception):
    """The export cannot be made; the message is for whoever asked."""


@dataclass
class Job:
    """An export under the lock of its task, inside the transaction of a page.

    `state` is what the pages remember between them; `lines` are written at the end of the page.
    """

    conn: Connection
    catalog: Catalog
    task: TaskRow
    row: ExportRecord
    moment: Moment
    lines: list[Line] = field(default_factory=list)

    @property
    def workspace_id(self) -> int:
        """The workspace."""
        return self.row.workspace_id

    @property
    def state(self) -> dict[str, Any]:
        """Where the walk stands, beside the task's cursor."""
        found: dict[str, Any] = self.task.payload.setdefault("state", {})
        return found

    def add_rows(self, file: str, base: Sequence[str], rows: Iterable[Row]) -> int:
        """Add rows to a table whose first columns are `base`; whatever else they have becomes a column."""
        columns = self.row.columns.setdefault(file, list(base))
        known = set(columns)
        count = 0
        for row in rows:
            cells = {name: text_form(value) for name, value in row.cells.items() if value is not None}
            fresh = sorted(cells.keys() - known)
            columns += fresh
            known |= set(fresh)
            self.add_line(file, row.person_id, orjson.dumps(cells).decode())
            count += 1
        return count

    def add_line(self, file: str, person_id: int | None, line: str) -> None:
        """Add a line to a file as it is."""
        numbers: dict[str, int] = self.state.setdefault("lines", {})
        numbers[file] = numbers.get(file, 0) + 1
        self.lines.append(Line(file, numbers[file], person_id, line))

    async def write(self) -> None:
        """Store the lines of the page."""
        await store.add_lines(self.conn, self.workspace_id, self.row.export_id, self.lines)

    def looked(self, count: int) -> None:
        """Note how far the walk has come."""
        self.task.done += count


__all__ = ["PAGE", "ExportFailed", "Job", "Row"]
