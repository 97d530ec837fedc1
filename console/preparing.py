"""`setup`: what a database and a Temporal cluster need before the processes start; repeating it changes nothing."""

from __future__ import annotations

import asyncio

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from rich.console import Console

import migrations
from console.failure import Failure
from console.repairing import places_of
from services.health import schema_check
from settings import CHECKOUT, Settings
from store.database import Database
from store.health import schema_revision
from workflows.namespace import NotPrepared
from workflows.namespace import prepare as prepare_namespace


def prepare(settings: Settings, console: Console, patience: float) -> None:
    """Bring the schema to this version, make the namespace and its search attributes.

    Locks that others hold are tried for again and again for `patience` seconds.
    """
    places = places_of(settings)
    config = Config(str(CHECKOUT / "alembic.ini"))
    config.attributes["database_url"] = places.database_url
    config.set_main_option("script_location", str(CHECKOUT / "migrations"))
    config.attributes["patience"] = patience
    config.attributes["say"] = lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)
    try:
        command.upgrade(config, "head")
        revision = asyncio.run(_revision(places.database_url))
    except OSError as error:
        raise Failure("The database does not answer.", "Check SOJOURN_DATABASE_URL.") from error
    except CommandError as error:
        raise Failure(str(error), "Run this again: what was done stays, the rest is still to do.") from error
    console.print(schema_check(revision, migrations.head()).detail)
    try:
        asyncio.run(prepare_namespace(places.temporal_address, places.temporal_namespace, settings.temporal_retention))
    except (NotPrepared, RuntimeError) as error:
        raise Failure(f"Temporal could not be prepared: {error}", "Check SOJOURN_TEMPORAL_ADDRESS.") from error
    console.print(f"The namespace {places.temporal_namespace} has its search attributes.")


async def _revision(url: str) -> str | None:
    db = await Database.connect(url, min_size=1, max_size=1)
    try:
        async with db.connection() as conn:
            return await schema_revision(conn)
    finally:
        await db.close()


__all__ = ["prepare"]
