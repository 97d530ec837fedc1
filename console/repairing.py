"""`journeys repair`: an operator's command on the database and Temporal themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import asyncpg
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from temporalio.service import RPCError

from clock import system_now
from console.failure import Failure
from console.stack_file import RunningStack
from console.words import number
from services.gate import TemporalAway
from services.repair import Repaired, repair_broadcasts, repair_sends, repair_strays
from services.repair import repair as repair_journeys
from services.task_starts import repair_tasks
from settings import Settings
from store.database import Database
from store.notify import Notifier
from workflows.cluster import TemporalCluster
from workflows.gateway import Gateway


class Places(NamedTuple):
    """Where the database and Temporal are."""

    database_url: str
    temporal_address: str
    temporal_namespace: str


class Done(NamedTuple):
    """What was done about journeys, tasks, triggers of broadcasts, transactional sends, workflows without a journey."""

    journeys: Repaired
    tasks: Repaired
    triggers: int
    sends: int
    strays: int


def repair(settings: Settings, console: Console, workspace_id: int | None = None) -> Repaired:
    """Start what Temporal has lost, in one workspace or all, and say how many."""
    places = places_of(settings)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Looking", total=None)

        def report(done: Repaired) -> None:
            progress.update(task, description=f"{done.looked_at} looked at, {done.started} started")

        done = asyncio.run(_repair(places, workspace_id, report))
    _tell(console, done)
    return Repaired(done.journeys.looked_at + done.tasks.looked_at, done.journeys.started + done.tasks.started)


def _tell(console: Console, done: Done) -> None:
    journeys, tasks = done.journeys, done.tasks
    console.print(
        f"{number(journeys.looked_at, 'journey')} under way, {number(journeys.started, 'workflow')} started anew."
    )
    if tasks.looked_at:
        files = (
            number(tasks.looked_at, "import or export")
            if tasks.looked_at == 1
            else f"{tasks.looked_at} imports and exports"
        )
        console.print(f"{files} under way, {number(tasks.started, 'workflow')} started anew.")
    if done.triggers:
        console.print(f"{number(done.triggers, 'trigger')} of broadcasts told to go on.")
    if done.sends:
        console.print(f"{number(done.sends, 'transactional send')} asked for again.")
    if done.strays:
        console.print(f"{number(done.strays, 'workflow')} without a journey told to end.")


def places_of(settings: Settings) -> Places:
    """The servers that the settings name, else those of the stack that runs here."""
    database, temporal = settings.database_url, settings.temporal_address
    if database is None or temporal is None:
        stack = RunningStack.read(settings.data_dir)
        if stack is None:
            raise Failure(
                "It is not known where the database and Temporal are.",
                "Set SOJOURN_DATABASE_URL and SOJOURN_TEMPORAL_ADDRESS, or run this beside a stack that is up.",
            )
        database, temporal = database or stack.database_url, temporal or stack.temporal_address
    return Places(database, temporal, settings.temporal_namespace)


async def _repair(places: Places, workspace_id: int | None, report: Callable[[Repaired], None]) -> Done:
    try:
        db = await Database.connect(places.database_url, min_size=1, max_size=4)
    except (OSError, asyncpg.PostgresError) as error:
        raise Failure(f"The database cannot be reached: {error}", "Is SOJOURN_DATABASE_URL right?") from None
    notifier = Notifier(db.pool)
    try:
        gateway = await Gateway.connect(places.temporal_address, places.temporal_namespace, lazy=False)
        journeys = await repair_journeys(db, gateway, workspace_id=workspace_id, report=report)
        tasks = await repair_tasks(db, gateway, workspace_id=workspace_id)
        triggers = await repair_broadcasts(db, notifier, system_now(), workspace_id=workspace_id)
        sends = await repair_sends(db, notifier, system_now(), workspace_id=workspace_id)
        running = TemporalCluster(gateway.client).running_pages()
        strays = await repair_strays(db, gateway, running) if workspace_id is None else 0
        return Done(journeys, tasks, triggers, sends, strays)
    except (TemporalAway, RPCError):
        hint = "Is it running, and is SOJOURN_TEMPORAL_ADDRESS right? Repeat the command when it answers."
        raise Failure(f"Temporal does not answer at {places.temporal_address}.", hint) from None
    finally:
        await notifier.close()
        await db.close()
