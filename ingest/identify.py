"""Adding people and updating them: who is meant, which names may change, what is written (PPL-03, PPL-04, API-03)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.data_paths import nested_remove, nested_set, without
from domain.emails import bare_address
from domain.facts import Facts, Position
from domain.operations import Identifier, IdentifierKind, Identify, identifier
from domain.outcomes import Done
from domain.subscriptions import merged_preferences
from domain.values import is_blank, same, to_unix
from ingest.creation import create, owner_of, written_at
from ingest.merging import merge_automatically
from ingest.settle import Change, settle
from ingest.suppressing import suppressed_among
from ingest.unit import NAMES, Person, Unit, microseconds
from store.names import resolve

ID_BYTES = 150
PREFERENCES = "cio_subscription_preferences."
SKIPPED = "skipped"
"""Why an attribute was not written that a later call has written already."""
QUIET = frozenset({"_last_visit"})
"""Attributes whose change makes no line in the activity log (PPL-16)."""
CREATED = "_created_in_customerio_at"
RESERVED = frozenset({CREATED, "cio_id", "cio_relationships", "_relationship"})
_NO_NAME = {"id": "Not an id.", "email": "Not an email address."}


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
    before: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


async def identify(unit: Unit, operation: Identify, at: Position) -> Done:
    """Apply an identify call."""
    person = await find_or_create(unit, operation, at)
    if isinstance(person, Done):
        return person
    before = unit.facts_of(person) if not person.fresh else unit.nobody()
    update = Update(unit, person, at, operation.subject.kind, microseconds(written_at(operation.timestamp, at.at)))
    _set_names(update, operation)
    others = {n: v for n, v in operation.attributes.items() if n not in ("id", "email", "cio_id") or _plain(unit, n)}
    write_attributes(update, others, dotted=operation.dotted, merge_preferences=operation.merge_preferences)
    for name, value in operation.attributes.items():
        if update.failed.get(name, SKIPPED) == SKIPPED:
            unit.seen.note("attribute", name, value, unit.source)
    await finish(update, before)
    failures = [f"{name}: {why}" for name, why in update.failed.items() if why != SKIPPED]
    return Done("applied", person.person_id, " ".join(failures) or None)


async def write_person(unit: Unit, person: Person, values: Mapping[str, Any], at: Position) -> dict[str, str]:
    """Write attributes and names of somebody who is loaded, as a workflow block does; returns what was refused and why.

    Dotted names mean members, blank values remove; names follow the rules of a call by cio_id.
    """
    before = unit.facts_of(person)
    update = Update(unit, person, at, "cio_id", microseconds(unit.now))
    names = {name: value for name, value in values.items() if name in NAMES and not _plain(unit, name)}
    if names:
        operation = Identify(subject=Identifier(kind="cio_id", value=person.cio_id), attributes=names)
        wanted = {i.name for i in operation.identifiers() if i.kind != "cio_id"}
        found = await resolve(unit.conn, unit.catalog.workspace_id, wanted)
        unit.names |= {name: found.get(name) for name in wanted} | person.names
        unit.suppressed |= await suppressed_among(unit.conn, unit.catalog.workspace, wanted)
        _set_names(update, operation)
    write_attributes(update, without(values, [*names, "cio_id"]), dotted=True)
    await finish(update, before)
    return {name: why for name, why in update.failed.items() if why != SKIPPED}


async def find_or_create(unit: Unit, operation: Identify, at: Position) -> Person | Done:
    """The person a call means: by its subject, by another name in its body, or a new one; else why it is dropped."""
    subject = operation.subject
    found = await _find(unit, operation, at)
    if isinstance(found, Done):
        return found
    if found is not None:
        if operation.create_only:
            return Done("ignored", found.person_id, "The person exists already.")
        refusals = _refusals(unit, found, operation) if operation.all_or_nothing else {}
        if refusals:
            _log_failure(unit, found, refusals, {}, at)
            return Done("failed", found.person_id, _sentences(refusals))
        return found
    refusals = _refusals(unit, None, operation) if operation.all_or_nothing else {}
    if operation.update_only:
        refusals = {subject.kind: "Nobody matches, and the call may not create anybody."}
    if refusals:
        _log_failure(unit, None, refusals, {}, at)
        return Done("failed", note=_sentences(refusals))
    return await create(unit, subject, at) or Done("suppressed")


async def _find(unit: Unit, operation: Identify, at: Position) -> Person | Done | None:
    """Somebody there, where the call names one person only, or two that it makes one (PPL-08)."""
    subject = operation.subject
    person = owner_of(unit, subject)
    if subject.kind == "cio_id":
        return person or Done("ignored", note="Nobody has this cio_id.")
    if person is not None:
        other = _body_owner(unit, operation)
        if other is None or other is person:
            return person
        # Merging leads to anonymous events, and those back here.

        return await merge_automatically(unit, person, other, at) or person
    for kind in NAMES:
        named = in_body(operation, kind, unit)
        other = owner_of(unit, named) if named is not None else None
        if other is None:
            continue
        if getattr(other.row, subject.kind) is None:
            return other
        reason = f"The person with this {kind} already has another {subject.kind}."
        _log_failure(unit, other, {subject.kind: reason}, operation.attributes, at)
        return Done("failed", other.person_id, reason)
    return None


def _body_owner(unit: Unit, operation: Identify) -> Person | None:
    """Whom the other identifier of a call names."""
    kind: IdentifierKind = "email" if operation.subject.kind == "id" else "id"
    named = in_body(operation, kind, unit)
    return owner_of(unit, named) if named is not None else None


def write_attributes(
    update: Update, attributes: Mapping[str, Any], *, dotted: bool = False, merge_preferences: bool = False
) -> None:
    """Set and remove attributes; the later write wins, one that changes nothing touches nothing.

    With `dotted` a name with dots means a member (workflow blocks); in calls only subscription preferences do. With
    `merge_preferences` preferences that are not named stay (API-20).
    """
    row, unit = update.person.row, update.unit
    most = unit.catalog.settings.limits.attributes_per_person
    for name, given in attributes.items():
        value = given
        if merge_preferences and f"{name}." == PREFERENCES and isinstance(given, dict):
            value = merged_preferences(row.attributes.get(name), given)
        nested = dotted or name.startswith(PREFERENCES)
        top = name.partition(".")[0] if nested and name not in row.attributes else name
        if not is_blank(value) and _is_reserved(unit, top):
            if not (top == CREATED and same(value, to_unix(row.created_at))):
                update.failed[name] = "The name is reserved."
            continue
        if update.time < row.attribute_times.get(top, 0):
            update.failed[name] = SKIPPED
            continue
        if not nested and same(None if is_blank(value) else value, row.attributes.get(top)):
            continue
        after = _written(row.attributes, name, value, nested=nested)
        if same(after.get(top), row.attributes.get(top)):
            continue
        if top not in row.attributes and len(row.attributes) >= most:
            update.failed[name] = f"A person has at most {most} attributes."
            continue
        update.before.setdefault(name, row.attributes.get(top))
        if (top in after) != (top in row.attributes):
            unit.seen.held("attribute", top, 1 if top in after else -1)
        row.attributes = after
        row.attribute_times = {**row.attribute_times, top: update.time}
        update.written[name] = value
        update.changed.add(top)


def _is_reserved(unit: Unit, name: str) -> bool:
    """Whether a name means something else than an attribute, whoever writes it (PPL-05)."""
    return name in RESERVED or (name in NAMES and not _plain(unit, name))


def _written(document: dict[str, Any], name: str, value: Any, *, nested: bool) -> dict[str, Any]:
    if is_blank(value):
        return nested_remove(document, name) if nested else without(document, [name])
    return nested_set(document, name, value) if nested else {**document, name: value}


async def finish(update: Update, facts_before: Facts, *, records: frozenset[str] = frozenset()) -> None:
    """Log what the call did and settle what follows from it; `records` changed with it, in the words of `Keys.records`."""
    unit, person = update.unit, update.person
    skipped = [name for name, why in update.failed.items() if why == SKIPPED]
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
        written = {name: value for name, value in update.written.items() if name not in QUIET}
        if written:
            before = {name: value for name, value in update.before.items() if name in written and value is not None}
            unit.record(person, "attribute_change", None, {"attributes": written, "before": before}, update.at)
    if update.changed or person.fresh or records:
        change = Change(facts_before, update.at, attributes=frozenset(update.changed), records=records)
        await settle(unit, person, change)


def _set_names(update: Update, operation: Identify) -> None:
    """Give the person the names of the subject and of the body, as far as the rules allow."""
    unit, row = update.unit, update.person.row
    subject = operation.subject
    if subject.kind != "cio_id" and getattr(row, subject.kind) is None and not _is_late(update, subject.kind):
        _give(update, subject)
    for kind in NAMES:
        if kind not in operation.attributes or _plain(unit, kind):
            continue
        if is_blank(operation.attributes[kind]):
            if getattr(row, kind) is not None and not _is_late(update, kind):
                _take_away(update, kind)
            continue
        named = in_body(operation, kind, unit)
        if named is None:
            update.failed[kind] = _NO_NAME[kind]
            continue
        current = getattr(row, kind)
        if current is not None and Identifier(kind=kind, value=current).value_key == named.value_key:
            continue
        if _is_late(update, kind):
            continue
        refusal = _refusal(update, named, current)
        if refusal is None:
            _give(update, named)
        else:
            update.failed[kind] = refusal


def _is_late(update: Update, name: str) -> bool:
    """Whether a later write than this one has come to the name already; it is noted then."""
    late = update.time < update.person.row.attribute_times.get(name, 0)
    if late:
        update.failed[name] = SKIPPED
    return late


def _refusals(unit: Unit, person: Person | None, operation: Identify) -> dict[str, str]:
    """What of the identifiers in a row of a file cannot be: then nothing of the row is written (PPL-46)."""
    found: dict[str, str] = {}
    for kind in NAMES:
        value = operation.attributes.get(kind)
        if _plain(unit, kind) or value is None or is_blank(value):
            continue
        named = in_body(operation, kind, unit)
        if named is None:
            found[kind] = _NO_NAME[kind]
            continue
        current = None if person is None else getattr(person.row, kind)
        if current is not None and Identifier(kind=kind, value=current).value_key == named.value_key:
            continue
        owner = unit.names.get(named.name)
        if unit.is_suppressed(named):
            found[kind] = f"This {kind} is suppressed."
        elif owner is not None and (person is None or owner != person.person_id):
            found[kind] = f"Another person has this {kind}."
        elif current is not None and operation.subject.kind != "cio_id":
            found[kind] = f"The person has another {kind}, which only a row with a cio_id changes."
    return found


def _sentences(reasons: Mapping[str, str]) -> str:
    return " ".join(["Failed Attribute Change:", *(f"{name}: {why}" for name, why in reasons.items())])


def _refusal(update: Update, named: Identifier, current: str | None) -> str | None:
    """Why the name may not become the person's, None where it may."""
    unit = update.unit
    owner = unit.names.get(named.name)
    if unit.is_suppressed(named):
        return f"This {named.kind} is suppressed."
    if owner is not None and owner != update.person.person_id:
        return f"Another person has this {named.kind}."
    return None if current is None else _refused_change(update, named)


def _refused_change(update: Update, named: Identifier) -> str | None:
    """Why a name that is set may not change."""
    unit = update.unit
    if update.identified_by == "cio_id":
        fixed = unit.catalog.settings.identifiers == "id_only" and unit.catalog.settings.email_update_by == "cio_id"
        return "In this workspace an id that is set does not change." if fixed else None
    if named.kind == "id":
        return "An id that is set changes only in calls that name the person by cio_id."
    if update.identified_by == "id" and unit.catalog.settings.email_update_by == "cio_id_or_id":
        return None
    return "An email that is set changes only in calls that name the person by cio_id" + (
        "." if unit.catalog.settings.email_update_by == "cio_id" else " or id."
    )


def _give(update: Update, name: Identifier) -> None:
    unit, row = update.unit, update.person.row
    before = getattr(row, name.kind)
    if before is None:
        unit.seen.held("attribute", name.kind, 1)
    else:
        unit.name(Identifier(kind=name.kind, value=before).name, None)
    update.before.setdefault(name.kind, before)
    setattr(row, name.kind, name.value)
    unit.name(name.name, row.person_id)
    row.attribute_times = {**row.attribute_times, name.kind: update.time}
    update.changed.add(name.kind)
    update.written[name.kind] = name.value


def _take_away(update: Update, kind: IdentifierKind) -> None:
    row = update.person.row
    current = getattr(row, kind)
    other = row.email if kind == "id" else row.id
    if update.unit.catalog.settings.identifiers == "id_only":
        update.failed[kind] = "A person keeps the id."
        return
    if other is None:
        update.failed[kind] = "A person keeps at least one of id and email."
        return
    update.unit.name(Identifier(kind=kind, value=current).name, None)
    update.unit.seen.held("attribute", kind, -1)
    update.before.setdefault(kind, current)
    setattr(row, kind, None)
    row.attribute_times = {**row.attribute_times, kind: update.time}
    update.changed.add(kind)
    update.written[kind] = None


def in_body(operation: Identify, kind: IdentifierKind, unit: Unit) -> Identifier | None:
    """The name of a kind that the body carries, where it can be one."""
    value = operation.attributes.get(kind)
    if _plain(unit, kind) or isinstance(value, bool) or not isinstance(value, str | int) or is_blank(value):
        return None
    if kind == "id" and len(str(value).encode()) > ID_BYTES:
        return None
    name = identifier(kind, str(value).strip() if kind == "email" else str(value))
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
    "Update",
    "find_or_create",
    "finish",
    "identify",
    "in_body",
    "write_attributes",
    "write_person",
]
