"""The composition root of the worker processes: `python worker.py --roles ingest,outbox,...`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import collector
import migrations
import observability
from clock import system_now
from keeper import Keeper, Loop, Ready, plainly
from leaving import leave
from observability import HealthEndpoint
from services.gate import TemporalAway
from services.health import schema_check
from services.llm import configured
from settings import Settings, load
from store import health, workers
from store.database import Database
from store.failures import is_unavailable
from store.notify import Listener
from worker_endpoint import Endpoint, drain_measurements
from worker_parts import Parts

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.worker import Worker

    from workflows.gateway import Gateway

logger = logging.getLogger("sojourn.worker")

ROLES = ("ingest", "outbox", "due", "journeys", "send", "send-now", "send-bulk", "tasks")
BEAT = 2.0
SOON = 0.1
LOOK_AGAIN = 0.5
STOP_LIMIT = 8.0
END_LIMIT = 9.8
HOUR = 3600.0
SILENT_LIMIT = timedelta(hours=1)


def loops_of(role: str, parts: Parts) -> Iterator[tuple[str, Loop]]:
    """The loops that a role consists of, by the name under which they are reported."""
    slots = parts.settings.worker_slots
    match role:
        case "ingest":
            yield role, plainly(lambda: _ingest(parts))
        case "outbox":
            yield role, plainly(lambda: _outbox(parts))
        case "due":
            yield role, plainly(lambda: _due(parts))
        case "tasks":
            yield role, plainly(lambda: _tasks(parts))
            yield "task-starts", plainly(lambda: _task_starts(parts))
            yield "task-workflows", _polling(parts, role, _tasks_worker, workflows=True)
            yield "metrics", plainly(lambda: _fold(parts))
            yield "maintenance", plainly(lambda: _maintenance(parts))
            yield "repair", plainly(lambda: _repair(parts))
        case "journeys":
            yield role, _polling(parts, role, _journeys_worker, workflows=True)
        case "send":
            yield role, _polling(parts, role, lambda parts, client: _send_worker(parts, client, role, slots.send))
        case "send-now":
            yield role, _polling(parts, role, _send_now_worker, workflows=True)
        case "send-bulk":
            yield role, _polling(parts, role, _broadcasts_worker, workflows=True)


async def _ingest(parts: Parts) -> None:
    from ingest.apply import Applier

    collector.relax()
    await Applier(parts.db, parts.catalogs, parts.notifier).run(parts.listener, system_now, parts.stop)


async def _outbox(parts: Parts) -> None:
    from services.drain import Drain

    await Drain(parts.db, await parts.gateway()).run(parts.listener, system_now, parts.stop)


async def _due(parts: Parts) -> None:
    from domain.drafts import RELEASE
    from services.due import DueRunner
    from services.due_sends import DueSends
    from services.schedule_turns import Turns
    from store.provider_turns import LOOK

    sends = DueSends(parts.db, parts.notifier)
    turns = Turns(parts.db, parts.notifier)
    workers = {RELEASE: parts.releaser.release, **turns.workers, **sends.workers, LOOK: parts.deliverer.turns.look}
    runner = DueRunner(parts.db, parts.catalogs, parts.notifier, parts.deliverer, system_now, workers=workers)
    await runner.run(parts.listener, parts.stop)


async def _tasks(parts: Parts) -> None:
    from services.draft_tasks import DraftPages
    from services.task_runner import KINDS, TaskRunner

    kinds = {**KINDS, **DraftPages(parts.settings.link_base_url).kinds}
    runner = TaskRunner(parts.db, parts.catalogs, parts.notifier, system_now, kinds=kinds)
    await runner.run(parts.listener, parts.stop)


async def _task_starts(parts: Parts) -> None:
    from services.task_starts import TaskStarter

    await TaskStarter(parts.db, await parts.gateway()).run(parts.listener, parts.stop)


async def _fold(parts: Parts) -> None:
    from services.metrics import MetricFolder

    await MetricFolder(parts.db).run(parts.stop)


async def _maintenance(parts: Parts) -> None:
    from services.maintenance import Maintainer
    from services.retention import jobs

    kept = parts.settings.retention
    await Maintainer(parts.db, jobs(kept.days_by_table(), kept.journeys_days), system_now).run(parts.stop)


async def _repair(parts: Parts) -> None:
    from services.repair import repair, repair_broadcasts, repair_sends
    from services.task_starts import repair_tasks

    gateway = await parts.gateway()
    while not parts.stop.is_set():
        await repair(parts.db, gateway)
        await repair_tasks(parts.db, gateway)
        await repair_sends(parts.db, parts.notifier, system_now())
        await repair_broadcasts(parts.db, parts.notifier, system_now())
        await parts.keeper.rest(HOUR)


def _journeys_worker(parts: Parts, client: Client) -> Worker:
    from activities.journeys import JourneyActivities
    from workflows.runtime import journeys_worker

    slots = parts.settings.worker_slots
    return journeys_worker(
        client,
        JourneyActivities(parts.db, parts.catalogs, parts.notifier, system_now),
        max_cached=parts.settings.max_cached_workflows,
        workflow_tasks=slots.journeys,
        local_activities=slots.journeys_local,
    )


def _tasks_worker(parts: Parts, client: Client) -> Worker:
    from activities.tasks import TaskActivities
    from services.long_tasks import LongTasks
    from workflows.runtime import tasks_worker

    allowed = parts.settings.allow_private_urls
    tasks = LongTasks(parts.db, parts.catalogs, parts.notifier, system_now, allow_private_urls=allowed)
    return tasks_worker(
        client,
        TaskActivities(tasks),
        max_cached=parts.settings.max_cached_workflows,
        slots=parts.settings.worker_slots.tasks,
    )


def _send_worker(parts: Parts, client: Client, queue: str, slots: int) -> Worker:
    from workflows.runtime import send_worker

    return send_worker(client, queue, parts.messages, slots=slots)


def _send_now_worker(parts: Parts, client: Client) -> Worker:
    from activities.sends import SendActivities
    from services.sending import Sender
    from workflows.runtime import send_now_worker

    activities = SendActivities(Sender(parts.deliverer, parts.precedence), system_now)
    return send_now_worker(client, activities, slots=parts.settings.worker_slots.send_now)


def _broadcasts_worker(parts: Parts, client: Client) -> Worker:
    from activities.broadcasts import BroadcastActivities
    from services.broadcasts.running import BroadcastRunner
    from workflows.runtime import broadcasts_worker

    runner = BroadcastRunner(
        parts.db,
        parts.catalogs,
        parts.notifier,
        parts.deliverer,
        system_now,
        link_base_url=parts.settings.link_base_url,
        allow_private_urls=parts.settings.allow_private_urls,
        precedence=parts.precedence,
    )
    activities = BroadcastActivities(runner)
    return broadcasts_worker(client, activities, slots=parts.settings.worker_slots.send_bulk)


def _polling(parts: Parts, queue: str, make: Callable[[Parts, Client], Worker], *, workflows: bool = False) -> Loop:
    """A loop that polls a task queue; it does its work while the server says that it is polled."""

    async def loop(ready: Ready) -> None:
        gateway = await parts.polling_gateway()
        worker = make(parts, gateway.client)
        running = asyncio.create_task(worker.run())
        stopping = asyncio.create_task(parts.stop.wait())
        try:
            while not stopping.done() and not running.done():
                polled = await _is_polled(gateway, queue, workflows=workflows)
                ready(polled)
                await asyncio.wait(
                    {running, stopping}, timeout=BEAT if polled else SOON, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            stopping.cancel()
            if not running.done():
                await worker.shutdown()
            await running

    return loop


async def _is_polled(gateway: Gateway, queue: str, *, workflows: bool) -> bool:
    """Whether we poll the queue; while Temporal is away the worker tries on by itself."""
    try:
        return await gateway.polled(queue, workflows=workflows)
    except TemporalAway:
        return False


def _presence(parts: Parts, roles: Sequence[str]) -> Loop:
    """Say every two seconds in the database that this process is there."""
    started_at = system_now()

    async def beat() -> None:
        while not parts.stop.is_set():
            async with parts.db.connection() as conn:
                await workers.beat(conn, parts.worker_id, roles, started_at, system_now())
            await parts.keeper.rest(BEAT)
        async with parts.db.connection() as conn:
            await workers.forget(conn, parts.worker_id, system_now() - SILENT_LIMIT)

    return plainly(beat)


def expected(error: BaseException) -> bool:
    """Whether a failure only says that a server is away."""
    return isinstance(error, TemporalAway) or is_unavailable(error)


async def _connected(settings: Settings, keeper: Keeper) -> Database | None:
    """The database, however long it takes to be there; none where the process is to end before."""
    told = False
    while not keeper.stop.is_set():
        try:
            return await Database.connect(settings.database_url or "")
        except Exception as error:
            if not is_unavailable(error):
                raise
            if not told:
                logger.warning("The database does not answer; waiting for it.")
            told = True
            await keeper.rest(SOON)
    return None


async def _schema_there(db: Database, keeper: Keeper, endpoint: Endpoint) -> bool:
    """Wait until the schema is as new as this code; False where the process is to end before."""
    needed = migrations.head()
    while not keeper.stop.is_set():
        try:
            async with db.connection() as conn:
                check = schema_check(await health.schema_revision(conn), needed)
        except Exception as error:
            if not is_unavailable(error):
                raise
        else:
            if check.ok:
                endpoint.waits_for = None
                return True
            if endpoint.waits_for is None:
                logger.warning("The schema is older than this version; waiting for it.", extra={"detail": check.detail})
            endpoint.waits_for = check.detail
        await keeper.rest(LOOK_AGAIN)
    return False


async def run(settings: Settings, roles: Sequence[str], keeper: Keeper) -> None:
    """Do the work of the roles until the keeper is told to stop."""
    endpoint = Endpoint(keeper, roles)
    server = HealthEndpoint(settings.host, settings.worker_port, endpoint.routes)
    try:
        port = await server.start()
    except OSError:
        raise SystemExit(f"Port {settings.worker_port} is taken: set SOJOURN_WORKER_PORT to a free one.") from None
    try:
        db = await _connected(settings, keeper)
        if db is not None:
            async with contextlib.AsyncExitStack() as held:
                held.push_async_callback(db.close)
                if not await _schema_there(db, keeper, endpoint):
                    return
                listener = await held.enter_async_context(Listener(settings.database_url or ""))
                parts = Parts(settings, keeper, db, listener)
                configured.configure(settings.llm.configured)
                held.push_async_callback(parts.close)
                endpoint.connected(db)
                await held.enter_async_context(parts.traced(roles))
                logger.info("The worker runs.", extra={"roles": ",".join(roles), "port": port})
                await _work(parts, roles)
    finally:
        await server.stop()


async def _work(parts: Parts, roles: Sequence[str]) -> None:
    loops = dict(loop for role in roles for loop in loops_of(role, parts)) | {"presence": _presence(parts, roles)}
    measuring = asyncio.create_task(drain_measurements(parts.stop))
    tasks = {asyncio.create_task(parts.keeper.keep(name, loop), name=name) for name, loop in loops.items()}
    await parts.stop.wait()
    _, late = await asyncio.wait(tasks, timeout=STOP_LIMIT)
    if late:
        logger.warning("Some loops did not end in time.", extra={"loops": sorted(task.get_name() for task in late)})
    for task in late:
        task.cancel()
    await asyncio.gather(measuring, *tasks, return_exceptions=True)


def read_roles(text: str) -> list[str]:
    """The roles that a list with commas names, in their order and each once."""
    names = {name.strip() for name in text.split(",")}
    unknown = names - set(ROLES)
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no role {', '.join(sorted(unknown))}; roles are {', '.join(ROLES)}")
    return [role for role in ROLES if role in names]


async def _main(settings: Settings, roles: Sequence[str]) -> None:
    keeper = Keeper(expected)
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not keeper.stop.is_set():
            keeper.stop.set()
            loop.call_later(END_LIMIT, _give_up)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    await run(settings, roles, keeper)


def _give_up() -> None:
    """End now: whoever waits for us would kill us soon, and everything is safe to be cut off."""
    logger.error("The worker did not end in time and is cut off.")
    os._exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a worker process until it is told to end."""
    parser = argparse.ArgumentParser(description="A worker of Sojourn.")
    parser.add_argument("--roles", type=read_roles, default=list(ROLES), help=f"with commas; all: {','.join(ROLES)}")
    roles = parser.parse_args(arguments).roles
    settings = load()
    observability.configure(settings.log_level)
    if settings.database_url is None:
        raise SystemExit("Set SOJOURN_DATABASE_URL: a worker does not start a database.")
    asyncio.run(_main(settings, roles))


if __name__ == "__main__":
    main()
    leave(0)
