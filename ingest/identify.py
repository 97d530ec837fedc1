"""Adding people and updating them: who is meant, which names may change, what is written (PPL-03, PPL-04, API-03)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.data_paths import nested_remove, nested_set, without
from domain.emails import bare_address
from domain.facts import Facts, Position
from domain.operations import Identifier, IdentifierKind, Identify
from domain.values import is_blank, same
from ingest.settle import Change, settle
from ingest.unit import Person, Unit, microseconds
from store import people

NAMES: tuple[IdentifierKind, ...] = ("id", "email")
MOST_ATTRIBUTES = 300
FUTURE_LIMIT = timedelta(minutes=5)
"""How far ahead of its receipt a caller's instant may lie; one further ahead counts as the time of receipt."""
PREFERENCES = "cio_subscription_preferences."


@dataclass
class Update:
    """One write on its way into a person: what it changed and what it could not. `time` is in microseconds."""

    unit: Unit
    person: Person
    at: Position
    identified_by: IdentifierKind
    time: int
    changed: set[str] = field(default_factory=set)
    written: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


async def identify(unit: Unit, operation: Identify, at: Position, new_id: int) -> None:
    """Apply an identify call; `new_id` is the number a person made by it gets."""
    person = find_or_create(unit, operation, at, new_id)
    if person is None:
        return
    before = unit.facts_of(person) if not person.fresh else unit.nobody()
    update = Update(unit, person, at, operation.subject.kind, _written_at(operation, at.at))
    _set_names(update, operation)
    others = {n: v for n, v in operation.attributes.items() if n not in ("id", "email", "cio_id") or _plain(unit, n)}
    write_attributes(update, others, dotted=operation.dotted)
    await finish(update, before)


def _written_at(operation: Identify, received: datetime) -> int:
    """The moment of the write that orders it, in microseconds; one far ahead would lock the attributes until it comes."""
    if operation.timestamp is None:
        return microseconds(received)
    given = operation.timestamp * 1_000_000
    return given if given <= microseconds(received + FUTURE_LIMIT) else microseconds(received)


async def write_person(unit: Unit, person: Person, values: Mapping[str, Any], at: Position) -> dict[str, str]:
    """Write attributes and names of somebody who is loaded, as a workflow block does; returns what was refused and why.

    Dotted names mean members, blank values remove; names follow the rules of a call by cio_id.
    """
    before = unit.facts_of(person)
    update = Update(unit, person, at, "cio_id", microseconds(unit.now))
    names = {name: value for name, value in values.items() if name in NAMES and not _plain(unit, name)}
    if names:
        operation = Identify(subject=Identifier(kind="cio_id", value=person.cio_id), attributes=names)
        wanted = {(i.kind, i.value_key) for i in operation.identifiers() if i.kind != "cio_id"}
        found = await people.resolve(unit.conn, unit.catalog.workspace_id, wanted)
        unit.names |= {name: found.get(name) for name in wanted} | _own_names(person)
        _set_names(update, operation)
    write_attributes(update, without(values, [*names, "cio_id"]), dotted=True)
    await finish(update, before)
    return {name: why for name, why in update.failed.items() if why != "skipped"}


def _own_names(person: Person) -> dict[tuple[str, str], int | None]:
    own = {kind: getattr(person.row, kind) for kind in NAMES}
    return {
        (kind, Identifier(kind=kind, value=value).value_key): person.person_id
        for kind, value in own.items()
        if value is not None
    }


def find_or_create(unit: Unit, operation: Identify, at: Position, new_id: int) -> Person | None:
    """The person a call means: by its subject, by another name in its body, or a new one; None where it is dropped."""
    subject = operation.subject
    if subject.kind == "cio_id":
        return owner_of(unit, subject)
    person = owner_of(unit, subject)
    if person is not None:
        return person
    for kind in NAMES:
        named = _in_body(operation, kind, unit)
        other = owner_of(unit, named) if named is not None else None
        if other is None:
            continue
        if getattr(other.row, subject.kind) is None:
            return other
        reason = f"The person with this {kind} already has another {subject.kind}."
        _log_failure(unit, other, {subject.kind: reason}, operation.attributes, at)
        return None
    if operation.update_only:
        _log_failure(unit, None, {subject.kind: "Nobody matches, and the call may not create anybody."}, {}, at)
        return None
    return create(unit, subject, at, new_id)


def create(unit: Unit, subject: Identifier, at: Position, new_id: int) -> Person:
    """A new person with this name."""
    person = unit.create_person(new_id)
    setattr(person.row, subject.kind, subject.value)
    unit.name(subject.kind, subject.value_key, new_id)
    person.row.attribute_times[subject.kind] = microseconds(at.at)
    unit.record(person, "person_created", None, {subject.kind: subject.value}, at)
    unit.count("workspace", 0, "people")
    return person


def owner_of(unit: Unit, name: Identifier) -> Person | None:
    """Whose name this is, if it is somebody's."""
    owner = unit.names.get((name.kind, name.value_key))
    return unit.people.get(owner) if owner is not None else None


def write_attributes(update: Update, attributes: Mapping[str, Any], *, dotted: bool = False) -> None:
    """Set and remove attributes; the later write wins, one that changes nothing touches nothing.

    With `dotted` a name with dots means a member (workflow blocks); in calls only subscription preferences do.
    """
    row = update.person.row
    for name, value in attributes.items():
        nested = dotted or name.startswith(PREFERENCES)
        top = name.partition(".")[0] if nested and name not in row.attributes else name
        if update.time < row.attribute_times.get(top, 0):
            update.failed[name] = "skipped"
            continue
        after = _written(row.attributes, name, value, nested=nested)
        if same(after.get(top), row.attributes.get(top)):
            continue
        if top not in row.attributes and len(row.attributes) >= MOST_ATTRIBUTES:
            update.failed[name] = f"A person has at most {MOST_ATTRIBUTES} attributes."
            continue
        row.attributes = after
        row.attribute_times = {**row.attribute_times, top: update.time}
        update.written[name] = value
        update.changed.add(top)


def _written(document: dict[str, Any], name: str, value: Any, *, nested: bool) -> dict[str, Any]:
    if is_blank(value):
        return nested_remove(document, name) if nested else without(document, [name])
    return nested_set(document, name, value) if nested else {**document, name: value}


async def finish(update: Update, before: Facts) -> None:
    """Log what the call did and settle what follows from it."""
    unit, person = update.unit, update.person
    skipped = [name for name, why in update.failed.items() if why == "skipped"]
    failures = without(update.failed, skipped)
    if skipped:
        unit.record(
            person, "skipped_update", None, {"attributes": skipped, "reason": "A later write came first."}, update.at
        )
    if failures:
        _log_failure(unit, person, failures, {}, update.at)
    if update.changed or person.fresh:
        person.changed = True
        person.touch()
    if update.written:
        unit.record(person, "attribute_change", None, {"attributes": update.written}, update.at)
    if update.changed or person.fresh:
        await settle(unit, person, Change(before, update.at, attributes=frozenset(update.changed)))


def _set_names(update: Update, operation: Identify) -> None:
    """Give the person the names of the subject and of the body, as far as the rules allow."""
    unit, row = update.unit, update.person.row
    if operation.subject.kind != "cio_id" and getattr(row, operation.subject.kind) is None:
        _give(update, operation.subject)
    for kind in NAMES:
        if kind not in operation.attributes or _plain(unit, kind):
            continue
        if is_blank(operation.attributes[kind]):
            _take_away(update, kind)
            continue
        named = _in_body(operation, kind, unit)
        if named is None:
            update.failed[kind] = f"Not {'an email address' if kind == 'email' else 'an id'}."
            continue
        current = getattr(row, kind)
        if current is not None and Identifier(kind=kind, value=current).value_key == named.value_key:
            continue
        refusal = _refusal(update, named, current)
        if refusal is None:
            _give(update, named)
        else:
            update.failed[kind] = refusal


def _refusal(update: Update, named: Identifier, current: str | None) -> str | None:
    """Why the name may not become the person's, None where it may."""
    owner = update.unit.names.get((named.kind, named.value_key))
    if owner is not None and owner != update.person.person_id:
        return f"Another person has this {named.kind}; people are not merged by a call in this version."
    if current is None or update.identified_by == "cio_id":
        return None
    if named.kind == "id":
        return "An id that is set changes only in calls that name the person by cio_id."
    if update.identified_by == "id" and update.unit.catalog.settings.email_update_by == "cio_id_or_id":
        return None
    return "An email that is set changes only in calls that name the person by cio_id" + (
        "." if update.unit.catalog.settings.email_update_by == "cio_id" else " or id."
    )


def _give(update: Update, name: Identifier) -> None:
    unit, row = update.unit, update.person.row
    before = getattr(row, name.kind)
    if before is not None:
        unit.name(name.kind, Identifier(kind=name.kind, value=before).value_key, None)
    setattr(row, name.kind, name.value)
    unit.name(name.kind, name.value_key, row.person_id)
    row.attribute_times = {**row.attribute_times, name.kind: update.time}
    update.changed.add(name.kind)
    update.written[name.kind] = name.value


def _take_away(update: Update, kind: IdentifierKind) -> None:
    row = update.person.row
    current = getattr(row, kind)
    if current is None:
        return
    other = row.email if kind == "id" else row.id
    if other is None:
        update.failed[kind] = "A person keeps at least one of id and email."
        return
    update.unit.name(kind, Identifier(kind=kind, value=current).value_key, None)
    setattr(row, kind, None)
    update.changed.add(kind)
    update.written[kind] = None


def _in_body(operation: Identify, kind: IdentifierKind, unit: Unit) -> Identifier | None:
    """The name of a kind that the body carries, where it can be one."""
    value = operation.attributes.get(kind)
    if _plain(unit, kind) or isinstance(value, bool) or not isinstance(value, str | int) or is_blank(value):
        return None
    name = Identifier(kind=kind, value=str(value).strip() if kind == "email" else str(value))
    if kind == "email" and bare_address(name.value) is None:
        return None
    return name


def _plain(unit: Unit, name: str) -> bool:
    """Whether `email` is an ordinary attribute here (PPL-02)."""
    return name == "email" and unit.catalog.settings.identifiers == "id_only"


def _log_failure(
    unit: Unit, person: Person | None, reasons: Mapping[str, str], attributes: Mapping[str, Any], at: Position
) -> None:
    data: dict[str, Any] = {"reasons": dict(reasons)}
    if attributes:
        data["attributes"] = dict(attributes)
    unit.record(person, "failed_attribute_change", None, data, at)


__all__ = [
    "FUTURE_LIMIT",
    "Update",
    "create",
    "find_or_create",
    "finish",
    "identify",
    "owner_of",
    "write_attributes",
    "write_person",
]
