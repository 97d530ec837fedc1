"""People: their rows, names, events, memberships and activity log, read and written many at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from domain.facts import EventFact
from domain.operations import Name
from store.database import Connection


@dataclass(slots=True)
class PersonRow:
    """One person; `attribute_times` maps names, removed ones included, to microseconds."""

    person_id: int
    id: str | None
    email: str | None
    attributes: dict[str, Any]
    attribute_times: dict[str, int]
    created_at: datetime
    age_start: datetime


class ReadPerson(NamedTuple):
    """One person as those see them who only look."""

    person_id: int
    id: str | None
    email: str | None
    attributes: dict[str, Any]
    created_at: datetime
    age_start: datetime


class Kept(NamedTuple):
    """What is kept of a membership; without a row nobody is a member, and the clock changes nothing."""

    member: bool
    flips_at: datetime | None


class Memberships(NamedTuple):
    """Memberships of one person that are alike: of the segments (`kind` segment) or campaigns (`kind` trigger) named."""

    person_id: int
    kind: str
    kept: Kept
    ref_ids: list[int]


@dataclass(slots=True)
class MembershipRow:
    """Whether a person matches a segment or a campaign's trigger; `since` None where that only turns at another time."""

    person_id: int
    kind: str
    ref_id: int
    member: bool
    since: datetime | None
    flips_at: datetime | None


class EventRow(NamedTuple):
    """One event on its way into the database."""

    person_id: int
    event: EventFact
    name_key: str
    processed_at: datetime


class ActivityRow(NamedTuple):
    """One line of the activity log."""

    person_id: int | None
    type: str
    name: str | None
    data: Mapping[str, Any]
    at: datetime
    processed_at: datetime
    seq: int


_EVENT_COLUMNS = (
    "workspace_id",
    "person_id",
    "at",
    "seq",
    "name",
    "name_key",
    "type",
    "data",
    "event_id",
    "processed_at",
)
_ACTIVITY_COLUMNS = (
    "workspace_id",
    "recorded_at",
    "person_id",
    "type",
    "name",
    "data",
    "at",
    "processed_at",
    "seq",
)


@dataclass(frozen=True, slots=True)
class Need:
    """What of people's past and belongings to read: events by exact names per type, types of events to read whole.

    `records` are the other kinds to read: `device`, `related`, `message`.
    """

    names: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    types: frozenset[str] = field(default_factory=frozenset)
    records: frozenset[str] = field(default_factory=frozenset)

    def __or__(self, other: Need) -> Need:
        """What both together need."""
        if other is NOTHING or other is self:
            return self
        if self is NOTHING:
            return other
        return Need(self.names | other.names, self.types | other.types, self.records | other.records)

    @property
    def events(self) -> bool:
        """Whether any events are needed."""
        return bool(self.names or self.types)


NOTHING = Need()


async def lock(conn: Connection, workspace_id: int, person_ids: Iterable[int]) -> list[int]:
    """Lock people to the end of the transaction, ascending; returns those that exist."""
    records = await conn.fetch(
        """SELECT person_id FROM people WHERE workspace_id = $1 AND person_id = ANY($2::bigint[])
           ORDER BY person_id FOR NO KEY UPDATE""",
        workspace_id,
        sorted(set(person_ids)),
    )
    return [record["person_id"] for record in records]


async def load_locked(conn: Connection, workspace_id: int, person_ids: Iterable[int]) -> list[PersonRow]:
    """Lock and read people, ascending; those that do not exist are left out."""
    records = await conn.fetch(
        """SELECT person_id, id, email, attributes, attribute_times, created_at, age_start FROM people
           WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) ORDER BY person_id FOR NO KEY UPDATE""",
        workspace_id,
        sorted(set(person_ids)),
    )
    return [PersonRow(*record) for record in records]


async def load(conn: Connection, workspace_id: int, person_ids: Iterable[int]) -> list[PersonRow]:
    """The same without locking anybody."""
    records = await conn.fetch(
        """SELECT person_id, id, email, attributes, attribute_times, created_at, age_start FROM people
           WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) ORDER BY person_id""",
        workspace_id,
        sorted(set(person_ids)),
    )
    return [PersonRow(*record) for record in records]


async def versions(
    conn: Connection, workspace_id: int, person_ids: Iterable[int], *, locked: bool = False
) -> dict[int, int]:
    """By which transaction the row of each of these people was written last, so that a change of it is seen.

    With `locked` they are locked to the end of the transaction, ascending.
    """
    records = await conn.fetch(
        f"""SELECT person_id, xmin::text::bigint AS version FROM people
            WHERE workspace_id = $1 AND person_id = ANY($2::bigint[])
            ORDER BY person_id {"FOR NO KEY UPDATE" if locked else ""}""",
        workspace_id,
        sorted(set(person_ids)),
    )
    return {record["person_id"]: record["version"] for record in records}


async def load_held(conn: Connection, workspace_id: int, person_id: int) -> tuple[PersonRow, int] | None:
    """Read somebody whose lock the caller holds already, and the highest log sequence among their events (0: none)."""
    record = await conn.fetchrow(
        """SELECT person_id, id, email, attributes, attribute_times, created_at, age_start,
                  (SELECT max(seq) FROM events e
                   WHERE e.workspace_id = p.workspace_id AND e.person_id = p.person_id) AS last_seq
           FROM people p WHERE workspace_id = $1 AND person_id = $2""",
        workspace_id,
        person_id,
    )
    return None if record is None else (PersonRow(*tuple(record)[:-1]), record["last_seq"] or 0)


async def page(conn: Connection, workspace_id: int, after: int, limit: int) -> list[int]:
    """The next people by internal number."""
    records = await conn.fetch(
        "SELECT person_id FROM people WHERE workspace_id = $1 AND person_id > $2 ORDER BY person_id LIMIT $3",
        workspace_id,
        after,
        limit,
    )
    return [record["person_id"] for record in records]


async def new_ids(conn: Connection, count: int) -> list[int]:
    """Internal numbers for new people; never given out twice in a deployment."""
    records = await conn.fetch(
        """WITH s AS MATERIALIZED (SELECT pg_get_serial_sequence('people', 'person_id')::regclass AS numbers)
           SELECT nextval(s.numbers) AS id FROM s, generate_series(1, $1)""",
        count,
    )
    return [record["id"] for record in records]


async def insert(conn: Connection, workspace_id: int, rows: Sequence[PersonRow]) -> None:
    """Store new people."""
    if rows:
        await conn.execute(
            """INSERT INTO people (workspace_id, person_id, id, email, attributes, attribute_times, created_at, age_start)
               SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[],
                                        $7::timestamptz[], $8::timestamptz[])""",
            workspace_id,
            *_columns(rows),
            [row.created_at for row in rows],
            [row.age_start for row in rows],
        )


async def update(conn: Connection, workspace_id: int, rows: Sequence[PersonRow]) -> None:
    """Write back names, attributes and age of people whose locks the caller holds."""
    if rows:
        await conn.execute(
            """UPDATE people p SET id = n.id, email = n.email, attributes = n.attributes,
                      attribute_times = n.attribute_times, age_start = n.age_start
               FROM unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::timestamptz[])
                 AS n (person_id, id, email, attributes, attribute_times, age_start)
               WHERE p.workspace_id = $1 AND p.person_id = n.person_id""",
            workspace_id,
            *_columns(rows),
            [row.age_start for row in rows],
        )


def _columns(rows: Sequence[PersonRow]) -> list[list[Any]]:
    names = ("person_id", "id", "email", "attributes", "attribute_times")
    return [[getattr(row, name) for row in rows] for name in names]


async def save_names(
    conn: Connection,
    workspace_id: int,
    freed: Collection[Name],
    names: Mapping[Name, int | None],
) -> None:
    """Set names free, then give names to people; a name that somebody else holds is refused by the database."""
    if freed:
        await conn.execute(
            """DELETE FROM identities i USING unnest($2::text[], $3::text[]) AS u (kind, value_key)
               WHERE i.workspace_id = $1 AND i.kind = u.kind AND i.value_key = u.value_key""",
            workspace_id,
            [kind for kind, _ in freed],
            [value for _, value in freed],
        )
    taken = [(kind, value, owner) for (kind, value), owner in names.items() if owner is not None]
    if taken:
        await conn.execute(
            """INSERT INTO identities (workspace_id, kind, value_key, person_id)
               SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[])""",
            workspace_id,
            *[list(column) for column in zip(*taken, strict=True)],
        )


async def events_of(conn: Connection, workspace_id: int, needs: Mapping[int, Need]) -> list[tuple[int, EventFact]]:
    """The events that are needed of each of these people, each with its person."""
    numbers = {need: number for number, need in enumerate({need for need in needs.values() if need.events})}
    if not numbers:
        return []
    asked = [(person_id, numbers[need]) for person_id, need in needs.items() if need in numbers]
    names = [(number, *name) for need, number in numbers.items() for name in need.names]
    types = [(number, kind) for need, number in numbers.items() for kind in need.types]
    records = await conn.fetch(
        """SELECT e.person_id, e.name, e.at, e.seq, e.data, e.type, e.event_id
           FROM unnest($2::bigint[], $3::int[]) AS p (person_id, need)
           JOIN events e ON e.workspace_id = $1 AND e.person_id = p.person_id
           WHERE (p.need, e.type, e.name_key) IN (SELECT * FROM unnest($4::int[], $5::text[], $6::text[]))
              OR (p.need, e.type) IN (SELECT * FROM unnest($7::int[], $8::text[]))""",
        workspace_id,
        [person_id for person_id, _ in asked],
        [need for _, need in asked],
        [need for need, _, _ in names],
        [kind for _, kind, _ in names],
        [name for _, _, name in names],
        [need for need, _ in types],
        [kind for _, kind in types],
    )
    return [
        (person_id, EventFact(name, at, seq, data, kind, event_id))
        for person_id, name, at, seq, data, kind, event_id in records
    ]


async def segments_among(
    conn: Connection, workspace_id: int, person_ids: Sequence[int], segment_ids: Sequence[int]
) -> dict[int, frozenset[int]]:
    """Which of these segments each of these people is in; who is in none is left out."""
    records = await conn.fetch(
        """SELECT person_id, array_agg(ref_id) AS found FROM memberships
           WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) AND kind = 'segment' AND member
             AND ref_id = ANY($3::int[])
           GROUP BY person_id""",
        workspace_id,
        list(person_ids),
        list(segment_ids),
    )
    return {record["person_id"]: frozenset(record["found"]) for record in records}


async def last_sequences(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> dict[int, int]:
    """The highest log sequence among each person's events; people without any are left out."""
    records = await conn.fetch(
        """SELECT person_id, max(seq) AS seq FROM events
           WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) GROUP BY person_id""",
        workspace_id,
        list(person_ids),
    )
    return {record["person_id"]: record["seq"] for record in records}


async def insert_events(conn: Connection, workspace_id: int, rows: Sequence[EventRow]) -> None:
    """Store events."""
    if rows:
        await conn.copy_records_to_table(
            "events",
            columns=_EVENT_COLUMNS,
            records=[
                (
                    workspace_id,
                    person_id,
                    event.at,
                    event.seq,
                    event.name,
                    name_key,
                    event.type,
                    event.data,
                    event.event_id,
                    processed_at,
                )
                for person_id, event, name_key, processed_at in rows
            ],
        )


async def memberships_of(conn: Connection, workspace_id: int, person_ids: Sequence[int]) -> list[Memberships]:
    """Every kept membership of these people, those that are alike together: most of anybody's are."""
    records = await conn.fetch(
        """SELECT person_id, kind, member, flips_at, array_agg(ref_id) AS ref_ids FROM memberships
           WHERE workspace_id = $1 AND person_id = ANY($2::bigint[]) GROUP BY person_id, kind, member, flips_at""",
        workspace_id,
        list(person_ids),
    )
    return [
        Memberships(person_id, kind, Kept(member, flips_at), refs)
        for person_id, kind, member, flips_at, refs in records
    ]


async def save_memberships(
    conn: Connection, workspace_id: int, kept: Sequence[MembershipRow], gone: Sequence[tuple[int, str, int]]
) -> None:
    """Write memberships that began or ended; `gone` names those that need no row any more."""
    if gone:
        await conn.execute(
            """DELETE FROM memberships m USING unnest($2::bigint[], $3::text[], $4::int[]) AS g (person_id, kind, ref_id)
               WHERE m.workspace_id = $1 AND m.person_id = g.person_id AND m.kind = g.kind AND m.ref_id = g.ref_id""",
            workspace_id,
            *[list(column) for column in zip(*gone, strict=True)],
        )
    if kept:
        await conn.execute(
            """INSERT INTO memberships (workspace_id, person_id, kind, ref_id, member, since, flips_at)
               SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::int[], $5::bool[], $6::timestamptz[], $7::timestamptz[])
               ON CONFLICT (workspace_id, person_id, kind, ref_id)
               DO UPDATE SET member = EXCLUDED.member, since = EXCLUDED.since, flips_at = EXCLUDED.flips_at""",
            workspace_id,
            [row.person_id for row in kept],
            [row.kind for row in kept],
            [row.ref_id for row in kept],
            [row.member for row in kept],
            [row.since for row in kept],
            [row.flips_at for row in kept],
        )


async def save_flips(conn: Connection, workspace_id: int, rows: Sequence[MembershipRow]) -> None:
    """Write when the clock may change memberships that are as they were."""
    if rows:
        await conn.execute(
            """UPDATE memberships m SET flips_at = u.flips_at
               FROM unnest($2::bigint[], $3::text[], $4::int[], $5::timestamptz[]) AS u (person_id, kind, ref_id, flips_at)
               WHERE m.workspace_id = $1 AND m.person_id = u.person_id AND m.kind = u.kind AND m.ref_id = u.ref_id""",
            workspace_id,
            [row.person_id for row in rows],
            [row.kind for row in rows],
            [row.ref_id for row in rows],
            [row.flips_at for row in rows],
        )


async def insert_activities(
    conn: Connection, workspace_id: int, rows: Sequence[ActivityRow], recorded_at: datetime
) -> None:
    """Write lines of the activity log; `recorded_at` chooses their partition."""
    if rows:
        await conn.copy_records_to_table(
            "activities",
            columns=_ACTIVITY_COLUMNS,
            records=[
                (workspace_id, recorded_at, person_id, kind, name, data, at, processed_at, seq)
                for person_id, kind, name, data, at, processed_at, seq in rows
            ],
        )


__all__ = [
    "NOTHING",
    "ActivityRow",
    "EventRow",
    "Kept",
    "MembershipRow",
    "Memberships",
    "Need",
    "PersonRow",
    "ReadPerson",
    "events_of",
    "insert",
    "insert_activities",
    "insert_events",
    "last_sequences",
    "load",
    "load_held",
    "load_locked",
    "lock",
    "memberships_of",
    "new_ids",
    "page",
    "save_flips",
    "save_memberships",
    "save_names",
    "segments_among",
    "update",
    "versions",
]
