"""What may be asked of an import, and what its columns mean (PPL-45 to PPL-48, APP-14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictInt, StringConstraints, field_validator, model_validator

from domain.csv_files import BadFile
from domain.definitions.base import Name
from domain.documents import Document, Reference, Refusal, refused
from domain.subscriptions import PARTS, PREFERENCES
from domain.track.limits import NAME_BYTES, size

FILE_BYTES: Final = 100 * 1024 * 1024
MOST_COLUMNS: Final = 100
EVENT_COLUMNS: Final = ("_cio_name", "_cio_customer_id", "_cio_timestamp")
LARGEST_TYPE: Final = 2**31 - 1
STATES: Final = (
    "preprocessing",
    "preprocessed",
    "validating",
    "validated",
    "importing",
    "imported",
    "failed",
    "canceled",
)

ImportType = Literal["people", "event", "relationship", "object"]
NamedBy = Literal["id", "email", "cio_id"]
Processed = Literal["all", "only_new", "only_existing"]


class ImportRequest(Document):
    """An import as it is asked for. `data` holds the file itself, in place of `data_file_url`."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=250)]
    type: ImportType
    identifier: NamedBy | None = None
    object_type_id: StrictInt | None = None
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    data_file_url: Annotated[str, StringConstraints(min_length=1, max_length=8192)] | None = None
    data: str | None = None
    data_to_process: Processed = "all"
    empty_cells: Literal["ignore", "clear"] = "ignore"
    mapping: dict[str, str | None] = Field(default_factory=dict)
    segment: Reference | None = None
    new_segment: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _older_name(cls, value: Any) -> Any:
        """`people_to_process` is what `data_to_process` was called first."""
        if isinstance(value, dict) and "people_to_process" in value:
            renamed = dict(value)
            renamed.setdefault("data_to_process", renamed.pop("people_to_process"))
            renamed.pop("people_to_process", None)
            return renamed
        return value

    @field_validator("object_type_id", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        """The vendor writes the number of a type as text."""
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 20:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and not 1 <= value <= LARGEST_TYPE:
            raise refused(Refusal("range", "The number of an object type is 1 or more.", (), value))
        return value

    @model_validator(mode="after")
    def _fits(self) -> ImportRequest:
        problems = list(self._problems())
        if problems:
            raise refused(*problems)
        return self

    def _problems(self) -> Iterator[Refusal]:
        if self.type == "object":
            if self.identifier is not None:
                yield Refusal("not_applicable", "Objects are named by their column `object_id`.", ("identifier",))
            if self.object_type_id is None:
                yield Refusal("required", "Say of which type the objects are.", ("object_type_id",))
        elif self.identifier is None:
            yield Refusal("required", "Say by which column people are named.", ("identifier",))
        elif self.type == "event" and self.identifier == "cio_id":
            yield Refusal("enum", "Events name people by `id` or `email`.", ("identifier",), self.identifier)
        if self.type == "event" and self.data_to_process == "only_new":
            yield Refusal("not_applicable", "Events are of people who exist.", ("data_to_process",))
        if self.type == "people" and self.identifier == "cio_id" and self.data_to_process == "only_new":
            yield Refusal("not_applicable", "Only people who exist have a cio_id.", ("data_to_process",))
        if self.segment is not None and self.type != "people":
            yield Refusal("not_applicable", "Only people can be put into a segment.", ("segment",))
        if self.new_segment is not None and self.type != "people":
            yield Refusal("not_applicable", "Only people can be put into a segment.", ("new_segment",))
        if self.new_segment is not None and self.segment is not None:
            yield Refusal("not_applicable", "Name a segment, or have one made.", ("new_segment",))

    @property
    def settings(self) -> dict[str, Any]:
        """How the file is read, beside what has a column of its own."""
        return {"empty_cells": self.empty_cells, "mapping": self.mapping}


@dataclass(frozen=True)
class Layout:
    """How the rows of one file are read: what each column is, None for one that is skipped."""

    type: str
    identifier: NamedBy | None
    object_type_id: int | None
    data_to_process: str
    clear_empty: bool
    names: tuple[str | None, ...]
    value_bytes: int = 1000

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells by what they are; columns that are skipped are left out."""
        return {name: cell for name, cell in zip(self.names, cells, strict=True) if name is not None}


def layout_of(
    header: Sequence[str],
    *,
    kind: str,
    identifier: NamedBy | None,
    object_type_id: int | None,
    data_to_process: str,
    settings: Mapping[str, Any],
    value_bytes: int,
) -> Layout:
    """What the columns of a file mean; raises BadFile where one is missing or cannot be."""
    mapping: Mapping[str, str | None] = settings.get("mapping") or {}
    unknown = sorted(set(mapping) - set(header))
    if unknown:
        raise BadFile(f"The mapping names a column `{unknown[0]}`, which the file does not have.")
    names = tuple(mapping.get(name, name) for name in header)
    kept = [name for name in names if name is not None]
    for name in kept:
        if kept.count(name) > 1:
            raise BadFile(f"Two columns are mapped to `{name}`.")
        if not name.strip() or name == "_relationship" or size(name) > NAME_BYTES:
            raise BadFile(f"A column cannot be called `{name[:50]}`.")
    layout = Layout(
        kind,
        identifier,
        object_type_id,
        data_to_process,
        settings.get("empty_cells") == "clear",
        names,
        value_bytes,
    )
    _check_columns(layout, kept)
    return layout


def _check_columns(layout: Layout, kept: Sequence[str]) -> None:
    if layout.type == "event":
        _check_event_columns(layout)
        return
    for name in _required(layout):
        if name not in kept:
            raise BadFile(f"There is no column `{name}`.")
    if layout.type == "people":
        for name in kept:
            if name.startswith(f"{PREFERENCES}.") and not _is_preference(name):
                raise BadFile(f"`{name}` is no subscription preference.")


def _is_preference(name: str) -> bool:
    """Whether a column is about one topic or channel."""
    _, part, *named = name.split(".")
    return part in PARTS and bool(named) and all(named)


def _required(layout: Layout) -> list[str]:
    if layout.type == "object":
        return ["object_id"]
    named = layout.identifier or "id"
    if layout.type == "relationship":
        return [*([] if layout.object_type_id is not None else ["object_type_id"]), "object_id", named]
    return [named]


def _check_event_columns(layout: Layout) -> None:
    for place, name in enumerate(EVENT_COLUMNS[:2]):
        if len(layout.names) <= place or layout.names[place] != name:
            raise BadFile(f"Column {place + 1} of a file of events is `{name}`.")
    if EVENT_COLUMNS[2] in layout.names and layout.names[2] != EVENT_COLUMNS[2]:
        raise BadFile(f"Column 3 of a file of events is `{EVENT_COLUMNS[2]}`, where it is there.")


__all__ = [
    "EVENT_COLUMNS",
    "FILE_BYTES",
    "MOST_COLUMNS",
    "STATES",
    "ImportRequest",
    "ImportType",
    "Layout",
    "NamedBy",
    "Processed",
    "layout_of",
]
