"""Whether the three things are there that the other checks look at: database, schema, Temporal."""

from __future__ import annotations

from urllib.parse import urlsplit

from services.doctor.finding import Finding, ok
from services.doctor.sight import Deployment
from store.database import Database


def database_there(_db: Database) -> Finding:
    """It answers."""
    return ok("database", "PostgreSQL answers")


def database_away(url: str | None, why: str) -> Finding:
    """It does not."""
    place = "PostgreSQL" if url is None else f"PostgreSQL at {_place(url)}"
    return Finding(
        "database",
        "failure",
        f"{place} does not answer: {why}",
        "Nothing works without the database: it is where everything is.",
        "Calls are answered with 503, and clients have to repeat them. Nothing that was accepted is lost.",
        "Start PostgreSQL, or correct SOJOURN_DATABASE_URL; then see that "
        '`psql "$SOJOURN_DATABASE_URL" -c "SELECT 1"` answers.',
        "database-does-not-answer",
    )


def _place(url: str) -> str:
    """Host, port and database of a URL, without its password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        return "the address that is set"
    return f"{parts.hostname}:{port}{parts.path}"


def schema_finding(revision: str | None, deployment: Deployment) -> Finding:
    """How the schema stands to this code."""
    head = deployment.schema_head
    if revision == head:
        return ok("schema", f"the schema is at {head}")
    if revision is None or revision in deployment.schema_known:
        return Finding(
            "schema",
            "failure",
            f"the schema is at {revision or 'nothing: this database was never set up'}, this version needs {head}",
            "The database was not prepared for the version that is installed here.",
            "The API of this version reports `not_ready` and must not get calls; processes of the version before go on.",
            "sojourn setup",
            "schema",
        )
    return Finding(
        "schema",
        "warning",
        f"the schema is at {revision}, which is newer than this version ({head})",
        "An upgrade is under way, or this machine still has an older version.",
        "Processes of the older version go on; they should not stay for days.",
        "Install here the version that the database was set up with, and restart the processes of this machine.",
        "schema",
    )


def temporal_there(deployment: Deployment) -> Finding:
    """It answers."""
    return ok("temporal", f"Temporal answers at {deployment.temporal_address}")


def temporal_away(address: str | None, why: str) -> Finding:
    """It does not."""
    return Finding(
        "temporal",
        "failure",
        f"Temporal does not answer{f' at {address}' if address else ''}: {why}",
        "Starts and wakes of journeys wait in the outbox until it does.",
        "Calls are accepted and segments are kept; journeys do not begin or go on, and nothing is sent.",
        "Start the Temporal cluster, or correct SOJOURN_TEMPORAL_ADDRESS; then see that "
        '`temporal operator cluster health --address "$SOJOURN_TEMPORAL_ADDRESS"` answers.',
        "temporal-does-not-answer",
    )


__all__ = ["database_away", "database_there", "schema_finding", "temporal_away", "temporal_there"]
