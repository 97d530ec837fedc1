"""Segments as operators see them: read, made by hand, deleted, emptied (APP-11, PPL-29, PPL-43)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain.definitions.library import ARCHIVED
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.ids import cio_id
from domain.problems import pointer_of
from domain.values import to_unix
from services import definition_making as making
from services import definitions
from services.definition_checks import library_of
from store import definitions as rows_store
from store import metrics
from store import segments as store
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.reads.cursor import decode, encode
from store.segments import Build
from store.workspaces import WorkspaceRow

KIND: Final = "segment"
MANUAL: Final = "manual"
LONGEST_NAME: Final = 190
LONGEST_DESCRIPTION: Final = 10_000
MEMBERS: Final = 1_000
MOST_MEMBERS: Final = 30_000
_STATES: Final[Mapping[str | None, str]] = {"building": "build", "unbuilt": "build_queued"}
"""What the vendor calls those states that are not `finished`."""
_USERS: Final = (("campaigns", "campaign"), ("broadcasts", "broadcast"), ("segments", "segment"), ("forms", "form"))


async def list_all(db: Database, workspace_id: int) -> dict[str, Any]:
    """Every segment, oldest first, archived ones included."""
    async with db.connection() as conn:
        rows = [row for row in await rows_store.load_all(conn, workspace_id) if row.kind == KIND]
        return {"segments": await shown(conn, workspace_id, rows)}


async def one(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """One segment; raises NotFound."""
    async with db.connection() as conn:
        return {"segment": await shown_one(conn, await stored(conn, workspace_id, ref))}


async def create(db: Database, workspace_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Make a manual segment of `{"segment": {"name", "description"}}`; raises DomainError `invalid_parameter`."""
    name, description = _asked(body)
    async with db.transaction() as conn:
        workspace = await definitions.workspace_of(conn, workspace_id)
        row = await make_manual(conn, workspace, name, description, workspace.now(real_now))
        return {"segment": await shown_one(conn, row)}


async def make_manual(
    conn: Connection, workspace: WorkspaceRow, name: str, description: str | None, now: datetime
) -> DefinitionRow:
    """Make an empty manual segment, its key derived from the name; `now` is the workspace's instant."""
    document = {"kind": KIND, "name": name, "type": "manual"}
    if description is not None:
        document["description"] = description
    rows = await making.locked(conn, workspace.workspace_id)
    return await making.make(conn, workspace, document, named=name, rows=rows, now=now)


async def delete(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> None:
    """Remove a manual segment; raises NotFound, and `invalid_parameter` for one that has conditions or is in use."""
    async with db.connection() as conn:
        row = await stored(conn, workspace_id, ref)
    if row.document.get("type") != MANUAL:
        message = f"Only manual segments are deleted here: use DELETE /v1/definitions/segment/{row.key}."
        raise DomainError("invalid_parameter", message)
    try:
        await definitions.delete(db, workspace_id, KIND, row.definition_id, now=real_now)
    except DomainError as refusal:
        if refusal.code != "in_use":
            raise
        raise DomainError("invalid_parameter", refusal.message, "", refusal.referents) from None


async def used_by(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """What refers to a segment, by kind in the vendor's lists, and each reference where it stands; raises NotFound."""
    async with db.connection() as conn:
        row = await stored(conn, workspace_id, ref)
        rows = await rows_store.load_all(conn, workspace_id)
    by_name = {(r.kind, r.key): r for r in rows}
    users = [(by_name[user.kind, user.key], use) for user, use in library_of(rows).references(KIND, row.key)]
    found: dict[str, Any] = {word: sorted({r.definition_id for r, _ in users if r.kind == k}) for word, k in _USERS}
    found |= {"sent_newsletters": [], "draft_newsletters": []}
    found["referents"] = [
        {
            "kind": user.kind,
            "key": user.key,
            "id": user.definition_id,
            "name": user.name,
            "pointer": use.pointer,
            "state": user.state,
        }
        for user, use in users
    ]
    return {"segment_id": row.definition_id, "used_by": found}


async def customer_count(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """How many people are in a segment now; raises NotFound."""
    async with db.connection() as conn:
        row = await stored(conn, workspace_id, ref)
        return {"count": await size(conn, row)}


async def membership(
    db: Database, workspace_id: int, ref: str | int, *, start: str | None, limit: int
) -> dict[str, Any]:
    """One page of the people in a segment; `next` is empty after the last. Raises NotFound."""
    cursor = decode(start, int)
    after = 0 if cursor is None else min(max(cursor[0], 0), 2**62)
    size = min(max(limit, 1), MOST_MEMBERS)
    async with db.connection() as conn:
        row = await stored(conn, workspace_id, ref)
        found = await store.members(conn, workspace_id, row.definition_id, after=after, limit=size + 1)
    page = found[:size]
    return {
        "segment_id": row.definition_id,
        "ids": [member.id or "" for member in page],
        "identifiers": [
            {"cio_id": cio_id(m.person_id), "id": m.id, "email": m.email, "since": to_unix(m.since)} for m in page
        ],
        "next": encode(page[-1].person_id) if len(found) > size else "",
    }


async def stored(conn: Connection, workspace_id: int, ref: str | int) -> DefinitionRow:
    """The segment behind a key or id; raises NotFound."""
    row = await rows_store.get(conn, workspace_id, KIND, ref)
    if row is None:
        raise NotFound(KIND, ref)
    return row


async def size(conn: Connection, row: DefinitionRow) -> int:
    """How many are in a segment."""
    totals = await metrics.totals(conn, row.workspace_id, KIND, [row.definition_id])
    return totals.get(row.definition_id, {}).get("members", 0)


async def shown_one(conn: Connection, row: DefinitionRow) -> dict[str, Any]:
    """One segment as it is answered."""
    (found,) = await shown(conn, row.workspace_id, [row])
    return found


async def shown(conn: Connection, workspace_id: int, rows: Sequence[DefinitionRow]) -> list[dict[str, Any]]:
    """Segments in the vendor's shape, with ours added."""
    incomplete = [row.definition_id for row in rows if row.state in _STATES]
    builds = await store.last_builds(conn, workspace_id, incomplete) if incomplete else {}
    totals = await metrics.totals(conn, workspace_id, KIND, [row.definition_id for row in rows])
    return [
        _shown(row, builds.get(row.definition_id), totals.get(row.definition_id, {}).get("members", 0)) for row in rows
    ]


def _shown(row: DefinitionRow, build: Build | None, members: int) -> dict[str, Any]:
    """`progress` is in percent while the segment is built; `lifecycle` is our own word for its state.

    `build` is the task that builds it, or that was broken off.
    """
    updated = to_unix(row.updated_at)
    return {
        "id": row.definition_id,
        "deduplicate_id": f"{row.definition_id}:{updated}",
        "key": row.key,
        "name": row.name,
        "description": row.document.get("description") or "",
        "state": _STATES.get(row.state, "finished"),
        "lifecycle": row.state,
        "archived": row.state == ARCHIVED,
        "progress": _percent(build) if row.state == "building" else None,
        "build": None if build is None else build._asdict(),
        "type": row.document.get("type", "dynamic"),
        "conditions": row.document.get("conditions"),
        "members": members,
        "tags": row.document.get("tags") or None,
        "created_at": to_unix(row.created_at),
        "updated_at": updated,
    }


def _percent(build: Build | None) -> int:
    return 0 if build is None or not build.total else min(100 * build.done // build.total, 99)


def _asked(body: Any) -> tuple[str, str | None]:
    """Name and description of a segment to be made."""
    segment = body.get("segment") if isinstance(body, dict) else None
    if not isinstance(segment, dict):
        raise DomainError("invalid_parameter", 'The body is {"segment": {"name": ...}}.', "/segment")
    unknown: list[tuple[str, ...]] = [(name,) for name in body if name != "segment"]
    unknown += [("segment", name) for name in segment if name not in ("name", "description")]
    if unknown:
        message = "There is no such field here; PUT /v1/definitions makes segments with conditions and tags."
        raise InvalidInput(
            [Problem(code="invalid_parameter", pointer=pointer_of(place), message=message) for place in unknown]
        )
    name, description = segment.get("name"), segment.get("description")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
        message = f"A segment has a name of 1 to {LONGEST_NAME} characters."
        raise DomainError("invalid_parameter", message, "/segment/name")
    if description is not None and (not isinstance(description, str) or len(description) > LONGEST_DESCRIPTION):
        message = f"A description is a text of at most {LONGEST_DESCRIPTION} characters."
        raise DomainError("invalid_parameter", message, "/segment/description")
    return name.strip(), description


__all__ = [
    "KIND",
    "MANUAL",
    "MEMBERS",
    "MOST_MEMBERS",
    "create",
    "customer_count",
    "delete",
    "list_all",
    "make_manual",
    "membership",
    "one",
    "shown",
    "shown_one",
    "size",
    "stored",
    "used_by",
]
