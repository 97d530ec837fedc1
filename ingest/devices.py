"""Devices of people: a token is registered, moves to whom it was registered for last, and goes (PPL-19, API-08)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from domain.condition_keys import DEVICES
from domain.devices import ANNOUNCED, UNUSED, status_after
from domain.facts import Position
from domain.operations import DEVICE, AddDevice, DeleteDevice, Name
from domain.outcomes import Done
from domain.values import is_blank, same, to_unix
from ingest.creation import create, owner_of
from ingest.events import instant_of
from ingest.record_changes import settle_records
from ingest.unit import Person, Unit
from store import devices
from store.devices import DeviceRow
from store.merges import MOST_DEVICES

What = Literal["added", "changed", "deleted", "evicted", "moved"]


async def add_device(unit: Unit, operation: AddDevice, at: Position) -> Done:
    """Register a token for somebody, who is created if need be."""
    person = owner_of(unit, operation.subject)
    if person is None and operation.subject.kind == "cio_id":
        return Done("ignored", note="The person does not exist.")
    person = person or await create(unit, operation.subject, at)
    if person is None:
        return Done("suppressed")
    befores = {person.person_id: unit.nobody() if person.fresh else unit.facts_of(person)}
    workspace_id = unit.catalog.workspace_id
    known = await devices.get(unit.conn, workspace_id, operation.token)
    if known is not None and known.person_id != person.person_id:
        other = unit.people.get(known.person_id)
        if other is not None:
            befores = {other.person_id: unit.facts_of(other), **befores}
        _record(unit, other, known, "moved", at)
        known = None
    row = _registered(person, operation, known, at)
    await devices.save(unit.conn, workspace_id, row)
    unit.names[Name(DEVICE, operation.token)] = person.person_id
    told = known is None or not same(_told(known), _told(row))
    if told:
        _record(unit, person, row, "added" if known is None else "changed", at)
    if known is None:
        for gone in await devices.evict(unit.conn, workspace_id, person.person_id, MOST_DEVICES):
            unit.names[Name(DEVICE, gone.token)] = None
            _record(unit, person, gone, "evicted", at)
    if told or known is None or known.last_used != row.last_used:
        await settle_records(unit, befores, at, DEVICES)
    return Done("applied", person.person_id)


async def delete_device(unit: Unit, operation: DeleteDevice, at: Position) -> Done:
    """Forget a token of somebody; whoever else has it keeps it."""
    person = owner_of(unit, operation.subject)
    if person is None:
        return Done("ignored", note="The person does not exist.")
    row = await devices.get(unit.conn, unit.catalog.workspace_id, operation.token)
    if row is None or row.person_id != person.person_id:
        return Done("ignored", person.person_id, "The person has no such device.")
    before = unit.facts_of(person)
    await devices.delete(unit.conn, unit.catalog.workspace_id, operation.token)
    unit.names[Name(DEVICE, operation.token)] = None
    _record(unit, person, row, "deleted", at)
    await settle_records(unit, {person.person_id: before}, at, DEVICES)
    return Done("applied", person.person_id)


def _registered(person: Person, operation: AddDevice, known: DeviceRow | None, at: Position) -> DeviceRow:
    """The device as it is after the call; `known` is what it was, where it was this person's already."""
    used = instant_of(operation.last_used, at.at)
    if known is None:
        attributes = _merged({}, operation.attributes)
        return DeviceRow(operation.token, person.person_id, operation.platform, used, UNUSED, attributes, at.at)
    return replace(
        known,
        platform=operation.platform,
        last_used=max(used, known.last_used),
        last_status=status_after(known.last_status, "registered") or UNUSED,
        attributes=_merged(known.attributes, operation.attributes),
    )


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with those given laid over them; null and the empty text remove one, the status is not the caller's."""
    merged = {**before, **given}
    return {name: value for name, value in merged.items() if not is_blank(value) and name != ANNOUNCED}


def _told(row: DeviceRow) -> dict[str, Any]:
    """What of a device makes a line in the log when it changes: all but when it was used last."""
    return {"platform": row.platform, ANNOUNCED: row.last_status, "attributes": row.attributes}


def _record(unit: Unit, person: Person | None, row: DeviceRow, what: What, at: Position) -> None:
    device = {"id": row.token, "last_used": to_unix(row.last_used), **_told(row)}
    unit.record(person, "device_change", None, {"change": what, "device": device}, at)


__all__ = ["add_device", "delete_device"]
