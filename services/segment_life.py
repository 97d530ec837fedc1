"""A segment's life: put away and brought back, built anew, copied (PPL-29)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from domain.definitions.base import Name
from domain.definitions.library import ARCHIVED
from domain.documents import Document, Key
from domain.errors import DomainError, InvalidInput, NotFound, Problem, Referent
from domain.problems import from_validation_error
from services import definition_checks as checks
from services import definition_making as making
from services import tasks
from services.definitions import status_of, workspace_of
from services.segments import KIND, LONGEST_NAME, MANUAL, shown_one
from store import definitions as store
from store import workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

COPY: Final = "[COPY] "


@dataclass(frozen=True)
class _Found:
    """A segment among everything, while nobody else writes definitions."""

    workspace: WorkspaceRow
    rows: Sequence[DefinitionRow]
    row: DefinitionRow

    @property
    def manual(self) -> bool:
        """Whether people are put into it by hand."""
        return self.row.document.get("type") == MANUAL


async def archive(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Put away a segment that only archived things refer to; answers with its status.

    Its members stay as they are: nothing looks at them any more. A build under way ends with its next page. Raises
    NotFound, DomainError `invalid_state` and, with the referents, `in_use`.
    """
    async with db.transaction() as conn:
        found = await _find(conn, workspace_id, ref)
        row = found.row
        if row.state == ARCHIVED:
            raise _unfit(row, "is archived already")
        users = checks.library_of(found.rows).references(KIND, row.key)
        checks.refuse_referents(
            row.kind,
            row.key,
            [Referent(kind=user.kind, key=user.key, pointer=use.pointer) for user, use in users if not user.archived],
        )
        row = await _set_state(conn, row, ARCHIVED)
        if not found.manual:
            payload, now = {"segment_id": row.definition_id}, found.workspace.now(real_now)
            await tasks.create(conn, workspace_id, "freeze_memberships", payload, now=now)
    return status_of(row)


async def unarchive(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Bring a segment back: a manual one with the members it had, one with conditions to be built anew.

    Raises NotFound, and DomainError `invalid_state` for one that is not archived or could not be saved as it is now.
    """
    async with db.transaction() as conn:
        found = await _find(conn, workspace_id, ref)
        row = found.row
        if row.state != ARCHIVED:
            raise _unfit(row, "is not archived")
        row, task_id = await _back(conn, found, found.workspace.now(real_now))
    return status_of(row) if task_id is None else status_of(row) | {"task_id": task_id}


async def revive(
    conn: Connection, workspace: WorkspaceRow, rows: Sequence[DefinitionRow], key: str, now: datetime
) -> list[DefinitionRow]:
    """Bring back an archived segment that something brought back needs; the documents as they stand then.

    The caller holds the lock on definitions. Raises DomainError `invalid_state` where it could not be saved as it is now.
    """
    found = _Found(workspace, rows, next(r for r in rows if (r.kind, r.key) == (KIND, key)))
    back, _ = await _back(conn, found, now)
    return [back if row is found.row else row for row in rows]


class Copy(Document):
    """How the copy of a segment is called; what is left out is made up."""

    key: Key | None = None
    name: Name | None = None


async def duplicate(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Make a segment with the same conditions, which is built; raises NotFound, InvalidInput, DomainError `invalid_state`."""
    asked = _copy_of(body)
    async with db.transaction() as conn:
        found = await _find(conn, workspace_id, ref)
        if found.manual:
            raise _unfit(found.row, "is manual; only segments with conditions are copied")
        if found.row.state == ARCHIVED:
            raise _unfit(found.row, "is archived: unarchive it first")
        name = asked.name or f"{COPY}{found.row.name}"[:LONGEST_NAME].strip()
        if asked.key is not None and any((r.kind, r.key) == (KIND, asked.key) for r in found.rows):
            message = f"There is a segment '{asked.key}' already."
            raise InvalidInput([Problem(code="duplicate", pointer="/key", message=message)])
        row = await making.make(
            conn,
            found.workspace,
            {**found.row.document, "name": name},
            named=name,
            key=asked.key,
            rows=found.rows,
            now=found.workspace.now(real_now),
        )
        return {"segment": await shown_one(conn, row)}


async def _find(conn: Connection, workspace_id: int, ref: str | int) -> _Found:
    rows = await making.locked(conn, workspace_id)
    workspace = await workspace_of(conn, workspace_id)
    row = next((r for r in rows if r.kind == KIND and ref in (r.key, r.definition_id)), None)
    if row is None:
        raise NotFound(KIND, ref)
    return _Found(workspace, rows, row)


async def _set_state(conn: Connection, row: DefinitionRow, state: str) -> DefinitionRow:
    await store.set_state(conn, row.workspace_id, KIND, row.definition_id, state)
    await workspaces.bump_definitions(conn, row.workspace_id)
    return replace(row, state=state)


async def _back(conn: Connection, found: _Found, now: datetime) -> tuple[DefinitionRow, str | None]:
    """Bring a segment back; the row as it is then, and the task that builds it where it has conditions."""
    _refuse_unsound(found)
    row = await _set_state(conn, found.row, "ready" if found.manual else "building")
    if found.manual:
        return row, None
    payload = {"segment_id": row.definition_id}
    return row, await tasks.create(conn, row.workspace_id, "segment_build", payload, now=now)


def _refuse_unsound(found: _Found) -> None:
    """What it refers to may be gone, archived or made of segments by now."""
    back = replace(found.row, state="ready")
    rows = [back if r is found.row else r for r in found.rows]
    problems = [p for p in checks.check([("", back.document)], rows, sandbox=True).errors if p.stage == "save"]
    if problems:
        said = " ".join(f"{problem.message} ({problem.pointer})" for problem in problems)
        raise DomainError("invalid_state", f"The segment '{back.key}' does not fit in any more: {said}")


def _copy_of(body: Any) -> Copy:
    raw = {} if body is None else body
    try:
        return Copy.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, raw)) from None


def _unfit(row: DefinitionRow, why: str) -> DomainError:
    return DomainError("invalid_state", f"The segment '{row.key}' {why}.")


__all__ = ["Copy", "archive", "duplicate", "unarchive"]
