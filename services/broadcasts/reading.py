"""Broadcasts and their triggers in the App API's words (APP-03, APP-05, CHN-20)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from domain.broadcasts.calls import AUDIENCES
from domain.definitions import BroadcastDefinition, read_definition
from domain.errors import DomainError
from domain.ids import ulid
from domain.values import to_unix
from store import broadcast_triggers
from store import definitions as store
from store.broadcast_triggers import TriggerRow
from store.broadcasts import Key
from store.broadcasts import TriggerRow as WholeRow
from store.database import Connection, Database
from store.definitions import DefinitionRow

WIRE_TYPES: Final[Mapping[str, str]] = {"sms": "twilio"}
"""Action types that the vendor calls otherwise."""
ACTIONS: Final = frozenset({"email", "sms", "push", "in_app", "inbox", "whatsapp", "line", "slack", "webhook"})
"""Blocks that are listed as actions."""
WITH_DATA: Final = frozenset({"per_user_data", "data_file_url"})
_STATUS_ID = re.compile(r"(?:([0-9]{1,10})-)?([0-9]{1,10})")


async def broadcasts(db: Database, workspace_id: int) -> dict[str, Any]:
    """All of them, oldest first."""
    async with db.connection() as conn:
        rows = await store.load_all(conn, workspace_id)
    return {"broadcasts": [shown(row) for row in rows if row.kind == "broadcast"]}


async def broadcast(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """One of them; raises DomainError `not_found`."""
    async with db.connection() as conn:
        return {"broadcast": shown(await found(conn, workspace_id, ref))}


async def triggers(
    db: Database, workspace_id: int, ref: str | int, *, start: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of the triggers of a broadcast, newest first; `next` is empty after the last."""
    if start and (not start.isdecimal() or len(start) > 9):
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    async with db.connection() as conn:
        row = await found(conn, workspace_id, ref)
        before = int(start) if start else None
        rows = await broadcast_triggers.page(conn, workspace_id, row.definition_id, before=before, limit=limit + 1)
    more = len(rows) > limit
    listed = [in_short(one) for one in rows[:limit]]
    return {"triggers": listed, "next": str(rows[limit - 1].trigger_no) if more else ""}


async def trigger(db: Database, workspace_id: int, ref: str | int, number: str, real_now: datetime) -> dict[str, Any]:
    """How a trigger stands, with what its call said; raises DomainError `invalid_parameter` or `not_found`."""
    async with db.connection() as conn:
        row = await trigger_row(conn, workspace_id, ref, number, real_now)
        named, recipients, data = await broadcast_triggers.said(conn, workspace_id, row.broadcast_id, row.trigger_no)
        counts = await broadcast_triggers.counts(conn, workspace_id, row.broadcast_id, row.trigger_no)
    answer = {
        **in_short(row),
        "id": f"{row.broadcast_id}-{row.trigger_no}",
        "campaign_id": row.broadcast_id,
        "recipients_filter": None if recipients is None else orjson.dumps(recipients).decode(),
        "data": data,
        "workflow_action_ids": [],
        "audience": named if named in AUDIENCES else None,
        "deliveries": counts,
    }
    if named in WITH_DATA:
        answer |= {
            "per_user_data_position": row.data_bytes or 0,
            "found_per_user_data": named == "per_user_data" or bool(row.data_bytes),
            "per_user_data_error_count": row.error_count,
        }
    return answer


async def errors(
    db: Database,
    workspace_id: int,
    ref: str | int,
    number: str,
    *,
    start: str | None = None,
    limit: int = 50,
    real_now: datetime,
) -> dict[str, Any]:
    """One page of the error report of a trigger; `next` is 0 after the last."""
    if start and (not start.isdecimal() or len(start) > 9):
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    async with db.connection() as conn:
        row = await trigger_row(conn, workspace_id, ref, number, real_now)
        lines = await broadcast_triggers.errors(
            conn, workspace_id, row.broadcast_id, row.trigger_no, start=int(start or 0), limit=limit + 1
        )
    return {"errors": [line for _, line in lines[:limit]], "next": lines[limit][0] if len(lines) > limit else 0}


async def found(conn: Connection, workspace_id: int, ref: str | int) -> DefinitionRow:
    """The broadcast that a path names by key or id; raises DomainError `not_found`."""
    row = await store.get(conn, workspace_id, "broadcast", ref)
    if row is None:
        raise DomainError("not_found", f"broadcast with id {ref} does not exist")
    return row


async def key_of(db: Database, workspace_id: int, ref: str | int, number: str, real_now: datetime) -> Key:
    """The key of the trigger that a path names; raises DomainError `invalid_parameter`, `not_found`."""
    async with db.connection() as conn:
        row = await trigger_row(conn, workspace_id, ref, number, real_now)
    return workspace_id, row.broadcast_id, row.trigger_no


async def trigger_row(
    conn: Connection, workspace_id: int, ref: str | int, number: str, real_now: datetime
) -> TriggerRow:
    """The trigger that a path names by its number, or by that of the broadcast and its own; raises DomainError `invalid_parameter`, `not_found`."""
    read = _STATUS_ID.fullmatch(number)
    if read is None:
        raise DomainError("invalid_parameter", "A trigger is named by its number.", "/trigger")
    row = await found(conn, workspace_id, ref)
    there = None
    if read[1] is None or int(read[1]) == row.definition_id:
        there = await broadcast_triggers.get(conn, workspace_id, row.definition_id, int(read[2]))
    if there is None:
        raise DomainError("not_found", referenced("not found", real_now, row.definition_id))
    return there


def referenced(detail: str, real_now: datetime, number: int = 0) -> str:
    """A sentence with a reference as the vendor writes it: an identifier that sorts by time."""
    micros = int(real_now.timestamp() * 1_000_000)
    return f"{detail} (reference {ulid(micros // 1_000, (micros % 1_000 << 48 | number).to_bytes(10, 'big'))})"


def in_short(row: TriggerRow | WholeRow) -> dict[str, Any]:
    """A trigger as it is listed."""
    return {
        "id": row.trigger_no,
        "broadcast_id": row.broadcast_id,
        "created_at": to_unix(row.created_at),
        "processed_at": 0 if row.processed_at is None else to_unix(row.processed_at),
        "ended_at": None if row.ended_at is None else to_unix(row.ended_at),
        "state": row.state,
        "paused": row.paused,
        "recipients_count": row.recipients_count or 0,
        "position": row.position,
        "error_count": row.error_count,
        "send_rate": row.send_rate,
        "next_at": None if row.next_at is None else to_unix(row.next_at),
    }


def shown(row: DefinitionRow) -> dict[str, Any]:
    """A broadcast as the vendor shows it, with what is ours beside it."""
    definition, _ = read_definition(row.document)
    blocks = definition.workflow.blocks if isinstance(definition, BroadcastDefinition) else {}
    actions = [
        {"id": row.actions[key], "type": WIRE_TYPES.get(block.type, block.type)}
        for key, block in blocks.items()
        if block.type in ACTIONS and key in row.actions
    ]
    running = row.state == "running"
    updated = to_unix(row.updated_at)
    return {
        "id": row.definition_id,
        "key": row.key,
        "name": row.name,
        "type": "triggered_broadcast",
        "state": "running" if running else "draft",
        "active": running,
        "lifecycle": row.state,
        "version": row.version,
        "revision": row.revision,
        "actions": actions,
        "msg_template_ids": actions,
        "tags": row.document.get("tags") or None,
        "created": to_unix(row.created_at),
        "updated": updated,
        "first_started": 0 if row.first_started is None else to_unix(row.first_started),
        "deduplicate_id": f"{row.definition_id}:{updated}",
    }


__all__ = [
    "ACTIONS",
    "broadcast",
    "broadcasts",
    "errors",
    "found",
    "in_short",
    "key_of",
    "referenced",
    "shown",
    "trigger",
    "trigger_row",
    "triggers",
]
