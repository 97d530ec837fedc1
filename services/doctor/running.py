"""Running the checks: each for itself and within its limit, so that the report always comes, whatever is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from services.doctor.finding import Finding, unknown
from services.doctor.reaching import database_away, database_there, schema_finding, temporal_away, temporal_there
from services.doctor.sight import Check, Cluster, Deployment, Need, Sight
from services.doctor.words import said
from store import health
from store.database import Database

OPEN_LIMIT: Final = 5.0
CLOSE_LIMIT: Final = 2.0
_MISSING: Final = {
    "database": "the database does not answer",
    "schema": "the schema is not one that this version can read",
    "temporal": "Temporal does not answer",
}

Connect = Callable[[], Awaitable[Cluster]]
Report = Callable[[Finding], None]


async def examine(
    deployment: Deployment,
    checks: Sequence[Check],
    connect: Connect | None,
    clock: Callable[[], datetime],
    report: Report = lambda _: None,
) -> list[Finding]:
    """Everything found, in the order of the registry; `report` hears of each at once.

    `connect` reaches Temporal and raises whatever keeps it from doing so; None where nobody knows where it is.
    """
    findings: list[Finding] = []

    def say(more: Sequence[Finding]) -> None:
        findings.extend(more)
        for finding in more:
            report(finding)

    async with _opened(deployment.database_url) as (db, trouble):
        there: set[Need] = set()
        say([database_there(db) if db is not None else database_away(deployment.database_url, trouble)])
        if db is not None:
            there.add("database")
            schema = await _schema(db, deployment)
            say([schema])
            if schema.level in ("ok", "warning"):
                there.add("schema")
        cluster, refused = await _reached(connect)
        say(
            [temporal_there(deployment) if cluster is not None else temporal_away(deployment.temporal_address, refused)]
        )
        if cluster is not None:
            there.add("temporal")
        sight = Sight(deployment, clock, db, cluster)
        for check in checks:
            say(await _look(check, sight, there))
    return findings


@asynccontextmanager
async def _opened(url: str | None) -> AsyncIterator[tuple[Database | None, str]]:
    """The database with two connections, or the reason why there is none."""
    db, trouble = None, "nobody knows where it is"
    if url is not None:
        try:
            async with asyncio.timeout(OPEN_LIMIT):
                db = await Database.connect(url, min_size=1, max_size=2)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            trouble = said(error)
    try:
        yield db, trouble
    finally:
        if db is not None:
            try:
                async with asyncio.timeout(CLOSE_LIMIT):
                    await db.close()
            except Exception:  # noqa: BLE001 - a server that has gone meanwhile is told of already
                db.pool.terminate()


async def _schema(db: Database, deployment: Deployment) -> Finding:
    try:
        async with asyncio.timeout(OPEN_LIMIT), db.connection() as conn:
            revision = await health.schema_revision(conn)
    except Exception as error:  # noqa: BLE001 - see above
        return unknown("schema", f"not looked at: {said(error)}")
    return schema_finding(revision, deployment)


async def _reached(connect: Connect | None) -> tuple[Cluster | None, str]:
    if connect is None:
        return None, "nobody knows where it is"
    try:
        async with asyncio.timeout(OPEN_LIMIT):
            cluster = await connect()
            await cluster.version()
    except Exception as error:  # noqa: BLE001 - see above
        return None, said(error)
    return cluster, ""


async def _look(check: Check, sight: Sight, there: set[Need]) -> list[Finding]:
    missing = [need for need in ("database", "schema", "temporal") if need in check.needs and need not in there]
    if missing:
        return [unknown(check.name, f"not looked at: {_MISSING[missing[0]]}")]
    try:
        async with asyncio.timeout(check.limit):
            return await check.look(sight)
    except TimeoutError:
        return [unknown(check.name, f"no answer within {check.limit:g} s")]
    except Exception as error:  # noqa: BLE001 - one check that fails must not keep the others from being made
        return [unknown(check.name, f"not looked at: {said(error)}")]


__all__ = ["examine"]
