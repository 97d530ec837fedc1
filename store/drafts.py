"""Drafts as rows: found in pages, written anew, deleted for good, expired (CMP-28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from domain.deliveries import microseconds
from domain.drafts import KEPT, RELEASE
from store.database import Connection
from store.deliveries import DeliveryRow

_DRAFTED = "d.as_draft"
_FAILED = "NOT d.draft AND d.status IN ('failed', 'undeliverable')"


class Place(NamedTuple):
    """Where a delivery stands in the order of their making."""

    created_at: datetime
    delivery_id: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which drafts, or with `failed` which deliveries that did not come about; what is None narrows nothing.

    `made_by` is the instant after which nothing is chosen any more.
    """

    made_by: datetime | None = None
    failed: bool = False
    campaign_id: int | None = None
    action_ids: Sequence[int] | None = None
    transactional_id: int | None = None
    ids: Sequence[str] | None = None


def _which(chosen: Chosen) -> tuple[str, list[Any]]:
    test = f"""d.workspace_id = $1 AND {_FAILED if chosen.failed else _DRAFTED}
        AND ($2::timestamptz IS NULL OR d.created_at <= $2)
        AND ($3::int IS NULL OR d.campaign_id = $3) AND ($4::int[] IS NULL OR d.action_id = ANY($4::int[]))
        AND ($5::int IS NULL OR d.transactional_id = $5)
        AND ($6::text[] IS NULL OR d.delivery_id = ANY($6::text[]))"""
    actions = None if chosen.action_ids is None else list(chosen.action_ids)
    ids = None if chosen.ids is None else list(chosen.ids)
    return test, [chosen.made_by, chosen.campaign_id, actions, chosen.transactional_id, ids]


async def page(
    conn: Connection, workspace_id: int, chosen: Chosen, *, after: Place | None, limit: int
) -> list[tuple[Place, int | None]]:
    """The next ones in the order of their making, each with its person."""
    test, values = _which(chosen)
    records = await conn.fetch(
        f"""SELECT d.created_at, d.delivery_id, d.person_id FROM deliveries d
            WHERE {test} AND ($7::timestamptz IS NULL OR (d.created_at, d.delivery_id) > ($7, $8))
            ORDER BY d.created_at, d.delivery_id LIMIT $9""",
        workspace_id,
        *values,
        None if after is None else after.created_at,
        None if after is None else after.delivery_id,
        limit,
    )
    return [(Place(r["created_at"], r["delivery_id"]), r["person_id"]) for r in records]


async def count(conn: Connection, workspace_id: int, chosen: Chosen) -> int:
    """How many there are."""
    test, values = _which(chosen)
    found: int = await conn.fetchval(f"SELECT count(*) FROM deliveries d WHERE {test}", workspace_id, *values)
    return found


async def by_campaign(conn: Connection, workspace_id: int, campaign_ids: Sequence[int]) -> dict[int, int]:
    """How many drafts wait in each of these campaigns; those without any are left out."""
    records = await conn.fetch(
        f"""SELECT d.campaign_id, count(*) AS drafts FROM deliveries d
            WHERE d.workspace_id = $1 AND {_DRAFTED} AND d.campaign_id = ANY($2::int[]) GROUP BY d.campaign_id""",
        workspace_id,
        list(campaign_ids),
    )
    return {record["campaign_id"]: record["drafts"] for record in records}


async def by_transactional(conn: Connection, workspace_id: int, numbers: Sequence[int]) -> dict[int, int]:
    """How many drafts wait of each of these transactional messages; those without any are left out."""
    records = await conn.fetch(
        f"""SELECT d.transactional_id, count(*) AS drafts FROM deliveries d
            WHERE d.workspace_id = $1 AND {_DRAFTED} AND d.transactional_id = ANY($2::int[])
            GROUP BY d.transactional_id""",
        workspace_id,
        list(numbers),
    )
    return {record["transactional_id"]: record["drafts"] for record in records}


_DELETE = """
    WITH found AS MATERIALIZED (
        SELECT d.workspace_id, d.delivery_id, d.created_at FROM deliveries d
        WHERE d.workspace_id = $1 AND d.as_draft AND {which}),
    contents AS (
        DELETE FROM delivery_contents c USING found f
        WHERE c.workspace_id = f.workspace_id AND c.delivery_id = f.delivery_id AND c.created_at = f.created_at),
    requests AS (
        DELETE FROM delivery_requests r USING found f
        WHERE r.workspace_id = f.workspace_id AND r.delivery_id = f.delivery_id AND r.created_at = f.created_at),
    asked AS (
        DELETE FROM due u USING found f
        WHERE u.workspace_id = f.workspace_id AND u.kind = $2 AND u.ref = f.delivery_id)
    DELETE FROM deliveries d USING found f
    WHERE d.workspace_id = f.workspace_id AND d.delivery_id = f.delivery_id RETURNING d.delivery_id"""


_NOTED = """NOT EXISTS (
    SELECT 1 FROM journeys j WHERE j.workspace_id = d.workspace_id AND j.journey_id = d.journey_id
      AND j.state = 'in_progress' AND NOT EXISTS (
        SELECT 1 FROM journey_steps s WHERE s.workspace_id = j.workspace_id AND s.journey_id = j.journey_id
          AND s.started_at = j.started_at AND s.action_id = d.action_id))"""
"""That the journey, where it is under way, knows already that it has drafted this: else it would draft it again."""


async def delete(conn: Connection, workspace_id: int, delivery_ids: Sequence[str]) -> list[str]:
    """Delete these drafts with all that belongs to them; those that are drafts no more stay. Returns the deleted ones."""
    query = _DELETE.format(which=f"d.delivery_id = ANY($3::text[]) AND {_NOTED} ORDER BY d.delivery_id FOR UPDATE OF d")
    return [r["delivery_id"] for r in await conn.fetch(query, workspace_id, RELEASE, sorted(delivery_ids))]


async def expire(conn: Connection, workspace_id: int, now: datetime, limit: int) -> int:
    """Delete up to `limit` drafts that were kept as long as drafts are; one being sent is left out. Returns how many.

    A send that was scheduled is older than the draft that it became.
    """
    query = _DELETE.format(
        which="""d.created_at <= $3 AND COALESCE((d.metrics ->> 'drafted')::bigint, 0) <= $5
                 ORDER BY d.created_at, d.delivery_id LIMIT $4 FOR UPDATE SKIP LOCKED"""
    )
    before = now - KEPT
    return len(await conn.fetch(query, workspace_id, RELEASE, before, limit, microseconds(before)))


async def write(conn: Connection, row: DeliveryRow, rendered: Mapping[str, Any]) -> None:
    """Put a document in place of what was rendered for a delivery before."""
    await conn.execute(
        """INSERT INTO delivery_contents (workspace_id, delivery_id, created_at, rendered) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workspace_id, delivery_id, created_at) DO UPDATE SET rendered = excluded.rendered""",
        row.workspace_id,
        row.delivery_id,
        row.created_at,
        dict(rendered),
    )


async def ask(conn: Connection, workspace_id: int, asked: Sequence[tuple[str, datetime]]) -> None:
    """Have each of these deliveries released at its instant."""
    await conn.execute(
        """INSERT INTO due (workspace_id, kind, ref, due_at)
           SELECT $1, $2, ref, due_at FROM unnest($3::text[], $4::timestamptz[]) AS a (ref, due_at)
           ON CONFLICT (workspace_id, kind, ref) DO UPDATE SET due_at = excluded.due_at""",
        workspace_id,
        RELEASE,
        [delivery_id for delivery_id, _ in asked],
        [at for _, at in asked],
    )


async def ask_no_more(conn: Connection, workspace_id: int, delivery_id: str) -> None:
    """Have a delivery released no more."""
    await conn.execute(
        "DELETE FROM due WHERE workspace_id = $1 AND kind = $2 AND ref = $3", workspace_id, RELEASE, delivery_id
    )


__all__ = [
    "Chosen",
    "Place",
    "ask",
    "ask_no_more",
    "by_campaign",
    "by_transactional",
    "count",
    "delete",
    "expire",
    "page",
    "write",
]
