"""Exporting definitions: the documents of a workspace in an order that does not change, as they can be applied again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import orjson

from domain.definitions import KINDS, unknown_kind
from domain.definitions.order import in_order
from domain.errors import InvalidInput
from services import collections
from services.definitions import View, shown
from services.documents_io import dump_yaml
from store import definitions as store
from store.database import Database
from store.definitions import DefinitionRow


async def chosen(db: Database, workspace_id: int, kinds: Collection[str], source: str | None) -> list[DefinitionRow]:
    """The documents of these kinds, of every kind where none is named, by kind and key.

    With a source only those applied last under it. Raises InvalidInput for a kind that there is not.
    """
    if any(kind not in KINDS for kind in kinds):
        raise InvalidInput([unknown_kind()])
    async with db.connection() as conn:
        rows = await store.load_all(conn, workspace_id)
    wanted = [row for row in rows if row.kind in (kinds or KINDS) and (source is None or row.source == source)]
    return sorted(wanted, key=lambda row: (row.kind, row.key))


async def bundle(db: Database, rows: Sequence[DefinitionRow], source: str | None, view: View) -> AsyncIterator[bytes]:
    """The documents as one JSON bundle, piece by piece: collections come with their rows, one at a time."""
    named = b"" if source is None else b'"source":' + orjson.dumps(source) + b","
    yield b"{" + named + b'"definitions":['
    for index, row in enumerate(rows):
        yield (b"," if index else b"") + orjson.dumps(await _document(db, row, view))
    yield b"]}"


async def stream(db: Database, rows: Sequence[DefinitionRow], view: View) -> AsyncIterator[bytes]:
    """The documents as a YAML stream, piece by piece."""
    for row in rows:
        document = await _document(db, row, view)
        # Writing YAML takes its time, in which other calls are answered.
        yield b"---\n" + (await asyncio.to_thread(dump_yaml, [document])).encode()


async def _document(db: Database, row: DefinitionRow, view: View) -> dict[str, Any]:
    document = in_order(shown(row, view))
    if row.kind != collections.KIND:
        return document
    async with db.connection() as conn:
        return await collections.filled(conn, row, document)


__all__ = ["bundle", "chosen", "stream"]
