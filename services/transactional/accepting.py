"""Taking transactional sends: delivery, request, fact and answer in one commit before the caller hears of it (CHN-02)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import faults
from domain.errors import DomainError
from domain.sending.refusals import KEY_REUSED, SendRefused
from store import deltas, idempotency, log, requests
from store.database import Connection, Database
from store.failures import is_unavailable
from store.idempotency import Keyed
from store.log import LogEntry
from store.notify import Notifier
from store.requests import Asked
from telemetry import figures

logger = logging.getLogger("sojourn.sends")

MOST = 200
"""How many sends share a commit."""
MOST_BYTES = 4 * 1024 * 1024
"""How much their attachments may come to together, unless one alone has more."""
WRITERS = 2
ANSWERED = ("delivery_id", "queued_at", "send_at")
"""What a call is answered, in this order however often."""


class Send(NamedTuple):
    """One send that was found good: what is stored of it, and what its caller is answered."""

    asked: Asked
    entry: LogEntry
    answer: dict[str, Any]
    keyed: Keyed | None = None


class _Call(NamedTuple):
    send: Send
    now: datetime
    done: asyncio.Future[dict[str, Any]]


class SendAcceptor:
    """Stores sends; callers that wait at the same time share a commit, and each hears of its own."""

    def __init__(self, db: Database, notifier: Notifier) -> None:
        self._db = db
        self._notifier = notifier
        self._waiting: deque[_Call] = deque()
        self._writers: set[asyncio.Task[None]] = set()

    async def take(self, send: Send, real_now: datetime) -> dict[str, Any]:
        """The answer, once the send is committed, or that of an earlier call with the same key.

        Raises SendRefused where the key was used with another request, and what the database says where nothing was stored.
        """
        call = _Call(send, real_now, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if len(self._writers) < WRITERS:
            self._writers.add(asyncio.create_task(self._write()))
        return await call.done

    async def close(self) -> None:
        """Wait until everything that was begun is written."""
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._commit(self._next())
                faults.point("accept.after_append")
                self._notifier.send("ingest")
        finally:
            # At once, so that whoever comes now does not count on a writer that has looked for the last time.
            self._writers.discard(asyncio.current_task())

    def _next(self) -> list[_Call]:
        """The next calls, of which no two have the same key, and which are not too much together."""
        calls: list[_Call] = []
        later: list[_Call] = []
        keys: set[tuple[int, str, bytes]] = set()
        size = 0
        while self._waiting and len(calls) < MOST:
            size += _size(self._waiting[0])
            if calls and size > MOST_BYTES:
                break
            call = self._waiting.popleft()
            keyed = call.send.keyed
            if keyed is not None and keyed[:3] in keys:
                later.append(call)
                continue
            if keyed is not None:
                keys.add(keyed[:3])
            calls.append(call)
        self._waiting.extendleft(reversed(later))
        return calls

    async def _commit(self, calls: list[_Call]) -> None:
        """Write the calls in one transaction; where that fails, one by one, so that only the guilty one hears of it."""
        try:
            async with self._db.transaction() as conn:
                answers = await _store(conn, calls)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is each caller's to hear
            if is_unavailable(error):
                await self._after_break(calls, error)
                return
            if len(calls) > 1:
                for call in calls:
                    await self._commit([call])
                return
            answers = [error]
        for call, answer in zip(calls, answers, strict=True):
            if answer is call.send.answer:
                figures.SENDS_ACCEPTED.labels(call.send.asked.row.channel).inc()
            _tell(call, answer)

    async def _after_break(self, calls: Sequence[_Call], error: Exception) -> None:
        """Find out what became of calls whose commit was cut off: whoever is told that it failed calls again."""
        stored: set[str] = set()
        try:
            async with self._db.connection() as conn:
                stored = await requests.made(conn, [call.send.asked.row.delivery_id for call in calls])
        except Exception:
            logger.exception("nobody knows whether sends were stored")
        for call in calls:
            is_stored = call.send.asked.row.delivery_id in stored
            _tell(call, call.send.answer if is_stored else error)


async def _store(conn: Connection, calls: Sequence[_Call]) -> list[dict[str, Any] | Exception]:
    """Store the calls; what each is answered, whoever repeats another with its answer."""
    real_now = max(call.now for call in calls)
    keyed = [call.send.keyed for call in calls if call.send.keyed is not None]
    free = await idempotency.claim(conn, keyed, real_now) if keyed else set()
    fresh = [call.send for call in calls if call.send.keyed is None or call.send.keyed[:3] in free]
    if fresh:
        await requests.insert(conn, [send.asked for send in fresh])
        await deltas.insert(conn, [_created(send) for send in fresh])
        await log.append(conn, [send.entry for send in fresh], real_now)
    stored = {id(send) for send in fresh}
    return [
        call.send.answer if id(call.send) in stored else await _earlier(conn, call.send.keyed, real_now)
        for call in calls
    ]


async def _earlier(conn: Connection, keyed: Keyed | None, real_now: datetime) -> dict[str, Any] | Exception:
    assert keyed is not None, "only calls with a key repeat others"
    before = await idempotency.find(conn, *keyed[:3], real_now)
    if before is None:
        return DomainError("unavailable", "The answer of an earlier call has just expired; try again.")
    return answer_before(before, keyed.request_hash)


def answer_before(before: Keyed, request_hash: bytes) -> dict[str, Any] | SendRefused:
    """What a call hears that names a key again: the same answer, or that its request is another one."""
    if before.request_hash != request_hash:
        return SendRefused(KEY_REUSED, code="key_reused")
    return {name: before.answer[name] for name in ANSWERED if name in before.answer}


def _size(call: _Call) -> int:
    return sum(map(len, call.send.asked.request.get("attachments", {}).values()))


def _created(send: Send) -> deltas.Delta:
    row = send.asked.row
    assert row.transactional_id is not None, "sends have a template, or the number for those without"
    return deltas.Delta(row.workspace_id, "transactional", row.transactional_id, "created")


def _tell(call: _Call, answer: dict[str, Any] | Exception) -> None:
    if call.done.done():
        return
    if isinstance(answer, Exception):
        call.done.set_exception(answer)
    else:
        call.done.set_result(answer)


__all__ = ["Send", "SendAcceptor", "answer_before"]
