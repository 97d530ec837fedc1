"""The file of an import fetched from its URL, piece by piece, between two pages (PPL-45)."""

from __future__ import annotations

import asyncio
from functools import partial

from domain.imports import FILE_BYTES
from services import fetching
from services.import_ending import ended
from services.imports import whole_pieces
from services.long_page import Around, LongPage
from store import imports as store
from store import tasks as task_store
from store.database import Connection
from store.imports import ImportRecord
from store.tasks import TaskRow

FETCH_ATTEMPTS = 3


def fetch(task: TaskRow) -> LongPage:
    """Have the file fetched; each attempt has a number, so that of two at once only the later one counts."""
    attempt = task.payload.get("attempt", 0) + 1
    task.payload = {**task.payload, "attempt": attempt}
    return LongPage(outside=partial(_fetch, task.workspace_id, task.task_id, attempt))


async def _fetch(workspace_id: int, task_id: str, attempt: int, around: Around) -> None:
    async with around.db.transaction() as conn:
        row = await _own(conn, workspace_id, task_id, attempt)
        if row is None:
            return
        await store.drop_pieces(conn, workspace_id, row.import_id)
    allowed = around.allow_private_urls
    try:
        async with fetching.opened(
            around.db, around.workspace, row.url or "", limit=FILE_BYTES, allow_private=allowed
        ) as stream:
            position = 0
            async for piece in whole_pieces(stream.pieces):
                async with around.db.transaction() as conn:
                    if await _own(conn, workspace_id, task_id, attempt) is None:
                        return
                    await store.add_piece(conn, workspace_id, row.import_id, position, piece)
                position += 1
    except fetching.FetchFailed as failure:
        await _unfetched(around, workspace_id, task_id, attempt, failure)
        return
    async with around.db.transaction() as conn:
        row = await _own(conn, workspace_id, task_id, attempt)
        if row is not None:
            row.state = "preprocessed"
            await store.save(conn, row)


async def _own(conn: Connection, workspace_id: int, task_id: str, attempt: int) -> ImportRecord | None:
    """The import under the lock of its task, where this attempt is still the one that counts."""
    task = await task_store.hold(conn, workspace_id, task_id)
    if task is None or task.state not in task_store.OPEN or task.payload.get("attempt") != attempt:
        return None
    row = await store.get(conn, workspace_id, task.payload["import_id"])
    return row if row is not None and row.state == "preprocessing" else None


async def _unfetched(
    around: Around, workspace_id: int, task_id: str, attempt: int, failure: fetching.FetchFailed
) -> None:
    """What passes is tried again after a while; else the import has failed."""
    if failure.passing and attempt < FETCH_ATTEMPTS:
        await asyncio.sleep(float(attempt))
        return
    async with around.db.transaction() as conn:
        if await _own(conn, workspace_id, task_id, attempt) is None:
            return
        task = await task_store.hold(conn, workspace_id, task_id)
        assert task is not None, "it was held a moment ago"
        now = around.workspace.now(around.clock())
        task.state, task.error, task.ended_at = "failed", failure.message, now
        await task_store.save(conn, task)
        await ended(conn, task, "failed", now)


__all__ = ["fetch"]
