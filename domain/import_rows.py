"""Rows of files as operations, or what is wrong with them (PPL-46 to PPL-48)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from domain.emails import bare_address
from domain.errors import DomainError
from domain.imports import EVENT_COLUMNS, MOST_COLUMNS, Layout, NamedBy
from domain.operations import (
    AnyOperation,
    ChangeRelationships,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    ImportRef,
    ObjectRef,
    TrackEvent,
    key_of_name,
)
from domain.subscriptions import PREFERENCES
from domain.track.identifiers import id_faults
from domain.track.limits import EVENT_DATA_BYTES, EVENT_NAME_BYTES, ID_BYTES, LARGEST_TYPE, moment, size
from domain.values import check_json

_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}
_NAMES: Final[tuple[NamedBy, ...]] = ("id", "email")
_CIO_PREFIX: Final = "cio_"


class RowRefused(Exception):
    """A row that cannot be taken; the message is for whoever sent the file."""


def operation_of(
    layout: Layout, cells: Sequence[str], ref: ImportRef, subject: Identifier | None = None
) -> AnyOperation:
    """What a row asks for; `subject` is whom it means where that had to be looked up. Raises RowRefused."""
    if len(cells) != len(layout.names):
        raise RowRefused(f"The row has {len(cells)} cells, and the file {len(layout.names)} columns.")
    values = layout.values(cells)
    match layout.type:
        case "people":
            return _person(layout, values, ref, subject)
        case "event":
            return _event(layout, values, ref)
        case "object":
            return _object(layout, values, ref)
        case _:
            return _relationship(layout, values, ref)


def subject_of(layout: Layout, values: Mapping[str, str], column: str | None = None) -> Identifier:
    """The person a row names by its identifier; raises RowRefused."""
    kind = layout.identifier or "id"
    column = column or kind
    value = values[column]
    if not value.strip():
        raise RowRefused(f'Missing value in the "{column}" column.')
    if kind == "cio_id":
        return Identifier(kind="cio_id", value=value.strip().removeprefix(_CIO_PREFIX))
    if kind == "email":
        if bare_address(value) is None:
            raise RowRefused("Not an email address.")
        return Identifier(kind="email", value=value.strip())
    if id_faults(value):
        raise RowRefused(f"An id has at most {ID_BYTES} bytes.")
    return Identifier(kind="id", value=value)


def name_keys(layout: Layout, cells: Sequence[str]) -> list[int]:
    """Hashes of the identifiers in a row, by which it is found: of people those of id and email, 0 where there is none.

    In a row that does not fit the columns every cell may be a name of somebody.
    """
    if len(cells) != len(layout.names):
        return [0, 0, *(_key(kind, cell) for cell in cells[:MOST_COLUMNS] for kind in _NAMES if cell.strip())]
    values = layout.values(cells)
    if layout.type == "people":
        keys = [_key(kind, values.get(kind, "")) for kind in _NAMES]
        return [*keys, _key("cio_id", values["cio_id"])] if values.get("cio_id") else keys
    if layout.type == "object":
        return []
    column = EVENT_COLUMNS[1] if layout.type == "event" else layout.identifier or "id"
    return [_key(layout.identifier or "id", values[column])]


def _key(kind: NamedBy, value: str) -> int:
    text = value.removeprefix(_CIO_PREFIX) if kind == "cio_id" else value
    return key_of_name(Identifier(kind=kind, value=text).name) if text.strip() else 0


def _person(layout: Layout, values: Mapping[str, str], ref: ImportRef, found: Identifier | None) -> Identify:
    subject = found or subject_of(layout, values)
    attributes: dict[str, Any] = {}
    for name, cell in values.items():
        if name in (layout.identifier, "cio_id"):
            continue
        if not cell.strip():
            if layout.clear_empty and name not in _NAMES:
                attributes[name] = ""
            continue
        attributes[name] = _attribute(layout, name, cell)
    existing = layout.data_to_process == "only_existing" or subject.kind == "cio_id"
    return Identify(
        subject=subject,
        attributes=attributes,
        update_only=existing,
        create_only=layout.data_to_process == "only_new",
        all_or_nothing=True,
        row=ref,
    )


def _attribute(layout: Layout, name: str, cell: str) -> Any:
    """The value of a cell: text as it is, but for subscription preferences."""
    if name == PREFERENCES:
        return _preferences(cell)
    if name.startswith(f"{PREFERENCES}."):
        chosen = _BOOLEANS.get(cell.strip().casefold())
        if chosen is None:
            raise RowRefused(f'The "{name}" column takes true or false.')
        return chosen
    if size(cell) > layout.value_bytes:
        raise RowRefused(f'The value in the "{name}" column is longer than {layout.value_bytes} bytes.')
    return cell


def _preferences(cell: str) -> dict[str, Any]:
    try:
        value = orjson.loads(cell)
        check_json(value)
    except (orjson.JSONDecodeError, DomainError):
        value = None
    if not isinstance(value, dict):
        raise RowRefused(f'The "{PREFERENCES}" column takes a JSON object.')
    return value


def _event(layout: Layout, values: dict[str, str], ref: ImportRef) -> TrackEvent:
    name_column, person_column, time_column = EVENT_COLUMNS
    subject = subject_of(layout, values, person_column)
    name = values[name_column].strip()
    if not name:
        raise RowRefused(f'Missing value in the "{name_column}" column.')
    if size(name) > EVENT_NAME_BYTES:
        raise RowRefused(f"The name of an event has at most {EVENT_NAME_BYTES} bytes.")
    faults: list[Any] = []
    when = moment(values.get(time_column, "").strip(), time_column, faults)
    if faults:
        raise RowRefused(f'The "{time_column}" column takes Unix seconds.')
    data = {column: cell for column, cell in values.items() if column not in EVENT_COLUMNS and cell != ""}
    if size(data) > EVENT_DATA_BYTES:
        raise RowRefused(f"The data of an event has at most {EVENT_DATA_BYTES} bytes.")
    return TrackEvent(subject=subject, name=name, data=data, timestamp=when, existing_only=True, row=ref)


def _object(layout: Layout, values: Mapping[str, str], ref: ImportRef) -> IdentifyObject:
    assert layout.object_type_id is not None, "a request without one is refused"
    return IdentifyObject(
        object=ObjectRef(object_type_id=layout.object_type_id, object_id=_object_id(values)),
        attributes=_plain(layout, values, {"object_id"}),
        update_only=layout.data_to_process == "only_existing",
        create_only=layout.data_to_process == "only_new",
        row=ref,
    )


def _relationship(layout: Layout, values: Mapping[str, str], ref: ImportRef) -> ChangeRelationships:
    subject = subject_of(layout, values)
    said = values.get("object_type_id", "").strip() or str(layout.object_type_id or "")
    if not (said.isascii() and said.isdecimal() and len(said) <= 10 and 1 <= int(said) <= LARGEST_TYPE):
        raise RowRefused('The "object_type_id" column takes the number of an object type.')
    own = {"object_type_id", "object_id", *_NAMES, "cio_id"}
    edge = Edge(
        person=subject,
        object=ObjectRef(object_type_id=int(said), object_id=_object_id(values)),
        attributes=_plain(layout, values, own),
    )
    return ChangeRelationships(edges=[edge], existing_only=True, row=ref)


def _object_id(values: Mapping[str, str]) -> str:
    value = values["object_id"]
    if not value.strip():
        raise RowRefused('Missing value in the "object_id" column.')
    if size(value) > ID_BYTES:
        raise RowRefused(f"The id of an object has at most {ID_BYTES} bytes.")
    return value


def _plain(layout: Layout, values: Mapping[str, str], without: set[str]) -> dict[str, Any]:
    """Attributes of objects and relationships: text, empty cells left out or removing."""
    found: dict[str, Any] = {}
    for name, cell in values.items():
        if name in without:
            continue
        if cell.strip():
            if size(cell) > layout.value_bytes:
                raise RowRefused(f'The value in the "{name}" column is longer than {layout.value_bytes} bytes.')
            found[name] = cell
        elif layout.clear_empty:
            found[name] = ""
    return found


__all__ = ["RowRefused", "name_keys", "operation_of", "subject_of"]
