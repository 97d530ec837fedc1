"""Collections: their rows beside their definitions, and both as the App API has them (PPL-27, APP-15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domain.collections import MOST_BYTES, Contents, measured
from domain.definitions import CollectionDefinition, read_definition
from domain.definitions.collection import KeptRows
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.values import to_unix
from services import definition_checks as checks
from services import definition_deletes as deletes
from services import definition_making as making
from services import definition_writes as writes
from services import fetching
from services.collection_rows import read_rows
from store import collections as store
from store import definitions, workspaces
from store.collections import ContentRow
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

KIND: Final = "collection"
LARGEST_FILE: Final = 2 * MOST_BYTES
"""How large a body or a file may be before it is read: spaces and column names are not counted as rows."""
_NO_ROWS: Final = "Give a list of rows: what a digest stands for is kept only as long as the collection holds it."
_FIELDS: Final = ("name", "data", "url")


def check(checked: checks.Checked) -> None:
    """Add what is wrong with documents that hold a digest in place of rows: only the stored one may."""
    for item in checked.incoming:
        definition = item.definition
        if not isinstance(definition, CollectionDefinition) or not isinstance(definition.data, KeptRows):
            continue
        if item.row is None or item.row.document.get("data") != definition.data.model_dump():
            problem = Problem(code="type", pointer=f"{item.pointer}/data", message=_NO_ROWS)
            checked.errors.append(problem)


async def fetched(db: Database, workspace_id: int, raws: Sequence[tuple[str, Any]]) -> dict[str, Contents]:
    """The contents of documents, given with their pointers, that name another url than is stored, by key.

    Nothing is locked meanwhile. Raises InvalidInput where a file cannot be had or is no collection.
    """
    found: dict[str, Contents] = {}
    for pointer, raw in raws:
        if not isinstance(raw, dict) or raw.get("kind") != KIND or "url" not in raw:
            continue
        definition, _ = read_definition(raw)
        if not isinstance(definition, CollectionDefinition) or definition.url is None:
            continue
        async with db.connection() as conn:
            row = await definitions.get(conn, workspace_id, KIND, definition.key)
            workspace = await workspaces.get(conn, workspace_id)
        if workspace is not None and (row is None or row.document.get("url") != definition.url):
            found[definition.key] = await _fetch(db, workspace, definition.url, f"{pointer}/url")
    return found


async def keep(
    conn: Connection,
    workspace_id: int,
    changes: Iterable[writes.Change],
    contents: Mapping[str, Contents],
    now: datetime,
) -> None:
    """Store the rows of documents that were written; `contents` are those fetched, by key."""
    for change in changes:
        definition = change.definition
        if not isinstance(definition, CollectionDefinition) or change.action == "unchanged":
            continue
        rows = contents.get(definition.key)
        if definition.rows is not None:
            rows = measured(definition.rows)
        elif rows is None and definition.url is not None and _is_elsewhere(change):
            raise DomainError("locked", "The collection was changed at the same time; try again.")
        if rows is not None and change.number is not None:
            await store.put(conn, workspace_id, change.number, rows, now)


def _is_elsewhere(change: writes.Change) -> bool:
    return change.action == "create" or any(entry.path == "/url" for entry in change.diff)


async def filled(conn: Connection, row: DefinitionRow, document: dict[str, Any]) -> dict[str, Any]:
    """A document as it was put: with its rows in place of their digest."""
    if row.kind != KIND or "data" not in document:
        return document
    return {**document, "data": await store.rows_of(conn, row.workspace_id, row.definition_id)}


async def fitting(conn: Connection, rows: Sequence[DefinitionRow]) -> int:
    """How many of these documents one answer holds: as many as have their rows in the room of one collection."""
    if not rows or rows[0].kind != KIND:
        return len(rows)
    known = await store.known(conn, rows[0].workspace_id)
    size = 0
    for count, row in enumerate(rows):
        size += known[row.definition_id].bytes if row.definition_id in known else 0
        if size > MOST_BYTES and count:
            return count
    return len(rows)


async def list_all(db: Database, workspace_id: int) -> dict[str, Any]:
    """Every collection, oldest first, without rows."""
    async with db.connection() as conn:
        rows = await definitions.load_all(conn, workspace_id)
        known = await store.known(conn, workspace_id)
    return {"collections": [_shown(row, known.get(row.definition_id)) for row in rows if row.kind == KIND]}


async def one(db: Database, workspace_id: int, collection_id: int) -> dict[str, Any]:
    """One collection without its rows; raises NotFound."""
    async with db.connection() as conn:
        return await _answer(conn, await _stored(conn, workspace_id, collection_id))


async def content(db: Database, workspace_id: int, collection_id: int) -> str:
    """The rows of a collection, a JSON list; raises NotFound."""
    async with db.connection() as conn:
        await _stored(conn, workspace_id, collection_id)
        return await store.text_of(conn, workspace_id, collection_id)


async def create(db: Database, workspace_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Make a collection of `{"name", "data" | "url"}`; raises DomainError `invalid_parameter`."""
    asked = _asked(body)
    if "name" not in asked:
        raise _invalid("A collection has a name.", "/name")
    if ("data" in asked) == ("url" in asked):
        raise _invalid("Give the rows as data, or a url to fetch them from.", "/data")
    rows = await _contents(db, workspace_id, asked)
    async with db.transaction() as conn:
        stored = await making.locked(conn, workspace_id)
        workspace = await _workspace(conn, workspace_id)
        now = workspace.now(real_now)
        document = {"kind": KIND, **asked}
        try:
            row = await making.make(conn, workspace, document, named=asked["name"], rows=stored, now=now)
        except InvalidInput as refusal:
            raise _as_invalid(refusal) from None
        if rows is not None:
            await store.put(conn, workspace_id, row.definition_id, rows, now)
        return await _answer(conn, row)


async def update(db: Database, workspace_id: int, collection_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Rename a collection or replace all its rows; what the body leaves out stays. Raises NotFound.

    A url is fetched again even where it is the same.
    """
    asked = _asked(body)
    if not asked or ("data" in asked and "url" in asked):
        raise _invalid("Give a name, and the rows as data or a url to fetch them from.")
    async with db.connection() as conn:
        await _stored(conn, workspace_id, collection_id)
    rows = await _contents(db, workspace_id, asked)
    async with db.transaction() as conn:
        stored = await making.locked(conn, workspace_id)
        workspace = await _workspace(conn, workspace_id)
        row = await _stored(conn, workspace_id, collection_id)
        kept = {name: value for name, value in row.document.items() if rows is None or name not in ("data", "url")}
        checked = checks.check([("", {**kept, **asked})], stored, sandbox=workspace.sandbox)
        try:
            checked.refuse()
        except InvalidInput as refusal:
            raise _as_invalid(refusal) from None
        ((definition, before),) = checked.definitions
        change = await writes.plan(conn, workspace_id, definition, before)
        now = workspace.now(real_now)
        change = await writes.write(conn, workspace, change, source=None, waits="continue", now=now)
        if rows is not None:
            await store.put(conn, workspace_id, collection_id, rows, now)
        if rows is not None or change.action != "unchanged":
            await workspaces.bump_definitions(conn, workspace_id)
        return await _answer(conn, change.row or row)


async def replace(
    db: Database, workspace_id: int, collection_id: int, body: bytes, content_type: str, *, real_now: datetime
) -> dict[str, Any]:
    """Put the rows of a body, in JSON or CSV, in place of those there are; raises NotFound."""
    return await update(db, workspace_id, collection_id, {"data": read_rows(body, content_type)}, real_now)


async def delete(db: Database, workspace_id: int, collection_id: int, real_now: datetime) -> None:
    """Remove a collection, whatever may still name it (APP-15); raises NotFound."""
    async with db.transaction() as conn:
        await definitions.lock(conn, workspace_id)
        row = await _stored(conn, workspace_id, collection_id)
        workspace = await _workspace(conn, workspace_id)
        await deletes.remove(conn, workspace, row, workspace.now(real_now))
        await workspaces.bump_definitions(conn, workspace_id)


def _asked(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise _invalid("Send an object with a name, and with data or a url.")
    unknown = next((name for name in body if name not in _FIELDS), None)
    if unknown is not None:
        raise _invalid("There is no such field here.", f"/{unknown}")
    if not isinstance(body.get("name", ""), str):
        raise _invalid("Give a text.", "/name")
    return {name: body[name] for name in _FIELDS if name in body}


async def _contents(db: Database, workspace_id: int, asked: Mapping[str, Any]) -> Contents | None:
    """The rows that a body brings or names, None where it says nothing of them."""
    try:
        if "data" in asked:
            return measured(asked["data"], "/data")
        if "url" in asked:
            if not isinstance(asked["url"], str):
                raise _invalid("Give a text.", "/url")
            async with db.connection() as conn:
                workspace = await _workspace(conn, workspace_id)
            return await _fetch(db, workspace, asked["url"], "/url")
    except InvalidInput as refusal:
        raise _as_invalid(refusal) from None
    return None


async def _fetch(db: Database, workspace: WorkspaceRow, url: str, pointer: str) -> Contents:
    try:
        file = await fetching.fetch(db, workspace, url, limit=LARGEST_FILE)
        rows = read_rows(file.body, file.content_type, url)
        return measured(rows)
    except InvalidInput as refusal:
        message = f"What the url leads to is no collection: {refusal.message}"
        raise InvalidInput([Problem(code="url_invalid", pointer=pointer, message=message)]) from None
    except DomainError as refusal:
        code = refusal.code if refusal.code != "invalid_json" else "url_invalid"
        raise InvalidInput([Problem(code=code, pointer=pointer, message=refusal.message)]) from None


async def _workspace(conn: Connection, workspace_id: int) -> WorkspaceRow:
    workspace = await workspaces.get(conn, workspace_id)
    if workspace is None:
        raise NotFound("workspace", workspace_id)
    return workspace


async def _stored(conn: Connection, workspace_id: int, collection_id: int) -> DefinitionRow:
    row = await definitions.get(conn, workspace_id, KIND, collection_id)
    if row is None:
        raise NotFound(KIND, collection_id)
    return row


async def _answer(conn: Connection, row: DefinitionRow) -> dict[str, Any]:
    known = await store.known(conn, row.workspace_id)
    return {"collection": _shown(row, known.get(row.definition_id))}


def _shown(row: DefinitionRow, rows: ContentRow | None) -> dict[str, Any]:
    """A collection in the vendor's shape, with its key added."""
    updated = row.updated_at if rows is None else max(row.updated_at, rows.updated_at)
    return {
        "id": row.definition_id,
        "key": row.key,
        "name": row.name,
        "schema": [] if rows is None else rows.columns,
        "rows": 0 if rows is None else rows.row_count,
        "bytes": 0 if rows is None else rows.bytes,
        "created_at": to_unix(row.created_at),
        "updated_at": to_unix(updated),
    }


def _invalid(message: str, pointer: str = "") -> DomainError:
    return DomainError("invalid_parameter", message, pointer)


def _as_invalid(refusal: InvalidInput) -> DomainError:
    """The first problem as the App API refuses it: with 400."""
    return _invalid(refusal.message, refusal.pointer)


__all__ = [
    "LARGEST_FILE",
    "check",
    "content",
    "create",
    "delete",
    "fetched",
    "filled",
    "fitting",
    "keep",
    "list_all",
    "one",
    "replace",
    "update",
]
