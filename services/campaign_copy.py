"""Copying a campaign or a broadcast into a new draft of the same workspace (CMP-20, ACT-39, CHN-15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from domain.definitions.base import Name
from domain.definitions.library import ARCHIVED
from domain.documents import Document, Key
from domain.errors import DomainError, InvalidInput, Problem
from domain.problems import from_validation_error
from services import definition_making as making
from services import definitions
from services.campaigns import Found, find
from services.segment_life import COPY
from store.database import Connection, Database

LONGEST_NAME: Final = 190


class Copy(Document):
    """How the copy is called; what is left out is made up."""

    key: Key | None = None
    name: Name | None = None


async def duplicate(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Make a draft with the same trigger, rules and blocks; `body` is `{"key", "name"}` as received.

    Its blocks get ids of their own and a webhook campaign a URL of its own, so that what is known of the original's
    journeys says nothing of the copy's. Raises NotFound, InvalidInput, DomainError `invalid_state` for one that is archived.
    """
    asked = read(body)
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        return await copy(conn, found, asked, real_now)


async def copy(conn: Connection, found: Found, asked: Copy, real_now: datetime) -> dict[str, Any]:
    """Make a draft like what was found, a campaign or a broadcast, under the names that were asked for.

    Raises InvalidInput, DomainError `invalid_state` for one that is archived.
    """
    row = found.row
    if row.state == ARCHIVED:
        raise DomainError("invalid_state", f"The {row.kind} '{row.key}' is archived: unarchive it first.")
    if asked.key is not None and any((r.kind, r.key) == (row.kind, asked.key) for r in found.rows):
        message = f"There is a {row.kind} '{asked.key}' already."
        raise InvalidInput([Problem(code="duplicate", pointer="/key", message=message)])
    name = asked.name or f"{COPY}{row.name}"[:LONGEST_NAME].strip()
    made = await making.make(
        conn,
        found.workspace,
        _copied(row.document) | {"name": name},
        named=name,
        key=asked.key,
        rows=found.rows,
        now=found.workspace.now(real_now),
    )
    return {"definition": definitions.shown(made), "status": await definitions.status(conn, made)}


def _copied(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it may stand for another campaign: not started by the clock, its blocks renamed from nothing."""
    workflow = document["workflow"]
    blocks = {key: {**block} for key, block in workflow["blocks"].items()}
    for block in blocks.values():
        block.pop("renamed_from", None)
    copy = {**document, "workflow": {**workflow, "blocks": blocks}}
    copy.pop("schedule", None)
    return copy


def read(body: Any) -> Copy:
    """What a copy is to be called; raises InvalidInput."""
    raw = {} if body is None else body
    try:
        return Copy.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, raw)) from None


__all__ = ["Copy", "copy", "duplicate", "read"]
