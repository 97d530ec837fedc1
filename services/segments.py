"""Segments as operators see them: read, made by hand, deleted, emptied (APP-11, PPL-29, PPL-43)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.blocks import WaitUntil, wait_keys
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.library import Entry, Library
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.ids import cio_id
from domain.operations import Reevaluate
from domain.problems import pointer_of
from domain.values import to_unix
from ingest.catalog import Catalog, ManualSegment
from services import definition_making as making
from services import definitions, tasks
from services.task_pages import Page
from store import definitions as rows_store
from store import log, metrics
from store import segments as store
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.reads.cursor import decode, encode
from store.tasks import TaskRow

LONGEST_NAME: Final = 190
LONGEST_DESCRIPTION: Final = 10_000
MEMBERS: Final = 1_000
MOST_MEMBERS: Final = 30_000
CLEAR_PAGE: Final = 1_000
CLEAR_SOURCE: Final = "segment cleared"
_SETTLING_IN = 0.02
_STATES: Final[Mapping[str | None, str]] = {"building": "build"}


async def list_all(db: Database, workspace_id: int) -> dict[str, Any]:
    """Every segment, oldest first."""
    async with db.connection() as conn:
        rows = await rows_store.load_all(conn, workspace_id)
        builds = await store.builds(conn, workspace_id)
    return {"segments": [_shown(row, builds) for row in rows if row.kind == "segment"]}


async def one(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """One segment; raises NotFound."""
    async with db.connection() as conn:
        row = await _stored(conn, workspace_id, ref)
        return {"segment": _shown(row, await store.builds(conn, workspace_id))}


async def create(db: Database, workspace_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Make a manual segment of `{"segment": {"name", "description"}}`; raises DomainError `invalid_parameter`."""
    name, description = _asked(body)
    document = {"kind": "segment", "name": name, "type": "manual"}
    if description is not None:
        document["description"] = description
    async with db.transaction() as conn:
        rows = await making.locked(conn, workspace_id)
        workspace = await definitions.workspace_of(conn, workspace_id)
        row = await making.make(conn, workspace, document, named=name, rows=rows, now=workspace.now(real_now))
    return {"segment": _shown(row, {})}


async def delete(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> None:
    """Remove a manual segment; raises NotFound, and `invalid_parameter` for one that has conditions or is in use."""
    async with db.connection() as conn:
        row = await _stored(conn, workspace_id, ref)
    if row.document.get("type") != "manual":
        raise DomainError("invalid_parameter", "Only manual segments are deleted here.")
    try:
        await definitions.delete(db, workspace_id, "segment", row.definition_id, now=real_now)
    except DomainError as refusal:
        if refusal.code != "in_use":
            raise
        raise DomainError("invalid_parameter", refusal.message, "", refusal.referents) from None


async def used_by(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """The numbers of what refers to a segment; raises NotFound."""
    async with db.connection() as conn:
        row = await _stored(conn, workspace_id, ref)
        rows = await rows_store.load_all(conn, workspace_id)
    library = Library([Entry(r.kind, r.key, r.definition_id, r.document) for r in rows])
    users = set(library.users("segment", row.key))
    campaigns = sorted(r.definition_id for r in rows if r.kind == "campaign" and (r.kind, r.key) in users)
    found = {"campaigns": campaigns, "sent_newsletters": [], "draft_newsletters": []}
    return {"segment_id": row.definition_id, "used_by": found}


async def customer_count(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """How many people are in a segment now; raises NotFound."""
    async with db.connection() as conn:
        row = await _stored(conn, workspace_id, ref)
        return {"count": await _size(conn, row)}


async def membership(
    db: Database, workspace_id: int, ref: str | int, *, start: str | None, limit: int
) -> dict[str, Any]:
    """One page of the people in a segment; `next` is empty after the last. Raises NotFound."""
    cursor = decode(start, int)
    after = 0 if cursor is None else min(max(cursor[0], 0), 2**62)
    size = min(max(limit, 1), MOST_MEMBERS)
    async with db.connection() as conn:
        row = await _stored(conn, workspace_id, ref)
        found = await store.members(conn, workspace_id, row.definition_id, after=after, limit=size + 1)
    page = found[:size]
    return {
        "segment_id": row.definition_id,
        "ids": [member.id or "" for member in page],
        "identifiers": [{"cio_id": cio_id(m.person_id), "id": m.id, "email": m.email} for m in page],
        "next": encode(page[-1].person_id) if len(found) > size else "",
    }


async def clear(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Have everybody who is in a manual segment by now taken out; answers with the task.

    `{"update_campaign_journeys": true}` also releases waits and fires triggers on not being in it. Raises NotFound,
    InvalidInput, and DomainError `invalid_state` for a segment with conditions.
    """
    signals = _signals(body)
    async with db.transaction() as conn:
        workspace = await definitions.workspace_of(conn, workspace_id)
        row = await _stored(conn, workspace_id, ref)
        if row.document.get("type") != "manual":
            raise DomainError("invalid_state", f"The segment '{row.key}' has conditions; only manual ones are cleared.")
        payload = {
            "segment_id": row.definition_id,
            "update_campaign_journeys": signals,
            "after": await log.last_seq(conn, workspace_id),
        }
        now, total = workspace.now(real_now), await _size(conn, row)
        task_id = await tasks.create(conn, workspace_id, "segment_clear", payload, total=total, now=now)
    return await tasks.get(db, workspace_id, task_id)


async def clear_page(conn: Connection, catalog: Catalog, task: TaskRow, _now: datetime, real_now: datetime) -> Page:
    """Put into the log that the next members leave; each leaves in the order of the facts about them.

    It waits until what was accepted before the call is applied, so that whoever was added by then leaves as well.
    """
    segment = catalog.compiled.manual_segments.get(task.payload["segment_id"])
    if segment is None:
        return Page(task.cursor, 0, "cancelled")
    if await log.is_pending(conn, task.workspace_id, task.payload["after"]):
        await asyncio.sleep(_SETTLING_IN)
        return Page(task.cursor, 0, "running")
    signals = task.payload["update_campaign_journeys"]
    waiting = _waiting_on(catalog, segment) if signals else []
    people = await store.concerned(conn, task.workspace_id, segment.id, waiting, after=task.cursor, limit=CLEAR_PAGE)
    if not people:
        return Page(task.cursor, 0, "succeeded")
    facts = [
        Reevaluate(person_id=person, refs=[("segment", segment.id)], why="clear" if signals else "clear_mute")
        for person in people
    ]
    await log.append(conn, [log.entry_of(task.workspace_id, fact, CLEAR_SOURCE) for fact in facts], real_now)
    return Page(people[-1], len(people), "running")


def _waiting_on(catalog: Catalog, segment: ManualSegment) -> list[int]:
    """The campaigns in which somebody may wait for being in the segment or not."""
    names: frozenset[str | int] = frozenset({segment.id, segment.key})
    return [
        campaign.id
        for campaign in catalog.campaigns.values()
        if campaign.state in LIVE_STATES
        and any(
            isinstance(block, WaitUntil) and not names.isdisjoint(wait_keys(block).segments)
            for block in campaign.definition.workflow.blocks.values()
        )
    ]


async def _stored(conn: Connection, workspace_id: int, ref: str | int) -> DefinitionRow:
    row = await rows_store.get(conn, workspace_id, "segment", ref)
    if row is None:
        raise NotFound("segment", ref)
    return row


async def _size(conn: Connection, row: DefinitionRow) -> int:
    totals = await metrics.totals(conn, row.workspace_id, "segment", [row.definition_id])
    return totals.get(row.definition_id, {}).get("members", 0)


def _shown(row: DefinitionRow, builds: Mapping[int, tuple[int, int | None]]) -> dict[str, Any]:
    """A segment in the vendor's shape; `progress` in percent while it is built."""
    building = row.state == "building"
    done, total = builds.get(row.definition_id, (0, None))
    updated = to_unix(row.updated_at)
    return {
        "id": row.definition_id,
        "deduplicate_id": f"{row.definition_id}:{updated}",
        "key": row.key,
        "name": row.name,
        "description": row.document.get("description") or "",
        "state": _STATES.get(row.state, "finished"),
        "progress": min(100 * done // total, 99) if building and total else 0 if building else None,
        "type": row.document.get("type", "dynamic"),
        "tags": row.document.get("tags") or None,
        "created_at": to_unix(row.created_at),
        "updated_at": updated,
    }


def _asked(body: Any) -> tuple[str, str | None]:
    """Name and description of a segment to be made."""
    segment = body.get("segment") if isinstance(body, dict) else None
    if not isinstance(segment, dict):
        raise DomainError("invalid_parameter", 'The body is {"segment": {"name": ...}}.', "/segment")
    name, description = segment.get("name"), segment.get("description")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
        message = f"A segment has a name of 1 to {LONGEST_NAME} characters."
        raise DomainError("invalid_parameter", message, "/segment/name")
    if description is not None and (not isinstance(description, str) or len(description) > LONGEST_DESCRIPTION):
        message = f"A description is a text of at most {LONGEST_DESCRIPTION} characters."
        raise DomainError("invalid_parameter", message, "/segment/description")
    return name.strip(), description


def _signals(body: Any) -> bool:
    """What a call says of `update_campaign_journeys`; raises InvalidInput."""
    name = "update_campaign_journeys"
    if body is None:
        return False
    if not isinstance(body, dict):
        raise InvalidInput([Problem(code="type", message="Send an object.")])
    unknown = [other for other in body if other != name]
    if unknown:
        message = "There is no such field here."
        raise InvalidInput(
            [Problem(code="unknown_field", pointer=pointer_of((other,)), message=message) for other in unknown]
        )
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput([Problem(code="type", pointer=f"/{name}", message="Give true or false.")])
    return value


__all__ = [
    "MEMBERS",
    "MOST_MEMBERS",
    "clear",
    "clear_page",
    "create",
    "customer_count",
    "delete",
    "list_all",
    "membership",
    "one",
    "used_by",
]
