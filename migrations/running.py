"""Migrating a database that is at work: never in the way for long, told who is in ours, one migrator at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel

import migrations

PATIENCE: Final = 300.0
"""For how many seconds locks that others hold are tried for."""
LOCK_TIMEOUT: Final = "2s"
"""How long a statement waits for a lock: whoever comes after it waits behind it, so this is felt."""
STATEMENT_TIMEOUT: Final = "60s"
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0
LOOK_EVERY: Final = 0.3
NAME: Final = "sojourn migrate"
# A key of the one-argument form; our advisory locks of workspaces and of partitions have two.
TURN: Final = 0x534F_4A4D
_PASSING: Final = frozenset({"55P03", "40P01"})
"""What PostgreSQL calls a lock that cannot be had in time, and a deadlock that it has resolved at our cost."""

Say = Callable[[str], None]

_HOLDERS: Final = text(
    """SELECT a.pid, COALESCE(NULLIF(a.application_name, ''), a.backend_type) AS application, a.state,
              COALESCE(date_trunc('second', clock_timestamp() - a.xact_start), interval '0')::text AS age,
              left(regexp_replace(a.query, '\\s+', ' ', 'g'), 160) AS query
       FROM pg_stat_activity m CROSS JOIN LATERAL unnest(pg_blocking_pids(m.pid)) AS b (pid)
       JOIN pg_stat_activity a ON a.pid = b.pid
       WHERE m.pid = :pid AND a.pid <> m.pid ORDER BY a.xact_start LIMIT 3"""
)


async def bring_up(url: str, *, patience: float = PATIENCE, say: Say = print) -> None:
    """Run the migrations asked for; what cannot be done because of others' locks is tried again for `patience` seconds.

    A migration that cannot get its lock is rolled back whole before the pause, so that nobody waits behind it meanwhile.
    Raises `CommandError` when patience is at its end.
    """
    engine = create_async_engine(url, connect_args={"server_settings": {"application_name": NAME}})
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    try:
        async with _turn(engine, until, say) as connection:
            pause = FIRST_PAUSE
            while (trouble := await _attempt(engine, connection)) is not None:
                if loop.time() + pause > until:
                    raise CommandError(f"{trouble} Given up after {patience:g} s: nothing of this migration is left.")
                say(f"{trouble} Trying again in {pause:g} s.")
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
    finally:
        await engine.dispose()


@contextlib.asynccontextmanager
async def _turn(engine: AsyncEngine, until: float, say: Say) -> AsyncIterator[AsyncConnection]:
    """The connection to migrate with, when no other migrator is at work; the server frees the turn of one that died.

    Asked for again and again and not waited for: a statement that waits keeps a snapshot, and an index that the other one
    builds beside its users waits for the end of every snapshot.
    """
    async with engine.connect() as connection:
        told = False
        while not await _try_turn(connection):
            if asyncio.get_running_loop().time() > until:
                raise CommandError("Another migration runs on this database and does not end.")
            if not told:
                say("Another migration runs on this database: waiting for its end.")
            told = True
            await asyncio.sleep(LOOK_EVERY)
        yield connection


async def _try_turn(connection: AsyncConnection) -> bool:
    got = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": TURN})
    await connection.commit()
    return bool(got)


async def _attempt(engine: AsyncEngine, connection: AsyncConnection) -> str | None:
    """Migrate as far as it goes; None when it is done, else whose lock was in the way."""
    watcher = _Watcher(engine, await connection.scalar(text("SELECT pg_backend_pid()")))
    await connection.commit()
    async with watcher:
        try:
            await connection.run_sync(_run)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _PASSING:
                raise
            await connection.rollback()
            return watcher.told()
    return None


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, transaction_per_migration=True)
    found, newest = context.get_context().get_current_revision(), migrations.head()
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.commit()
    if migrations.is_newer(found, newest):
        return  # this is older code, going back to which is allowed: it works on the newer schema
    with context.begin_transaction():
        context.run_migrations()


class _Watcher:
    """Looks who keeps a connection waiting, while it waits: afterwards nobody can tell."""

    def __init__(self, engine: AsyncEngine, pid: int) -> None:
        self._engine = engine
        self._pid = pid
        self._seen: list[str] = []

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def told(self) -> str:
        """Whose lock was in the way, in a sentence."""
        return f"A lock could not be had: {'; '.join(self._seen) or 'somebody held it for a moment'}."

    async def _watch(self) -> None:
        # Without a transaction of its own: an index built beside its users would wait for that.
        async with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            while True:
                found = (await connection.execute(_HOLDERS, {"pid": self._pid})).all()
                if found:
                    self._seen = [
                        f"pid {row.pid} ({row.application}, {row.state}) holds it, its transaction is {row.age} old, "
                        f"last statement: {row.query}"
                        for row in found
                    ]
                await asyncio.sleep(LOOK_EVERY)


__all__ = ["LOCK_TIMEOUT", "PATIENCE", "STATEMENT_TIMEOUT", "TURN", "bring_up"]
