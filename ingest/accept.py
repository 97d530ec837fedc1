"""Accepting facts: appended to the log and committed before the caller hears of success, several callers per commit."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import faults
from domain.operations import AnyOperation
from store import log
from store.database import Database
from store.failures import is_unavailable
from store.notify import Notifier
from telemetry import figures

MOST_ROWS = 1000
WRITERS = 2


class _Call(NamedTuple):
    entries: list[log.LogEntry]
    now: datetime
    done: asyncio.Future[None]


class Acceptor:
    """Appends operations to the ingest log; callers that wait at the same time share a commit."""

    def __init__(self, db: Database, notifier: Notifier) -> None:
        self._db = db
        self._notifier = notifier
        self._waiting: deque[_Call] = deque()
        self._writers: set[asyncio.Task[None]] = set()

    async def append(
        self, workspace_id: int, operations: Sequence[AnyOperation], source: str, real_now: datetime
    ) -> None:
        """Return once the operations are committed, in this order; raises what the database says if they are not."""
        if not operations:
            return
        entries = [log.entry_of(workspace_id, operation, source) for operation in operations]
        call = _Call(entries, real_now, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if len(self._writers) < WRITERS:
            self._writers.add(asyncio.create_task(self._write()))
        await call.done

    async def close(self) -> None:
        """Wait until everything that was begun is written."""
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def _write(self) -> None:
        while self._waiting:
            calls = [self._waiting.popleft()]
            rows = len(calls[0].entries)
            while self._waiting and rows + len(self._waiting[0].entries) <= MOST_ROWS:
                calls.append(self._waiting.popleft())
                rows += len(calls[-1].entries)
            await self._commit(calls)
            faults.point("accept.after_append")
            self._notifier.send("ingest")
        # Here and not when the task is done: who comes in between would find a writer that looks at nothing any more.
        self._writers.discard(asyncio.current_task())

    async def _commit(self, calls: list[_Call]) -> None:
        """Write the calls in one statement; where that fails, one by one, so that only the guilty one hears of it."""
        began = asyncio.get_running_loop().time()
        try:
            # One statement is a transaction of its own, without a round trip for its beginning and one for its end.
            async with self._db.connection() as conn:
                await log.append(conn, [e for call in calls for e in call.entries], max(call.now for call in calls))
        except Exception as error:  # noqa: BLE001 - whatever went wrong is each caller's to hear
            # After a broken connection nobody knows whether the rows are in: writing them again could double them.
            if len(calls) > 1 and not is_unavailable(error):
                for call in calls:
                    await self._commit([call])
                return
            for call in calls:
                _answer(call, error)
            return
        figures.ACCEPT_SECONDS.observe(asyncio.get_running_loop().time() - began)
        for op, facts in Counter([entry.op for call in calls for entry in call.entries]).items():
            figures.FACTS_ACCEPTED.labels(op).inc(facts)
        for call in calls:
            _answer(call, None)


def _answer(call: _Call, error: Exception | None) -> None:
    if call.done.done():
        return
    if error is None:
        call.done.set_result(None)
    else:
        call.done.set_exception(error)


__all__ = ["Acceptor"]
