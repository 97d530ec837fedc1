"""Snippets as the App API has them: found by the name that templates say (APP-16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.definitions.snippet import LONGEST_NAME, LONGEST_VALUE, text_of
from domain.errors import InvalidInput, NotFound, Problem
from domain.values import to_unix
from services import definition_checks as checks
from services import definition_making as making
from services import definition_writes as writes
from services import definitions
from store import definitions as store
from store import workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

KIND: Final = "snippet"
EXISTS: Final = "A snippet with that name already exists"


class _Asked(NamedTuple):
    name: str
    value: Any


async def list_all(db: Database, workspace_id: int) -> dict[str, Any]:
    """Every snippet, oldest first."""
    async with db.connection() as conn:
        rows = await store.load_all(conn, workspace_id)
    return {"snippets": [_shown(row) for row in rows if row.kind == KIND]}


async def create(db: Database, workspace_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Make a snippet of `{"name", "value"}`; raises InvalidInput, also for a name that is taken."""
    asked = _read(body)
    async with db.transaction() as conn:
        workspace = await definitions.workspace_of(conn, workspace_id)
        rows = await making.locked(conn, workspace_id)
        if _named(rows, asked.name) is not None:
            raise InvalidInput([Problem(code="duplicate", pointer="/name", message=EXISTS)])
        return {"snippet": _shown(await _made(conn, workspace, rows, asked, real_now))}


async def put(db: Database, workspace_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Give the snippet of that name the value, or make it; raises InvalidInput."""
    asked = _read(body)
    async with db.transaction() as conn:
        workspace = await definitions.workspace_of(conn, workspace_id)
        rows = await making.locked(conn, workspace_id)
        row = _named(rows, asked.name)
        if row is None:
            return {"snippet": _shown(await _made(conn, workspace, rows, asked, real_now))}
        if text_of(asked.value) == text_of(row.document["value"]):
            # Data is answered as text, and comes back so.
            return {"snippet": _shown(row)}
        document = {**row.document, "value": asked.value}
        checked = checks.check([("", document)], rows, sandbox=workspace.sandbox)
        checked.refuse()
        for definition, stored in checked.definitions:
            change = await writes.plan(conn, workspace_id, definition, stored)
            now = workspace.now(real_now)
            written = await writes.write(conn, workspace, change, source=None, waits="continue", now=now)
            if change.action != "unchanged":
                await workspaces.bump_definitions(conn, workspace_id)
            row = written.row or row
        return {"snippet": _shown(row)}


async def delete(db: Database, workspace_id: int, name: str, real_now: datetime) -> None:
    """Remove the snippet of that name; raises NotFound and, with the referents, DomainError `in_use`."""
    async with db.connection() as conn:
        row = _named(await store.load_all(conn, workspace_id), name)
    if row is None:
        raise NotFound(KIND, name)
    await definitions.delete(db, workspace_id, KIND, row.key, now=real_now)


async def _made(
    conn: Connection, workspace: WorkspaceRow, rows: Sequence[DefinitionRow], asked: _Asked, real_now: datetime
) -> DefinitionRow:
    """A new snippet, called after the id that it gets: its name need not look like a key."""
    number = await workspaces.last_id(conn, workspace.workspace_id, KIND) + 1
    key = making.free_key(KIND, f"{KIND}-{number}", {row.key for row in rows if row.kind == KIND})
    document = {"kind": KIND, **asked._asdict()}
    return await making.make(conn, workspace, document, named="", key=key, rows=rows, now=workspace.now(real_now))


def _named(rows: Sequence[DefinitionRow], name: str) -> DefinitionRow | None:
    return next((row for row in rows if row.kind == KIND and row.document.get("name") == name.strip()), None)


def _read(body: Any) -> _Asked:
    if not isinstance(body, Mapping):
        raise InvalidInput([Problem(code="type", message="Give an object with a name and a value.")])
    name, value = body.get("name"), body.get("value")
    problems = [
        Problem(code=code, pointer=f"/{field}", message=f"{field} {message}")
        for field, (code, message) in (("name", _fault_of_name(name)), ("value", _fault_of_value(value)))
        if code
    ]
    if problems:
        raise InvalidInput(problems)
    return _Asked(name.strip(), value)  # type: ignore[union-attr]


def _fault_of_name(name: Any) -> tuple[str, str]:
    if name is None or (isinstance(name, str) and not name.strip()):
        return "required", "cannot be blank"
    if not isinstance(name, str):
        return "type", "must be text"
    if len(name.strip()) > LONGEST_NAME:
        return "length", f"cannot exceed {LONGEST_NAME} characters"
    return "", ""


def _fault_of_value(value: Any) -> tuple[str, str]:
    if value is None or (isinstance(value, str) and not value.strip()):
        return "required", "cannot be blank"
    if not isinstance(value, str | dict | list):
        return "type", "must be text, an object or a list"
    if len(text_of(value)) > LONGEST_VALUE:
        return "length", f"cannot exceed {LONGEST_VALUE} characters"
    return "", ""


def _shown(row: DefinitionRow) -> dict[str, Any]:
    """A snippet with its value as the text that templates print."""
    document = row.document
    return {
        "key": row.key,
        "name": document["name"],
        "value": text_of(document["value"]),
        "updated_at": to_unix(row.updated_at),
    }


__all__ = ["create", "delete", "list_all", "put"]
