"""Sender identities as the App API lists them (APP-17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from domain.addresses import Address
from domain.definitions.library import Library
from domain.errors import DomainError, NotFound
from domain.values import to_unix
from rendering.rendered_email import shown
from services.definition_checks import library_of
from store import definitions as store
from store.database import Database
from store.definitions import DefinitionRow

Order = Literal["asc", "desc"]


async def page(
    db: Database, workspace_id: int, *, start: str | None, limit: int, order: Order, hidden: bool | None
) -> dict[str, Any]:
    """One page by id; `hidden` lists only those that are, or only those that are not."""
    after = _cursor(start)
    rows = [row for row in await _all(db, workspace_id) if row.kind == "sender"]
    rows = [row for row in rows if hidden is None or bool(row.document.get("hidden")) is hidden]
    rows.sort(key=lambda row: row.definition_id, reverse=order == "desc")
    if after is not None:
        rows = [row for row in rows if (row.definition_id < after if order == "desc" else row.definition_id > after)]
    more = str(rows[limit - 1].definition_id) if len(rows) > limit else ""
    return {"sender_identities": [identity(row) for row in rows[:limit]], "next": more}


async def get(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """One of them; raises NotFound."""
    async with db.connection() as conn:
        row = await store.get(conn, workspace_id, "sender", ref)
    if row is None:
        raise NotFound("sender", ref)
    return {"sender_identity": identity(row)}


async def used_by(db: Database, workspace_id: int, ref: str | int) -> dict[str, list[int]]:
    """What names it, by ids: campaigns as the vendor lists them, and what it leaves out; raises NotFound."""
    rows = await _all(db, workspace_id)
    row = next((row for row in rows if row.kind == "sender" and ref in (row.key, row.definition_id)), None)
    if row is None:
        raise NotFound("sender", ref)
    library = library_of(rows)
    users = library.referents("sender", row.key)
    found = {kind: _ids(library, [user.key for user in users if user.kind == kind], kind) for kind in _USERS}
    return {
        "campaigns": found["campaign"],
        "sent_newsletters": [],
        "draft_newsletters": [],
        "broadcasts": found["broadcast"],
        "transactional": found["transactional"],
    }


_USERS = ("campaign", "broadcast", "transactional")


def identity(row: DefinitionRow) -> dict[str, Any]:
    """A sender in the vendor's shape, with the key of its definition."""
    document = row.document
    name, email, phone = document.get("name") or "", document.get("email") or "", document.get("phone")
    answer: dict[str, Any] = {
        "id": row.definition_id,
        "key": row.key,
        "deduplicate_id": f"{row.definition_id}:{to_unix(row.updated_at)}",
        "name": name,
        "email": email,
        "address": shown(Address(email, name)) if phone is None else phone,
        "template_type": "email" if phone is None else "phone",
        "auto_generated": False,
        "hidden": bool(document.get("hidden")),
    }
    return answer if phone is None else answer | {"phone": phone}


def _ids(library: Library, keys: Sequence[str], kind: str) -> list[int]:
    entries = [library.find(kind, key) for key in dict.fromkeys(keys)]
    return sorted(entry.id for entry in entries if entry is not None and entry.id is not None)


def _cursor(start: str | None) -> int | None:
    if not start:
        return None
    if not (start.isascii() and start.isdecimal() and len(start) <= 9):
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    return int(start)


async def _all(db: Database, workspace_id: int) -> list[DefinitionRow]:
    async with db.connection() as conn:
        return await store.load_all(conn, workspace_id)


__all__ = ["Order", "get", "identity", "page", "used_by"]
