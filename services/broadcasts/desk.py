"""Broadcasts for whoever looks after them: all with their figures, one with its triggers, one trigger with its progress (CHN-15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from domain.definitions import BroadcastDefinition, read_definition
from domain.values import to_unix
from services.broadcasts import reading
from store import broadcast_triggers, drafts, metrics
from store import definitions as store
from store.database import Connection, Database
from store.definitions import DefinitionRow

ORDER: Final = ("running", "draft", "stopped", "archived")
TRIGGERS: Final = 25
ERRORS: Final = 50
FIGURES: Final = ("created", "sent", "opened", "clicked", "converted", "failed")


async def listed(db: Database, workspace_id: int) -> list[dict[str, Any]]:
    """Every broadcast with its figures and its newest trigger: those that run first, archived ones last, by name."""
    async with db.connection() as conn:
        rows = [row for row in await store.load_all(conn, workspace_id) if row.kind == "broadcast"]
        newest = await broadcast_triggers.newest(conn, workspace_id)
        shown = await _with_figures(conn, workspace_id, rows)
    for one in shown:
        trigger = newest.get(one["id"])
        one["newest"] = None if trigger is None else reading.in_short(trigger)
    return sorted(shown, key=lambda one: (_place(one["state"]), one["name"].casefold(), one["id"]))


async def one(db: Database, workspace_id: int, ref: str | int, *, start: str | None = None) -> dict[str, Any]:
    """A broadcast, and a page of its triggers; raises DomainError `invalid_parameter`, `not_found`."""
    async with db.connection() as conn:
        row = await reading.found(conn, workspace_id, ref)
        (about,) = await _with_figures(conn, workspace_id, [row])
    page = await reading.triggers(db, workspace_id, ref, start=start, limit=TRIGGERS)
    definition, _ = read_definition(row.document)
    blocks = definition.workflow.blocks if isinstance(definition, BroadcastDefinition) else {}
    about["blocks"] = [{"key": key, "name": block.name or key, "type": block.type} for key, block in blocks.items()]
    about["recipients"] = row.document.get("recipients")
    about["send_rate"] = row.document.get("send_rate")
    return {"broadcast": about, **page}


async def trigger(
    db: Database, workspace_id: int, ref: str | int, number: str, *, start: str | None, real_now: datetime
) -> dict[str, Any]:
    """A trigger with a page of its error report, and the broadcast that it is one of; raises as `reading.trigger` does."""
    async with db.connection() as conn:
        row = await reading.found(conn, workspace_id, ref)
    found = await reading.trigger(db, workspace_id, ref, number, real_now)
    report = await reading.errors(db, workspace_id, ref, number, start=start, limit=ERRORS, real_now=real_now)
    number = found["id"].rpartition("-")[2]
    return {
        "broadcast": {"id": row.definition_id, "key": row.key, "name": row.name, "state": row.state},
        "trigger": {
            **found,
            "number": int(number),
            "open": found["state"] in ("queued", "processing", "sending"),
            "data": orjson.loads(found["data"]),
            "filter": None if found["recipients_filter"] is None else orjson.loads(found["recipients_filter"]),
        },
        "errors": report["errors"],
        "next": str(report["next"]) if report["next"] else "",
    }


async def _with_figures(conn: Connection, workspace_id: int, rows: list[DefinitionRow]) -> list[dict[str, Any]]:
    numbers = [row.definition_id for row in rows]
    totals = await metrics.totals(conn, workspace_id, "campaign", numbers)
    waiting = await drafts.by_campaign(conn, workspace_id, numbers)
    return [
        _shown(row) | _figures(totals.get(row.definition_id, {})) | {"drafts": waiting.get(row.definition_id, 0)}
        for row in rows
    ]


def _shown(row: DefinitionRow) -> dict[str, Any]:
    return {
        "id": row.definition_id,
        "key": row.key,
        "name": row.name,
        "description": row.document.get("description"),
        "state": row.state,
        "version": row.version,
        "started_at": None if row.started_at is None else to_unix(row.started_at),
    }


def _figures(totals: Mapping[str, int]) -> dict[str, int]:
    return {name: totals.get(name, 0) for name in FIGURES}


def _place(state: str) -> int:
    return ORDER.index(state) if state in ORDER else len(ORDER)


__all__ = ["listed", "one", "trigger"]
