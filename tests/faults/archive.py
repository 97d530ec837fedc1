"""A PostgreSQL that archives its WAL into a folder, is backed up, and put back to a point, as docs/backup.md says."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg

from settings import Settings
from stack.ports import choose
from stack.postgres import EmbeddedPostgres, ensure_database, unprivileged_user
from stack.process import Child
from stack.services import on_free_ports, temporary_data_dir
from tests.support.eventually import eventually

PASSWORD = "archived-and-restored"
LIMIT = 120


class ArchivedPostgres:
    """One server with an archive beside it; `folder` is its own."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._user = unprivileged_user()
        self.server = EmbeddedPostgres(folder / "server", settings.cache_dir, settings.postgres_port, PASSWORD)
        self._child: Child | None = None
        self._backups = 0
        for name in ("archive", "backups"):
            (folder / name).mkdir(parents=True)
            if self._user is not None:
                os.chown(folder / name, *self._user)

    @property
    def url(self) -> str:
        """Where the product connects."""
        return self.server.url()

    @property
    def data(self) -> Path:
        """The data folder of the server."""
        return self.server.home() / "data"

    async def start(self) -> None:
        """Start it with its archive."""
        command = self.server.command(self._folder / "postgres.log")
        archive = self._folder / "archive"
        options = {
            "wal_level": "replica",
            "max_wal_senders": "4",
            "archive_mode": "on",
            "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        }
        arguments = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        self._child = Child(replace(command, argv=[*command.argv, *arguments]))
        await self._child.start()

    async def stop(self) -> None:
        """Stop it in order, which archives what is left."""
        if self._child is not None:
            await self._child.stop()

    async def backup(self) -> Path:
        """A base backup in a folder of its own."""
        self._backups += 1
        place = self._folder / "backups" / str(self._backups)
        await self.run(
            "pg_basebackup", f"--dbname={self.url}", f"--pgdata={place}", "--checkpoint=fast", "--wal-method=none"
        )
        return place

    async def mark(self, name: str) -> None:
        """A point that a restore can name."""
        await self.execute(f"SELECT pg_create_restore_point('{name}')")

    async def put_back(self, backup: Path, target: str) -> None:
        """The server as it was at a target of its recovery, started; what it was before is set aside."""
        await self.stop()
        data = self.data
        data.rename(data.with_name(f"data.before-{backup.name}"))
        await self.run("cp", "-a", str(backup), str(data))
        settings = [
            f"restore_command = 'cp {self._folder}/archive/%f %p'",
            target,
            "recovery_target_action = 'promote'",
        ]
        file = data / "postgresql.auto.conf"
        before = file.read_text()
        file.write_text(before + "".join(f"{line}\n" for line in settings))
        (data / "recovery.signal").touch()
        await self.start()

        async def promoted() -> bool:
            return bool(await self.value("SELECT NOT pg_is_in_recovery()"))

        await eventually(promoted, "the recovery has ended", LIMIT)
        file.write_text(before)  # else the next backup has the target of this recovery, too

    async def move(self) -> None:
        """The data by dump in a server that was made just now, at the same address; the old one is set aside."""
        dump = self._folder / "backups" / "sojourn.dump"
        await self.run("pg_dump", "--format=custom", f"--file={dump}", self.url)
        await self.stop()
        self.data.rename(self.data.with_name("data.moved"))
        await self.start()
        await ensure_database(self.server.url("postgres"))
        await self.run("pg_restore", f"--dbname={self.url}", "--no-owner", "--exit-on-error", str(dump))

    async def now(self) -> str:
        """What time the server has."""
        return str(await self.value("SELECT clock_timestamp()::text"))

    async def execute(self, statement: str) -> None:
        """A statement over a connection of its own."""
        await self.value(statement)

    async def value(self, query: str) -> Any:
        """The only value that a query answers."""
        conn = await asyncpg.connect(self.url)
        try:
            return await conn.fetchval(query)
        finally:
            await conn.close()

    async def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's programs, or of the system's, as the user of the server."""
        path = self.server._binaries() / program
        uid, gid = self._user or (None, None)
        process = await asyncio.create_subprocess_exec(
            *[str(path) if path.exists() else program, *arguments],
            user=uid,
            group=gid,
            cwd="/",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), LIMIT)
        assert process.returncode == 0, printed.decode()


@contextlib.asynccontextmanager
async def archived_postgres() -> AsyncIterator[ArchivedPostgres]:
    """A running server with an empty database."""
    with temporary_data_dir() as folder:
        settings, _ = choose(on_free_ports(folder), workers=0)
        postgres = ArchivedPostgres(folder, settings)
        await postgres.start()
        try:
            await ensure_database(postgres.server.url("postgres"))
            yield postgres
        finally:
            await postgres.stop()
