"""Pages of deliveries, newest first, their rendered content and their attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from store.database import Connection


@dataclass(frozen=True, slots=True)
class MessageRead:
    """One delivery; `kept` says whether its rendered content is still there.

    One of a broadcast has a `trigger_no`, one of a transactional message a `transactional_id` and no campaign.
    """

    delivery_id: str
    channel: str
    status: str
    person_id: int | None
    journey_id: str | None
    campaign_id: int | None
    action_id: int | None
    block: str | None
    trigger_event_id: str | None
    recipient: str | None
    subject: str | None
    failure_message: str | None
    metrics: Mapping[str, int]
    provider: str | None
    attempts: int
    held_until: datetime | None
    ambiguous: bool
    draft: bool
    variant: str | None
    holdout: bool
    transactional_id: int | None
    trigger_no: int | None
    language: str | None
    content_id: int | None
    forgotten: bool
    created_at: datetime
    kept: bool


@dataclass(frozen=True, slots=True)
class ContentRead:
    """What was rendered for a delivery."""

    rendered: Mapping[str, Any]
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class AttemptRead:
    """One hand-over of a delivery and what came back."""

    attempt: int
    at: datetime
    provider: str
    outcome: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which deliveries to list; what is None narrows nothing. `until` is exclusive, `template_id` that of a block or content."""

    person_id: int | None = None
    journey_id: str | None = None
    campaign_id: int | None = None
    transactional_id: int | None = None
    trigger_no: int | None = None
    content_id: int | None = None
    action_id: int | None = None
    template_id: int | None = None
    block: str | None = None
    channel: str | None = None
    states: Sequence[str] | None = None
    metric: str | None = None
    draft: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


_MADE = frozenset({"kept", "content_id"})
_ROW = ", ".join(f"d.{column.name}" for column in fields(MessageRead) if column.name not in _MADE)
_CONTENT = """COALESCE(d.content_id, (
    SELECT k.content_id FROM content_ids k
    WHERE k.workspace_id = d.workspace_id AND k.owner = 'transactional' AND k.owner_id = d.transactional_id
      AND k.language = lower(COALESCE(d.language, '') COLLATE "C")))"""
"""The number of what a transactional message says in the language, where it has been given one (APP-08)."""
_COLUMNS = f"""{_ROW}, {_CONTENT} AS content_id, EXISTS (
    SELECT 1 FROM delivery_contents c
    WHERE c.workspace_id = d.workspace_id AND c.delivery_id = d.delivery_id AND c.created_at = d.created_at) AS kept"""


async def page(
    conn: Connection, workspace_id: int, which: MessageFilter, *, before: tuple[datetime, str] | None, limit: int
) -> Sequence[MessageRead]:
    """Up to `limit` deliveries older than the instant and id of `before`."""
    narrowed: list[tuple[str, Any]] = [
        ("d.person_id = {}", which.person_id),
        ("d.journey_id = {}", which.journey_id),
        ("d.campaign_id = {}", which.campaign_id),
        ("d.transactional_id = {}", which.transactional_id),
        ("d.trigger_no = {}", which.trigger_no),
        (f"{_CONTENT} = {{}}", which.content_id),
        ("d.action_id = {}", which.action_id),
        (f"COALESCE(d.action_id, {_CONTENT}, d.transactional_id) = {{}}", which.template_id),
        ("d.block = {}", which.block),
        ("d.channel = {}", which.channel),
        ("d.status = ANY({}::text[])", None if which.states is None else list(which.states)),
        ("d.metrics ? {}", which.metric),
        ("d.draft = {}", which.draft),
        ("d.created_at >= {}", which.since),
        ("d.created_at < {}", which.until),
    ]
    values: list[Any] = []
    tests = ""
    for test, value in narrowed:
        if value is not None:
            values.append(value)
            tests += " AND " + test.format(f"${len(values) + 2}")
    if before is not None:
        tests += f" AND (d.created_at, d.delivery_id) < (${len(values) + 3}, ${len(values) + 4})"
        values += before
    records = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM deliveries d WHERE d.workspace_id = $1{tests}
            ORDER BY d.created_at DESC, d.delivery_id DESC LIMIT $2""",
        workspace_id,
        limit,
        *values,
    )
    return [MessageRead(**record) for record in records]


async def get(conn: Connection, workspace_id: int, delivery_id: str) -> MessageRead | None:
    """One delivery, or None."""
    query = f"SELECT {_COLUMNS} FROM deliveries d WHERE d.workspace_id = $1 AND d.delivery_id = $2"
    record = await conn.fetchrow(query, workspace_id, delivery_id)
    return MessageRead(**record) if record else None


async def first_triggered(conn: Connection, workspace_id: int, broadcast_id: int) -> datetime | None:
    """When a broadcast was triggered for the first time, None where it never was."""
    found: datetime | None = await conn.fetchval(
        """SELECT min(created_at) FROM broadcast_triggers
           WHERE workspace_id = $1 AND broadcast_id = $2 AND accepted""",
        workspace_id,
        broadcast_id,
    )
    return found


async def responses(
    conn: Connection, workspace_id: int, delivery_ids: Sequence[str]
) -> dict[str, dict[str, tuple[int, datetime]]]:
    """The named buttons that were clicked in these messages: the number of the first report of each, and its instant."""
    records = await conn.fetch(
        """SELECT DISTINCT ON (delivery_id, response) delivery_id, response, seq, at FROM message_events
           WHERE workspace_id = $1 AND delivery_id = ANY($2::text[]) AND metric = 'clicked' AND response IS NOT NULL
           ORDER BY delivery_id, response, at, seq""",
        workspace_id,
        list(delivery_ids),
    )
    found: dict[str, dict[str, tuple[int, datetime]]] = {}
    for record in records:
        found.setdefault(record["delivery_id"], {})[record["response"]] = (record["seq"], record["at"])
    return found


async def content(conn: Connection, workspace_id: int, message: MessageRead) -> ContentRead | None:
    """What was rendered, or None where nothing was or it is no longer kept."""
    record = await conn.fetchrow(
        """SELECT rendered, raw FROM delivery_contents
           WHERE workspace_id = $1 AND delivery_id = $2 AND created_at = $3""",
        workspace_id,
        message.delivery_id,
        message.created_at,
    )
    return ContentRead(**record) if record else None


async def attempts(conn: Connection, workspace_id: int, delivery_id: str) -> Sequence[AttemptRead]:
    """The hand-overs of a delivery, oldest first."""
    records = await conn.fetch(
        """SELECT attempt, at, provider, outcome, answer FROM delivery_attempts
           WHERE workspace_id = $1 AND delivery_id = $2 ORDER BY attempt""",
        workspace_id,
        delivery_id,
    )
    return [AttemptRead(**record) for record in records]


__all__ = [
    "AttemptRead",
    "ContentRead",
    "MessageFilter",
    "MessageRead",
    "attempts",
    "content",
    "first_triggered",
    "get",
    "page",
    "responses",
]
