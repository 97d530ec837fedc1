"""PostgreSQL and Temporal alone, without our own processes: what tests and benchmarks stand on."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Settings
from stack.ports import choose
from stack.postgres import EmbeddedPostgres, ensure_database
from stack.process import Child
from stack.secret import load_secret, postgres_password
from stack.temporal import TemporalServer, set_up
from stack.temporal_binary import BinarySearch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@dataclass(frozen=True)
class Services:
    """Two running servers; `postgres` and `temporal` are none where the settings name existing ones."""

    settings: Settings
    database_url: str
    temporal_address: str
    postgres: Child | None
    temporal: Child | None


def embedded_postgres(settings: Settings, *, fsync: bool = True) -> EmbeddedPostgres:
    """The embedded server that these settings describe."""
    password = postgres_password(load_secret(settings.secret_file))
    return EmbeddedPostgres(settings.data_dir, settings.cache_dir, settings.postgres_port, password, fsync=fsync)


async def own_temporal(
    settings: Settings, *, headless: bool = False, continue_after: int | None = None
) -> TemporalServer:
    """The server that these settings describe; finds, downloads or builds its binary."""
    binary = await BinarySearch(settings.cache_dir, given=settings.temporal_path).find()
    return TemporalServer(
        binary=binary,
        data_dir=settings.data_dir,
        port=settings.temporal_port,
        ui_port=settings.temporal_ui_port,
        namespace=settings.temporal_namespace,
        headless=headless,
        continue_after=continue_after,
    )


def on_free_ports(data_dir: Path) -> Settings:
    """The environment's settings for a stack of its own beside any other."""
    return Settings(
        data_dir=data_dir,
        api_port=0,
        api_tls_port=0,
        temporal_port=0,
        temporal_ui_port=0,
        postgres_port=0,
        smtp_port=0,
        worker_port=0,
    )


@contextlib.contextmanager
def temporary_data_dir() -> Iterator[Path]:
    """A folder that goes with its user, and that PostgreSQL's user can enter (which pytest's `tmp_path` is not for)."""
    folder = Path(tempfile.mkdtemp(prefix="sojourn-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def postgres_alone(data_dir: Path | None = None, *, fsync: bool = False) -> AsyncIterator[Services]:
    """PostgreSQL on a free port with an empty database `sojourn`; `temporal_address` is empty."""
    async with contextlib.AsyncExitStack() as held:
        data_dir = data_dir or held.enter_context(temporary_data_dir())
        settings, _ = choose(on_free_ports(data_dir), workers=0)
        yield await _with_postgres(settings, held, fsync=fsync)


@contextlib.asynccontextmanager
async def postgres_and_temporal(
    data_dir: Path | None = None, *, fsync: bool = False, continue_after: int | None = None
) -> AsyncIterator[Services]:
    """Both on free ports with an empty database `sojourn`, the namespace and its search attributes; ended on leaving.

    `continue_after` has workflows continue as new after so many events, instead of thousands.
    """
    async with contextlib.AsyncExitStack() as held:
        data_dir = data_dir or held.enter_context(temporary_data_dir())
        settings, _ = choose(on_free_ports(data_dir), workers=0)
        postgres = await _with_postgres(settings, held, fsync=fsync)
        settings = postgres.settings
        child: Child | None = None
        if settings.temporal_address is None:
            server = await own_temporal(settings, headless=True, continue_after=continue_after)
            child = Child(server.command(data_dir / "logs" / "temporal.log"))
            await child.start()
            held.push_async_callback(child.stop)
            settings = settings.with_changes(temporal_address=server.address)
        address = settings.temporal_address or ""
        await set_up(address, settings.temporal_namespace, settings.temporal_retention)
        yield Services(settings, postgres.database_url, address, postgres.postgres, child)


async def _with_postgres(settings: Settings, held: contextlib.AsyncExitStack, *, fsync: bool) -> Services:
    if settings.database_url is not None:
        return Services(settings, settings.database_url, "", None, None)
    server = embedded_postgres(settings, fsync=fsync)
    child = Child(server.command(settings.data_dir / "logs" / "postgres.log"))
    await child.start()
    held.push_async_callback(child.stop)
    await ensure_database(server.url("postgres"))
    settings = settings.with_changes(database_url=server.url())
    return Services(settings, server.url(), "", child, None)
