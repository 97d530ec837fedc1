"""Files in and out: imports with their rows and errors, exports with their lines."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.types import bigint, bigints, blob, instant, json, text, texts


class Import(SQLModel, table=True):
    """A CSV file on its way in (PPL-45). `settings` is how it is read; its progress is that of its task.

    `counts` are the rows settled so far: `created`, `updated`, `ignored`, `failed`, and `warned` among them.
    """

    __tablename__ = "imports"
    workspace_id: int = Field(primary_key=True)
    import_id: int = Field(primary_key=True)
    task_id: str = text()
    name: str = text()
    description: str = text()
    type: str = text()
    identifier: str | None = text(null=True)
    object_type_id: int | None = None
    data_to_process: str = text()
    settings: dict[str, Any] = json()
    url: str | None = text(null=True)
    state: str = text()
    error: str = text()
    header: list[str] | None = texts(null=True)
    rows_to_import: int = bigint()
    rows_queued: int = bigint()
    counts: dict[str, int] = json()
    created_at: datetime = instant()
    updated_at: datetime = instant()


class ImportFile(SQLModel, table=True):
    """A piece of an import's file as it came; gone as soon as its rows are read."""

    __tablename__ = "import_files"
    workspace_id: int = Field(primary_key=True)
    import_id: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    data: bytes = blob()


class ImportRow(SQLModel, table=True):
    """One row of an import, kept until it is applied, and longer where it brought errors or warnings.

    `name_keys` are hashes of the identifiers in it, by which an erasure finds it.
    """

    __tablename__ = "import_rows"
    __table_args__ = (Index("import_rows_by_name", "name_keys", postgresql_using="gin"),)
    workspace_id: int = Field(primary_key=True)
    import_id: int = Field(primary_key=True)
    row_no: int = bigint(pk=True)
    cells: list[str] = texts()
    name_keys: list[int] = bigints()
    outcome: str | None = text(null=True)
    errors: list[str] | None = texts(null=True)
    warnings: list[str] | None = texts(null=True)


class Export(SQLModel, table=True):
    """Data on its way out (PPL-49, PPL-50); its lines are kept until it expires.

    `columns` are those of each of its tables, by the name of the file.
    """

    __tablename__ = "exports"
    workspace_id: int = Field(primary_key=True)
    export_id: int = Field(primary_key=True)
    task_id: str = text()
    type: str = text()
    description: str = text()
    request: dict[str, Any] = json()
    state: str = text()
    error: str | None = text(null=True)
    columns: dict[str, list[str]] = json()
    total: int = bigint()
    downloads: int
    created_at: datetime = instant()
    updated_at: datetime = instant()


class ExportLine(SQLModel, table=True):
    """One line of a file of an export, and whom it is about, so that an erasure removes it."""

    __tablename__ = "export_lines"
    __table_args__ = (
        Index("export_lines_by_person", "workspace_id", "person_id", postgresql_where=sql("person_id IS NOT NULL")),
    )
    workspace_id: int = Field(primary_key=True)
    export_id: int = Field(primary_key=True)
    file: str = text(pk=True)
    line_no: int = bigint(pk=True)
    person_id: int | None = bigint(null=True)
    line: str = text()
