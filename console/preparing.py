"""`setup`: what a database and a Temporal cluster need before the processes start; repeating it changes nothing."""

from __future__ import annotations

import asyncio

from alembic import command
from alembic.config import Config
from rich.console import Console

import migrations
from console.failure import Failure
from console.repairing import places_of
from settings import CHECKOUT, Settings
from workflows.namespace import NotPrepared
from workflows.namespace import prepare as prepare_namespace


def prepare(settings: Settings, console: Console) -> None:
    """Bring the schema to this version, make the namespace and its search attributes."""
    places = places_of(settings)
    config = Config(str(CHECKOUT / "alembic.ini"))
    config.attributes["database_url"] = places.database_url
    config.set_main_option("script_location", str(CHECKOUT / "migrations"))
    try:
        command.upgrade(config, "head")
    except OSError as error:
        raise Failure("The database does not answer.", "Check SOJOURN_DATABASE_URL.") from error
    console.print(f"The schema is at {migrations.head()}.")
    try:
        asyncio.run(prepare_namespace(places.temporal_address, places.temporal_namespace, settings.temporal_retention))
    except (NotPrepared, RuntimeError) as error:
        raise Failure(f"Temporal could not be prepared: {error}", "Check SOJOURN_TEMPORAL_ADDRESS.") from error
    console.print(f"The namespace {places.temporal_namespace} has its search attributes.")


__all__ = ["prepare"]
