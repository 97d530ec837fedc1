"""What imports and exports share at the edge: answers, schemas, numbers in paths, names of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from api.management.schemas import Answer
from domain.errors import NotFound
from domain.exports import REQUESTS
from domain.imports import STATES

REFERENCES: Final = "#/components/schemas/{model}"


class Import(Answer):
    """A CSV file on its way in."""

    id: int
    name: str
    description: str
    type: Literal["people", "event", "relationship", "object"]
    identifier: Literal["id", "email", "cio_id"] | None
    object_type_id: str | None = None
    segment_id: int | None = Field(None, description="The manual segment that people are put into, where there is one.")
    data_to_process: Literal["all", "only_new", "only_existing"]
    people_to_process: Literal["all", "only_new", "only_existing"]
    rows_to_import: int
    rows_imported: int
    rows_created: int
    rows_updated: int
    rows_ignored: int
    rows_failed: int
    rows_warned: int
    state: Literal[STATES]  # type: ignore[valid-type]
    error: str
    created_at: int
    updated_at: int
    task_id: str | None
    error_download_url: str | None = None


class ImportAnswer(Answer):
    """One import."""

    import_: Import = Field(alias="import")


class Imports(Answer):
    """One page, newest first."""

    imports: list[Import]
    next: str


class Export(Answer):
    """Data on its way out."""

    id: int
    deduplicate_id: str
    type: Literal[tuple(REQUESTS)]  # type: ignore[valid-type]
    description: str
    status: Literal["pending", "done", "failed"]
    failed: bool
    downloads: int
    total: int
    created_at: int
    updated_at: int
    user_id: int
    user_email: str
    error: str | None
    task_id: str


class ExportAnswer(Answer):
    """One export."""

    export: Export


class Exports(Answer):
    """All exports, newest first; null where there is none."""

    exports: list[Export] | None


class Link(Answer):
    """Where a file can be fetched for a quarter of an hour, without a key."""

    link: str


def schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a request that a route reads by itself."""
    return kind.model_json_schema(ref_template=REFERENCES)


def number(text: str, what: str) -> int:
    """The number in a path; raises NotFound for anything else."""
    if text.isascii() and text.isdecimal() and len(text) <= 10:
        return int(text)
    raise NotFound(what, text)


def attached(name: str) -> Mapping[str, str]:
    """The headers of a file that is to be saved, not shown."""
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


__all__ = [
    "Export",
    "ExportAnswer",
    "Exports",
    "Import",
    "ImportAnswer",
    "Imports",
    "Link",
    "attached",
    "number",
    "schema_of",
]
