"""One person as the management API shows them (APP-09)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final, Literal

from domain.devices import ANNOUNCED
from domain.errors import DomainError, NotFound
from domain.ids import cio_id
from domain.values import is_unsubscribed, text_form, to_unix
from store import definitions, devices
from store.database import Connection, Database
from store.devices import DeviceRow
from store.reads import addresses
from store.reads import people as reads
from store.reads.people import PersonRead

IdType = Literal["id", "email", "cio_id", "phone"]
MICROS = 1_000_000
MOST_ASKED: Final = 100
"""About how many people one call may ask."""
SCAN: Final = 10_000
"""How many addresses are looked at by one statement."""


async def find(conn: Connection, workspace_id: int, customer: str, id_type: IdType = "id") -> PersonRead | None:
    """The person a caller names, or None; raises DomainError `invalid_parameter` for a kind of name nobody has here."""
    if id_type == "phone":
        message = "Nobody is named by a phone number here; use id, email or cio_id."
        raise DomainError("invalid_parameter", message, "/id_type")
    if id_type == "email" and not await emails_identify(conn, workspace_id):
        message = "Nobody is named by an address in this workspace; use id or cio_id."
        raise DomainError("invalid_parameter", message, "/id_type")
    return await reads.find(conn, workspace_id, id_type, customer)


async def named(conn: Connection, workspace_id: int, customer: str, id_type: IdType = "id") -> PersonRead:
    """The person a caller names; raises NotFound."""
    person = await find(conn, workspace_id, customer, id_type)
    if person is None:
        raise NotFound("customer", customer)
    return person


async def attributes(db: Database, workspace_id: int, customer: str, id_type: IdType = "id") -> dict[str, Any]:
    """A person with all attributes as text, the vendor's shape."""
    async with db.connection() as conn:
        person = await named(conn, workspace_id, customer, id_type)
        owned = await devices.of_people(conn, workspace_id, [person.person_id])
    return {"customer": shown(person, owned)}


async def attributes_of_many(db: Database, workspace_id: int, body: Any, id_type: IdType = "id") -> dict[str, Any]:
    """The same of those whom `{"ids": [...]}` names and who are there; raises DomainError `invalid_parameter`."""
    asked = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_ASKED:
        message = f"Give a list of 1 to {MOST_ASKED} identifiers."
        raise DomainError("invalid_parameter", message, "/ids")
    if not all(isinstance(name, str) for name in asked):
        raise DomainError("invalid_parameter", "Identifiers are texts.", "/ids")
    people: dict[int, PersonRead] = {}
    async with db.connection() as conn:
        for name in dict.fromkeys(asked):
            person = await find(conn, workspace_id, name, id_type)
            if person is not None:
                people.setdefault(person.person_id, person)
        owned = await devices.of_people(conn, workspace_id, list(people))
    found = [shown(p, [row for row in owned if row.person_id == p.person_id]) for p in people.values()]
    return {"customers": [{"customer": person} for person in found]}


async def segments(db: Database, workspace_id: int, customer: str, id_type: IdType = "id") -> dict[str, Any]:
    """The segments a person is in now."""
    async with db.connection() as conn:
        person = await named(conn, workspace_id, customer, id_type)
        found = await reads.segments_of(conn, workspace_id, person.person_id)
    shown_segments = [
        {"id": m.segment_id, "key": m.key, "name": m.name, "description": m.description or ""} for m in found
    ]
    return {"segments": shown_segments}


async def search(db: Database, workspace_id: int, email: str) -> dict[str, Any]:
    """Everybody with this email address, case ignored; several, where addresses are attributes."""
    async with db.connection() as conn:
        if await emails_identify(conn, workspace_id):
            person = await reads.find(conn, workspace_id, "email", email)
            return {"results": [] if person is None else [person.identifiers]}
    wanted = email.strip().casefold()
    results: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        async with db.connection() as conn:
            rows, after = await addresses.kept(conn, workspace_id, after=after, limit=SCAN)
        results += [
            {"id": row.id, "email": row.email, "cio_id": cio_id(row.person_id)} for row in rows if row.key == wanted
        ]
        await asyncio.sleep(0)
    return {"results": results}


def shown(person: PersonRead, owned: Iterable[DeviceRow] = ()) -> dict[str, Any]:
    """A person in the vendor's shape: every attribute value as text, times in Unix seconds; `owned` are their devices."""
    values = {
        **person.attributes,
        **{name: value for name, value in person.identifiers.items() if value is not None},
    }
    times = {name: micros // MICROS for name, micros in person.attribute_times.items() if name in values}
    return {
        "id": person.id or "",
        "identifiers": person.identifiers,
        "attributes": {name: text_form(value) for name, value in sorted(values.items())},
        "timestamps": {name: times.get(name, 0) for name in sorted(values)},
        "unsubscribed": is_unsubscribed(person.attributes.get("unsubscribed")),
        "devices": [_device(row) for row in owned],
    }


async def emails_identify(conn: Connection, workspace_id: int) -> bool:
    """Whether addresses are names here, not attributes (PPL-02)."""
    settings = await definitions.get(conn, workspace_id, "settings", "workspace")
    return settings is None or settings.document.get("identifiers") != "id_only"


def _device(row: DeviceRow) -> dict[str, Any]:
    values = {**row.attributes, ANNOUNCED: row.last_status}
    return {
        "id": row.token,
        "platform": row.platform,
        "last_used": to_unix(row.last_used),
        "attributes": {name: text_form(value) for name, value in sorted(values.items())},
    }


__all__ = [
    "MOST_ASKED",
    "SCAN",
    "IdType",
    "attributes",
    "attributes_of_many",
    "emails_identify",
    "find",
    "named",
    "search",
    "segments",
    "shown",
]
