"""Whether calls can be accepted, and whether what processes them is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import migrations
from store import health, workers
from store.database import Database
from store.failures import is_unavailable

ROLES: Final = frozenset({"ingest", "outbox", "due", "journeys", "send", "send-now", "send-bulk", "tasks"})
SILENT_AFTER: Final = timedelta(seconds=10)
DATABASE_LIMIT: Final = 3.0
TEMPORAL_LIMIT: Final = 1.0
TEMPORAL_KEPT: Final = timedelta(seconds=2)
# What an HTTP/2 client says first, with empty settings; the server's first frame are its settings (type 4).
_GREETING: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_FRAME_HEADER: Final = 9
_SETTINGS: Final = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """`not_ready` where calls cannot be accepted, `degraded` where accepted calls wait longer than they should."""

    status: Literal["ready", "degraded", "not_ready"]
    checks: Mapping[str, Check]


def schema_check(revision: str | None, needed: str | None) -> Check:
    """Whether code that needs one revision works on a schema at another: a newer one serves older code, too."""
    if revision == needed:
        return Check(True, f"The schema is at {revision}.")
    if migrations.suffices(revision, needed):
        return Check(True, f"The schema is at {revision}, newer than this version, which needs {needed}.")
    return Check(False, f"The schema is at {revision}, this version needs {needed}: run `sojourn setup`.")


class Health:
    """Looks at the database, its schema, Temporal and the workers; `schema_head` is the revision this code is made for."""

    def __init__(self, db: Database, *, schema_head: str | None, temporal_address: str | None) -> None:
        self._db = db
        self._head = schema_head
        self._temporal = temporal_address
        self._kept: tuple[datetime, Check] | None = None

    async def check(self, now: datetime) -> Readiness:
        """How things stand at a real instant; Temporal's answer may be two seconds old."""
        temporal = asyncio.create_task(self._temporal_check(now))
        checks = await self._database_checks(now) | {"temporal": await temporal}
        if not (checks["database"].ok and checks["migrations"].ok):
            return Readiness("not_ready", checks)
        return Readiness("ready" if all(check.ok for check in checks.values()) else "degraded", checks)

    async def _database_checks(self, now: datetime) -> dict[str, Check]:
        try:
            async with asyncio.timeout(DATABASE_LIMIT), self._db.connection() as conn:
                revision = await health.schema_revision(conn)
                schema = schema_check(revision, self._head)
                seen = await workers.seen_since(conn, now - SILENT_AFTER) if schema.ok else []
        except Exception as error:
            if not (is_unavailable(error) or isinstance(error, TimeoutError)):
                raise
            unknown = Check(False, "The database does not answer.")
            return {"database": unknown, "migrations": unknown, "workers": unknown}
        missing = ROLES - {role for worker in seen for role in worker.roles.split(",")}
        detail = f"{len(seen)} workers" if not missing else f"No worker with {', '.join(sorted(missing))}."
        return {
            "database": Check(True, "PostgreSQL answers."),
            "migrations": schema,
            "workers": Check(not missing, detail),
        }

    async def _temporal_check(self, now: datetime) -> Check:
        if self._kept is None or not timedelta() <= now - self._kept[0] < TEMPORAL_KEPT:
            answers = self._temporal is not None and await _speaks_http2(self._temporal)
            detail = "Temporal answers." if answers else f"Temporal does not answer at {self._temporal}."
            self._kept = (now, Check(answers, detail))
        return self._kept[1]


async def _speaks_http2(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
        async with asyncio.timeout(TEMPORAL_LIMIT):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(_GREETING)
                header = await reader.readexactly(_FRAME_HEADER)
                return header[3] == _SETTINGS
            finally:
                writer.close()
    return False


__all__ = ["Check", "Health", "Readiness", "schema_check"]
