"""The history of a definition: its revisions, newest first, and each as it was."""

from __future__ import annotations

from typing import Any

from domain.definitions import KINDS, unknown_kind
from domain.definitions.order import in_order
from domain.errors import DomainError, InvalidInput, NotFound
from domain.values import to_unix
from services import collections
from store import definitions as definition_store
from store import revisions as store
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.revisions import RevisionRow

COLLECTION = collections.KIND


async def listed(
    db: Database, workspace_id: int, kind: str, ref: str | int, *, start: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """One page of the history, which begins with the definition as it is; `start` is the `next` of the page before.

    A state that was written by a version without revisions stands there with nothing but its number, time and source.
    Raises NotFound.
    """
    before = _cursor(start)
    async with db.connection() as conn:
        row = await _stored(conn, workspace_id, kind, ref)
        found = await store.page(conn, workspace_id, kind, row.definition_id, before=before, limit=limit)
        oldest = await store.oldest(conn, workspace_id, kind, row.definition_id)
    if (before is None or before > row.revision) and (not found or found[0].revision < row.revision):
        found = [_as_it_is(row), *found][:limit]
    more = bool(found) and oldest is not None and found[-1].revision > oldest
    return {"revisions": [_listed(one) for one in found], "next": str(found[-1].revision) if more else ""}


async def get(db: Database, workspace_id: int, kind: str, ref: str | int, revision: int) -> dict[str, Any]:
    """A definition as it was after one change, secrets hidden; raises NotFound where that is not kept.

    Of a collection that holds other rows now there is the digest that stood for those it held.
    """
    async with db.connection() as conn:
        row = await _stored(conn, workspace_id, kind, ref)
        found = await store.get(conn, workspace_id, kind, row.definition_id, revision)
        if found is None and revision == row.revision:
            found = _as_it_is(row)
        if found is None or found.document is None:
            raise NotFound(f"revision of the {kind} '{row.key}'", revision)
        document = in_order(found.document)
        if kind == COLLECTION and document.get("data") == row.document.get("data"):
            document = await collections.filled(conn, row, document)
    status = {
        "kind": kind,
        "key": row.key,
        "id": row.definition_id,
        "revision": found.revision,
        "created_at": to_unix(row.created_at),
        "updated_at": to_unix(found.created_at),
        "source": found.source,
    }
    return {"definition": document, "status": status | _author(found)}


def _as_it_is(row: DefinitionRow) -> RevisionRow:
    """The present state of a definition that nobody has kept a revision of."""
    return definition_store.revision_of(row, source=row.source)


def _listed(found: RevisionRow) -> dict[str, Any]:
    answer = {"revision": found.revision, "created_at": to_unix(found.created_at), **_author(found)}
    answer["source"] = found.source
    return answer if found.diff is None else answer | {"diff": found.diff}


def _author(found: RevisionRow) -> dict[str, str]:
    return {} if found.author is None else {"author": found.author}


def _cursor(start: str | None) -> int | None:
    if not start:
        return None
    if not (start.isascii() and start.isdecimal()) or len(start) > 9:
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    return int(start)


async def _stored(conn: Connection, workspace_id: int, kind: str, ref: str | int) -> DefinitionRow:
    if kind not in KINDS:
        raise InvalidInput([unknown_kind()])
    row = await definition_store.get(conn, workspace_id, kind, ref)
    if row is None:
        raise NotFound(kind, ref)
    return row


__all__ = ["get", "listed"]
