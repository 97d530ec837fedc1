"""People as lookers see them: found by one of their names, with segments and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.ids import cio_id, person_id_of
from domain.operations import Identifier, IdentifierKind
from store import merges
from store.database import Connection

_COLUMNS = "person_id, id, email, attributes, attribute_times, created_at"
_PREFIX = "cio_"


@dataclass(frozen=True, slots=True)
class PersonRead:
    """One person; `attributes` are without the identifiers."""

    person_id: int
    id: str | None
    email: str | None
    attributes: Mapping[str, Any]
    attribute_times: Mapping[str, int]
    created_at: datetime

    @property
    def cio_id(self) -> str:
        """The public form of the person's number."""
        return cio_id(self.person_id)

    @property
    def identifiers(self) -> dict[str, str | None]:
        """The `customer_identifiers` of answers."""
        return {"id": self.id, "email": self.email, "cio_id": self.cio_id}


@dataclass(frozen=True, slots=True)
class MembershipRead:
    """One segment a person is in, by its names."""

    segment_id: int
    key: str
    name: str
    description: str | None
    since: datetime
    flips_at: datetime | None


async def find(conn: Connection, workspace_id: int, kind: IdentifierKind, value: str) -> PersonRead | None:
    """The person with this name, or None; somebody merged away is found as who they are now."""
    if "\x00" in value:
        return None
    if kind == "cio_id":
        number = person_id_of(value.strip().removeprefix(_PREFIX))
        if number is None:
            return None
        merged_into = await merges.into(conn, workspace_id, number)
        return await by_number(conn, workspace_id, number if merged_into is None else merged_into)
    key = Identifier(kind=kind, value=value).value_key
    record = await conn.fetchrow(
        f"""SELECT {_COLUMNS} FROM people WHERE workspace_id = $1 AND person_id = (
                SELECT person_id FROM identities WHERE workspace_id = $1 AND kind = $2 AND value_key = $3)""",
        workspace_id,
        kind,
        key,
    )
    return PersonRead(**record) if record else None


async def by_number(conn: Connection, workspace_id: int, person_id: int) -> PersonRead | None:
    """The person with this internal number, or None."""
    return (await by_numbers(conn, workspace_id, [person_id])).get(person_id)


async def by_numbers(conn: Connection, workspace_id: int, person_ids: Iterable[int | None]) -> dict[int, PersonRead]:
    """People by internal number; those who are gone are left out."""
    wanted = sorted({number for number in person_ids if number is not None})
    if not wanted:
        return {}
    records = await conn.fetch(
        f"SELECT {_COLUMNS} FROM people WHERE workspace_id = $1 AND person_id = ANY($2::bigint[])",
        workspace_id,
        wanted,
    )
    return {record["person_id"]: PersonRead(**record) for record in records}


async def segments_of(conn: Connection, workspace_id: int, person_id: int) -> Sequence[MembershipRead]:
    """The segments a person is in now, by id; archived ones are not kept up to date, and are left out."""
    records = await conn.fetch(
        """SELECT m.ref_id AS segment_id, d.key, d.name, d.document ->> 'description' AS description, m.since, m.flips_at
           FROM memberships m JOIN definitions d
             ON d.workspace_id = m.workspace_id AND d.kind = 'segment' AND d.definition_id = m.ref_id
                AND d.state IS DISTINCT FROM 'archived'
           WHERE m.workspace_id = $1 AND m.person_id = $2 AND m.kind = 'segment' AND m.member ORDER BY m.ref_id""",
        workspace_id,
        person_id,
    )
    return [MembershipRead(**record) for record in records]


__all__ = ["MembershipRead", "PersonRead", "by_number", "by_numbers", "find", "segments_of"]
