"""The embedded PostgreSQL: its own cluster, password and user; it survives being killed."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest

from stack.ports import choose
from stack.postgres import (
    EmbeddedPostgres,
    clear_stale_lock,
    ensure_database,
    installed_binaries,
    reachable,
    unprivileged_user,
)
from stack.process import Child, StackError
from stack.services import embedded_postgres, on_free_ports, postgres_alone

if TYPE_CHECKING:
    from pathlib import Path

    from stack.services import Services

pytestmark = pytest.mark.stack


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def fill(services: Services) -> None:
    await fetch(services.database_url, "CREATE TABLE kept AS SELECT 42 AS n")


async def test_data_outlives_kill_and_restart(data_dir: Path) -> None:
    async with postgres_alone(data_dir, fsync=True) as services:
        assert services.postgres is not None
        await fill(services)
        first = services.postgres.pid
        await services.postgres.kill()
        await services.postgres.wait_ready()
        assert services.postgres.pid != first
        assert await fetch(services.database_url, "SELECT n FROM kept") == 42
        await services.postgres.restart()
        assert await fetch(services.database_url, "SELECT n FROM kept") == 42
    async with postgres_alone(data_dir) as again:
        assert await fetch(again.database_url, "SELECT n FROM kept") == 42


async def test_it_is_what_the_product_relies_on(data_dir: Path) -> None:
    async with postgres_alone(data_dir, fsync=True) as services:
        url = services.database_url
        shown = {name: await fetch(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "TimeZone")}
        assert shown == {"fsync": "on", "synchronous_commit": "on", "TimeZone": "UTC"}
        assert str(await fetch(url, "SHOW server_version")).startswith("18.")
        assert await fetch(url, "SELECT upper('é')") == "É"
        assert await fetch(url, "SELECT 'B' < 'a' COLLATE \"default\"") is True
        assert await fetch(url, "SHOW unix_socket_directories") == ""
        assert services.postgres is not None
        user = unprivileged_user()
        expected = user[0] if user else os.getuid()
        assert psutil.Process(services.postgres.pid).uids().effective == expected


async def test_only_the_password_opens_it(data_dir: Path) -> None:
    async with postgres_alone(data_dir) as services:
        port = services.settings.postgres_port
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://sojourn:guess@127.0.0.1:{port}/sojourn")
        assert {entry.name for entry in os.scandir(data_dir / "postgres")} == {"data"}


async def test_creating_the_database_again_changes_nothing(data_dir: Path) -> None:
    async with postgres_alone(data_dir) as services:
        await fill(services)
        await ensure_database(services.database_url)
        await asyncio.gather(*[ensure_database(services.database_url, "other") for _ in range(3)])
        assert await fetch(services.database_url, "SELECT n FROM kept") == 42


async def test_another_secret_is_told_apart_from_a_slow_start(data_dir: Path) -> None:
    async with postgres_alone(data_dir) as services:
        await fill(services)
    (data_dir / "secret").unlink()
    server = embedded_postgres(services.settings.with_changes(database_url=None))
    child = Child(server.command(data_dir / "postgres.log"))
    with pytest.raises(StackError, match="made with another secret"):
        await child.start()
    assert child.pid is None


@pytest.mark.parametrize("content", ["999999999\n", "", "{pid}\n/somewhere\n"])
def test_a_stale_lock_is_removed(tmp_path: Path, content: str) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text(content.format(pid=os.getpid()))
    clear_stale_lock(tmp_path)
    assert not lock.exists()


def test_the_lock_of_a_defunct_server_is_removed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, but not reaped
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{process.pid}\n")
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    clear_stale_lock(tmp_path)
    assert not lock.exists()
    assert process.wait() == 0


async def test_a_server_that_runs_on_the_data_keeps_its_lock(data_dir: Path) -> None:
    async with postgres_alone(data_dir) as services:
        assert services.postgres is not None
        with pytest.raises(StackError, match=f"already runs on .* as process {services.postgres.pid}"):
            clear_stale_lock(data_dir / "postgres" / "data")


async def test_data_goes_where_the_servers_user_can_reach_it(data_dir: Path) -> None:
    closed, cache = data_dir / "closed", data_dir / "cache"
    closed.mkdir(mode=0o700)
    cache.mkdir()
    settings = on_free_ports(closed / "data").with_changes(cache_dir=cache, database_url=None)
    server = embedded_postgres(settings)
    home = server.home()
    assert home == (server.places()[1] if unprivileged_user() else closed / "data" / "postgres")
    assert closed.stat().st_mode & 0o777 == 0o700


async def test_programs_that_the_servers_user_cannot_reach_are_copied(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    package = installed_binaries().parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        (closed / part.name).symlink_to(part)
    folder = closed / installed_binaries().relative_to(package.parent)
    settings, _ = choose(on_free_ports(data_dir).with_changes(database_url=None), workers=0)
    server = dataclasses.replace(embedded_postgres(settings, fsync=False), binaries=folder)
    child = Child(server.command(data_dir / "postgres.log"))
    await child.start()
    program = psutil.Process(child.pid).cmdline()[0]
    await child.stop()
    assert program.startswith(str(closed)) is (unprivileged_user() is None)


def test_reach_is_that_of_the_user_and_not_ours(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    assert reachable(data_dir, unprivileged_user())
    assert reachable(closed, None)
    assert reachable(closed, unprivileged_user()) is (unprivileged_user() is None)


def test_the_binaries_are_those_of_the_wheel() -> None:
    assert {"initdb", "postgres"} <= {path.name for path in installed_binaries().iterdir()}


def test_a_url_holds_all_a_client_needs(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, tmp_path, 5433, "pw")
    assert server.url("x") == "postgresql://sojourn:pw@127.0.0.1:5433/x"
