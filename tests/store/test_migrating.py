"""Migrating a database that is at work: waiting for locks, telling whose, one at a time, nothing half."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

import migrations
from migrations.running import TURN
from settings import CHECKOUT
from stack.commands import product_environment
from stack.services import Services, postgres_alone
from tests.support.eventually import eventually
from tests.support.processes import killed_at_the_end

NEXT = """
from alembic import op
from migrations.indexes import create_index
revision = "{name}"
down_revision = "{down}"


def upgrade():
    {body}
"""
SLOW = """op.execute("CREATE TABLE half (n INTEGER)")
    op.execute("ALTER TABLE workspaces ADD COLUMN half INTEGER")
    op.execute("SELECT pg_sleep(20)")"""
NAME = "2099_01_01_next"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[Services]:
    async with postgres_alone() as services:
        yield services


@pytest_asyncio.fixture(loop_scope="session")
async def url(server: Services) -> AsyncIterator[str]:
    """An empty database of one test alone."""
    admin = await asyncpg.connect(server.database_url)
    await admin.execute("CREATE DATABASE upgraded")
    yield server.database_url.rpartition("/")[0] + "/upgraded"
    await admin.execute("DROP DATABASE upgraded WITH (FORCE)")
    await admin.close()


class Migrating:
    """`alembic upgrade head` as a process, with another migration after the newest where one is given."""

    def __init__(self, services: Services, url: str, folder: Path) -> None:
        settings = services.settings.with_changes(database_url=url)
        self._environment = product_environment(settings, {}, CHECKOUT)
        self._folder = folder

    def next_is(self, body: str) -> None:
        """A migration that comes after ours."""
        if not (self._folder / "migrations").exists():
            shutil.copytree(CHECKOUT / "migrations", self._folder / "migrations")
            ini = (CHECKOUT / "alembic.ini").read_text()
            ini = ini.replace("script_location = migrations", f"script_location = {self._folder / 'migrations'}")
            (self._folder / "alembic.ini").write_text(ini)
        text = NEXT.format(name=NAME, down=migrations.head(), body=body)
        (self._folder / "migrations" / "versions" / f"{NAME}.py").write_text(text)

    def nothing_is_next(self) -> None:
        """Only our own migrations are known, as to older code."""
        shutil.rmtree(self._folder / "migrations")
        (self._folder / "alembic.ini").unlink()

    @contextlib.asynccontextmanager
    async def running(self, patience: float = 30) -> AsyncIterator[asyncio.subprocess.Process]:
        ini = self._folder / "alembic.ini"
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "alembic", "-c", str(ini if ini.exists() else CHECKOUT / "alembic.ini")],
            *["-x", f"patience={patience}", "upgrade", "head"],
            cwd=CHECKOUT,
            env={**self._environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with killed_at_the_end(process):
            yield process

    async def __call__(self, patience: float = 30) -> tuple[int | None, str]:
        """The status it ended with, and what it said."""
        async with self.running(patience) as process:
            said, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, said.decode()


@pytest.fixture
def migrate(server: Services, url: str, tmp_path: Path) -> Migrating:
    return Migrating(server, url, tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def conn(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, server_settings={"application_name": "a long report"})
    yield connection
    await connection.close()


async def revision(conn: asyncpg.Connection) -> str:
    return await conn.fetchval("SELECT version_num FROM alembic_version")


async def test_a_lock_that_is_held_is_tried_for_until_it_is_free(migrate: Migrating, conn: asyncpg.Connection):
    assert (await migrate())[0] == 0
    migrate.next_is('op.execute("ALTER TABLE people ADD COLUMN nickname TEXT")')
    holding = conn.transaction()
    await holding.start()
    await conn.execute("SELECT * FROM people")
    async with migrate.running() as process:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert f"pid {conn.get_server_pid()} (a long report, idle in transaction) holds it" in line
        assert "last statement: SELECT * FROM people" in line
        assert "Trying again in 1 s." in line
        # Nobody waits behind a migrator that rests.
        await conn.execute("SELECT 1 FROM people")
        await holding.rollback()
        said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, said
    assert await revision(conn) == NAME


async def test_it_gives_up_and_leaves_nothing(migrate: Migrating, conn: asyncpg.Connection):
    assert (await migrate())[0] == 0
    body = 'op.execute("CREATE TABLE early (n INTEGER)"); op.execute("ALTER TABLE people ADD COLUMN nickname TEXT")'
    migrate.next_is(body)
    async with conn.transaction():
        await conn.execute("SELECT * FROM people")
        status, said = await migrate(patience=0.5)
        assert status == 255
        assert "Given up after 0.5 s: nothing of this migration is left." in said
        assert "a long report" in said
        assert "Traceback" not in said
    assert await conn.fetchval("SELECT to_regclass('early')") is None
    assert await revision(conn) == migrations.head()
    assert (await migrate())[0] == 0
    assert await revision(conn) == NAME


async def test_two_at_once_take_turns(migrate: Migrating, conn: asyncpg.Connection):
    await conn.execute("SELECT pg_advisory_lock($1)", TURN)  # as one that is at work
    async with migrate.running() as process:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert "Another migration runs on this database: waiting for its end." in line
        assert await conn.fetchval("SELECT to_regclass('people')") is None
        await conn.execute("SELECT pg_advisory_unlock($1)", TURN)
        await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert [status for status, _ in await asyncio.gather(migrate(), migrate())] == [0, 0]
    assert await revision(conn) == migrations.head()


async def test_one_that_is_killed_leaves_nothing_half(migrate: Migrating, conn: asyncpg.Connection):
    assert (await migrate())[0] == 0
    migrate.next_is(SLOW)

    async def asleep() -> bool:
        query = (
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'sojourn migrate' AND query LIKE '%pg_sleep%'"
        )
        return bool(await conn.fetchval(query))

    async with migrate.running() as process:
        await eventually(asleep, "the migration is in the middle", 30)
        process.kill()
        await process.wait()
    query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'sojourn migrate'"
    await conn.fetch(query)  # as the server does by itself when it next writes to the dead client
    assert await conn.fetchval("SELECT to_regclass('half')") is None
    assert await revision(conn) == migrations.head()
    migrate.next_is(SLOW.replace("20", "0"))
    assert (await migrate())[0] == 0
    assert await revision(conn) == NAME


async def test_an_index_is_built_beside_writers_and_anew_after_a_cut(
    migrate: Migrating, conn: asyncpg.Connection, url: str
):
    assert (await migrate())[0] == 0
    migrate.next_is('create_index("devices_by_platform", "devices (workspace_id, platform)")')
    writer = await asyncpg.connect(url)

    async def begun() -> bool:
        query = """SELECT NOT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                   WHERE c.relname = 'devices_by_platform'"""
        return bool(await conn.fetchval(query))

    try:
        holding = writer.transaction()
        await holding.start()
        await writer.execute("DELETE FROM devices")
        async with migrate.running() as process:
            await eventually(begun, "the index is there and not valid", 30)
            await conn.execute("DELETE FROM devices")  # whoever writes does not wait for the build
            process.kill()
            await process.wait()
        query = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                   WHERE application_name = 'sojourn migrate'"""
        await conn.fetch(query)
        assert await begun(), "what was cut off is left"
        await holding.rollback()
    finally:
        await writer.close()
    status, said = await migrate()
    assert status == 0, said
    assert await conn.fetchval("SELECT to_regclass('devices_by_platform')") is not None
    assert not await begun()
    assert await revision(conn) == NAME


async def test_older_code_leaves_a_newer_schema_alone(migrate: Migrating, conn: asyncpg.Connection):
    migrate.next_is('op.execute("CREATE TABLE more (n INTEGER)")')
    assert (await migrate())[0] == 0
    migrate.nothing_is_next()
    status, said = await migrate()
    assert status == 0, said
    assert await revision(conn) == NAME
