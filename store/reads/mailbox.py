"""Pages of captured messages, oldest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from store.database import Connection

ACCEPTED = "accepted"
SCAN_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class CapturedRead:
    """One captured message without its source; the last three as its delivery says, where there is one."""

    captured_id: int
    delivery_id: str | None
    attempt: int
    channel: str
    outcome: str
    purpose: str
    to: Sequence[str]
    sender: str | None
    at: datetime
    person_id: int | None
    campaign: str | None
    block: str | None
    rendered: Mapping[str, Any]
    language: str | None
    trigger_no: int | None
    transactional_id: int | None


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    """Which messages to list; what is None narrows nothing. `until` is exclusive, `to` ignores case.

    `source` is the key of what `kind` of automation or template it comes of.
    """

    to: str | None = None
    channel: str | None = None
    refused: bool = False
    person_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    source: str | None = None


_OF_DELIVERY = ("language", "trigger_no", "transactional_id")
_COLUMNS = ", ".join(
    f'{"d" if column.name in _OF_DELIVERY else "m"}."{column.name}"' for column in fields(CapturedRead)
)
_KIND = """COALESCE((SELECT CASE WHEN d.transactional_id IS NOT NULL THEN 'transactional'
                                 WHEN d.trigger_no IS NOT NULL THEN 'broadcast' END
                  FROM deliveries d
                  WHERE d.workspace_id = mailbox.workspace_id AND d.delivery_id = mailbox.delivery_id), 'campaign')"""
_FROM = """mailbox m LEFT JOIN deliveries d ON d.workspace_id = m.workspace_id AND d.delivery_id = m.delivery_id"""


async def page(
    conn: Connection, workspace_id: int, which: MailboxFilter, *, after: int, limit: int, newest_first: bool = False
) -> Sequence[CapturedRead]:
    """Up to `limit` messages beyond the one numbered `after` (0: from the beginning)."""
    found: list[int] = []
    while len(found) < limit:
        scan = limit - len(found) if which.to is None else SCAN_PAGE
        rows = await _scan(conn, workspace_id, which, after=after, limit=scan, newest_first=newest_first)
        found += [number for number, to in rows if which.to is None or _is_to(to, which.to)]
        if len(rows) < scan:
            break
        after = rows[-1][0]
    records = await conn.fetch(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE m.workspace_id = $1 AND m.captured_id = ANY($2::bigint[])",
        workspace_id,
        found[:limit],
    )
    messages = [CapturedRead(**record) for record in records]
    return sorted(messages, key=lambda message: message.captured_id, reverse=newest_first)


async def _scan(
    conn: Connection, workspace_id: int, which: MailboxFilter, *, after: int, limit: int, newest_first: bool
) -> list[tuple[int, list[str]]]:
    beyond, order = ("<", "DESC") if newest_first else (">", "ASC")
    records = await conn.fetch(
        f"""SELECT captured_id, "to" FROM mailbox
            WHERE workspace_id = $1 AND ($2::bigint = 0 OR captured_id {beyond} $2)
              AND ($4::text IS NULL OR channel = $4) AND ($5 OR outcome = '{ACCEPTED}')
              AND ($6::bigint IS NULL OR person_id = $6)
              AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
              AND ($10::text IS NULL OR (campaign = $10 AND {_KIND} = $9::text))
            ORDER BY captured_id {order} LIMIT $3""",
        workspace_id,
        after,
        limit,
        which.channel,
        which.refused,
        which.person_id,
        which.since,
        which.until,
        which.kind,
        which.source,
    )
    return [(record["captured_id"], record["to"]) for record in records]


def _is_to(recipients: Sequence[str], wanted: str) -> bool:
    folded = wanted.strip().casefold()
    return any(recipient.casefold() == folded for recipient in recipients)


async def get(conn: Connection, workspace_id: int, captured_id: int) -> CapturedRead | None:
    """One message, or None."""
    query = f"SELECT {_COLUMNS} FROM {_FROM} WHERE m.workspace_id = $1 AND m.captured_id = $2"
    record = await conn.fetchrow(query, workspace_id, captured_id)
    return CapturedRead(**record) if record else None


async def raw(conn: Connection, workspace_id: int, captured_id: int) -> bytes | None:
    """The message as it would have gone over the wire; None where there is no such message or no source."""
    source: bytes | None = await conn.fetchval(
        "SELECT raw FROM mailbox WHERE workspace_id = $1 AND captured_id = $2", workspace_id, captured_id
    )
    return source


async def faults(conn: Connection, workspace_id: int) -> list[tuple[dict[str, Any], int | None]]:
    """The fault rules that are not used up, in order, each with the uses it has left (None: without end)."""
    records = await conn.fetch(
        """SELECT rule, uses_left FROM mailbox_faults
           WHERE workspace_id = $1 AND (uses_left IS NULL OR uses_left > 0) ORDER BY position""",
        workspace_id,
    )
    return [(record["rule"], record["uses_left"]) for record in records]


__all__ = ["CapturedRead", "MailboxFilter", "faults", "get", "page", "raw"]
