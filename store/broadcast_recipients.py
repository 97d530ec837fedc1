"""The frozen audience of a trigger: who stands at which place of it, and whom addresses name (CHN-18, CHN-19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from store.broadcasts import Key
from store.database import Connection

_THIS = "workspace_id = $1 AND broadcast_id = $2 AND trigger_no = $3"


class Recipient(NamedTuple):
    """One place in an audience; `data` was given for it alone."""

    position: int
    person_id: int
    data: Mapping[str, Any] | None


async def after(conn: Connection, key: Key, position: int, limit: int) -> list[Recipient]:
    """The next places; those whose people were erased are gone."""
    records = await conn.fetch(
        f"""SELECT position, person_id, data FROM broadcast_recipients
            WHERE {_THIS} AND position > $4 ORDER BY position LIMIT $5""",
        *key,
        position,
        limit,
    )
    return [Recipient(*record) for record in records]


async def freeze(
    conn: Connection, key: Key, first: int, people: Sequence[tuple[int, Mapping[str, Any] | None]]
) -> None:
    """Give these people the places from `first` on."""
    await conn.execute(
        """INSERT INTO broadcast_recipients (workspace_id, broadcast_id, trigger_no, position, person_id, data)
           SELECT $1, $2, $3, $4::int + n - 1, u.person_id, u.data
           FROM unnest($5::bigint[], $6::jsonb[]) WITH ORDINALITY AS u (person_id, data, n)""",
        *key,
        first,
        [person_id for person_id, _ in people],
        [data for _, data in people],
    )


async def freeze_everybody(conn: Connection, key: Key, first: int, *, beyond: int, limit: int) -> tuple[int, int]:
    """Give the next people by internal number the places from `first` on; returns how many, and the last of them."""
    record = await conn.fetchrow(
        """WITH put AS (
               INSERT INTO broadcast_recipients (workspace_id, broadcast_id, trigger_no, position, person_id)
               SELECT $1, $2, $3, $4::int - 1 + row_number() OVER (ORDER BY person_id), person_id
               FROM (SELECT person_id FROM people WHERE workspace_id = $1 AND person_id > $5
                     ORDER BY person_id LIMIT $6) AS p
               RETURNING person_id)
           SELECT count(*), max(person_id) FROM put""",
        *key,
        first,
        beyond,
        limit,
    )
    return record[0], record[1] or beyond


async def replace_data(conn: Connection, key: Key, people: Sequence[tuple[int, Mapping[str, Any] | None]]) -> set[int]:
    """Give those of these people who have a place already this data instead; returns who they are."""
    records = await conn.fetch(
        """UPDATE broadcast_recipients r SET data = u.data
           FROM unnest($4::bigint[], $5::jsonb[]) AS u (person_id, data)
           WHERE r.workspace_id = $1 AND r.broadcast_id = $2 AND r.trigger_no = $3 AND r.person_id = u.person_id
           RETURNING r.person_id""",
        *key,
        [person_id for person_id, _ in people],
        [data for _, data in people],
    )
    return {record["person_id"] for record in records}


async def discard(conn: Connection, key: Key, limit: int) -> int:
    """Forget up to so many places; returns how many there were."""
    done: str = await conn.execute(
        f"""DELETE FROM broadcast_recipients WHERE {_THIS} AND position <= (
                SELECT max(position) FROM (SELECT position FROM broadcast_recipients WHERE {_THIS}
                                           ORDER BY position LIMIT $4) AS p)""",
        *key,
        limit,
    )
    return int(done.rpartition(" ")[2])


__all__ = [
    "Recipient",
    "after",
    "discard",
    "freeze",
    "freeze_everybody",
    "replace_data",
]
