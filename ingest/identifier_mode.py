"""A workspace changes what names people (PPL-02): addresses become names, or attributes again.

Who shares an address becomes one person with the others. Facts wait meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from domain.data_paths import without
from domain.emails import bare_address
from domain.facts import Position
from domain.operations import Identifier
from ingest.catalog import Catalog
from ingest.merging import merge_people
from ingest.suppressing import suppressed_among
from ingest.unit import Person, Unit
from store import log, people
from store.database import Connection
from store.names import resolve

EMAIL = "email"


async def convert_page(
    conn: Connection, catalog: Catalog, *, after: int, limit: int, now: datetime, real_now: datetime
) -> tuple[int, int]:
    """Convert the next people by internal number to the mode of the settings; returns the last number and how many.

    People who are merged into somebody who came earlier are gone when it is their turn.
    """
    ids = await people.page(conn, catalog.workspace_id, after, limit)
    if not ids:
        return after, 0
    unit = await Unit.load(conn, catalog, ids, now, real_now=real_now, positions=False)
    at = Position(now, await log.last_seq(conn, catalog.workspace_id))
    if catalog.settings.identifiers == "id_only":
        for person in list(unit.people.values()):
            _to_attribute(unit, person)
    else:
        await _know_addresses(unit)
        for person_id in ids:
            if (found := unit.people.get(person_id)) is not None:
                await _to_name(unit, found, at)
    await unit.flush()
    return ids[-1], len(ids)


async def _know_addresses(unit: Unit) -> None:
    """Find out who has the addresses of these people already, and load them."""
    names = [name.name for person in unit.people.values() if (name := _address_of(person)) is not None]
    known = await resolve(unit.conn, unit.catalog.workspace_id, names)
    unit.names |= {name: known.get(name) for name in names}
    unit.suppressed |= await suppressed_among(unit.conn, unit.catalog.workspace, names)
    await unit.add([owner for owner in known.values() if owner not in unit.people])


def _address_of(person: Person) -> Identifier | None:
    value = person.attributes.get(EMAIL)
    if not isinstance(value, str) or bare_address(value) is None:
        return None
    return Identifier(kind="email", value=value.strip())


async def _to_name(unit: Unit, person: Person, at: Position) -> None:
    """The address of the person becomes theirs alone; whoever came before with the same takes the person in."""
    if EMAIL not in person.attributes:
        return
    value, address = person.attributes[EMAIL], _address_of(person)
    person.row.attributes = without(person.attributes, [EMAIL])
    person.changed = True
    person.touch()
    unit.seen.held("attribute", EMAIL, -1)
    refusal = "Not an email address." if address is None else None
    if address is not None and unit.is_suppressed(address):
        refusal = "This email is suppressed."
    if refusal is not None or address is None:
        data = {"reasons": {EMAIL: refusal}, "attributes": {EMAIL: value}}
        unit.record(person, "failed_attribute_change", None, data, at)
        return
    owner = unit.people.get(unit.names.get(address.name) or 0)
    if owner is None:
        person.row.email = address.value
        unit.seen.held("attribute", EMAIL, 1)
        unit.name(address.name, person.person_id)
    else:
        await merge_people(unit, owner, person, at, how="identifiers")


def _to_attribute(unit: Unit, person: Person) -> None:
    """The address of the person becomes an attribute that others may have too."""
    email = person.row.email
    if email is None:
        return
    unit.name(Identifier(kind="email", value=email).name, None)
    person.row.email = None
    person.row.attributes = {**person.attributes, EMAIL: email}
    person.changed = True
    person.touch()


__all__ = ["convert_page"]
