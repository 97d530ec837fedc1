"""One import at work: what every page of it has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from domain.imports import Layout, layout_of
from ingest.catalog import Catalog
from services.long_page import Moment
from store.database import Connection
from store.imports import ImportRecord
from store.tasks import TaskRow


@dataclass
class Job:
    """An import under the lock of its task, inside the transaction of a page."""

    conn: Connection
    catalog: Catalog
    task: TaskRow
    row: ImportRecord
    moment: Moment

    @cached_property
    def layout(self) -> Layout:
        """What the columns mean; raises BadFile."""
        row = self.row
        return layout_of(
            row.header or [],
            kind=row.type,
            identifier=row.identifier,  # type: ignore[arg-type]
            object_type_id=row.object_type_id,
            data_to_process=row.data_to_process,
            settings=row.settings,
            value_bytes=self.catalog.settings.limits.attribute_value_bytes,
        )

    @property
    def source(self) -> str:
        """Where facts of the import come from, as the log names it."""
        return f"CSV import: {self.row.name}"


__all__ = ["Job"]
