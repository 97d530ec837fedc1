"""The HTTP process: what it is made of, its routes, its listeners. `python -m api.app` runs it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager

import uvicorn
import uvloop
from fastapi import Depends, FastAPI

import collector
import migrations
from api import docs, errors, ui
from api.app_api import actions, contents, esp, message_lists, send, send_cancelling, senders, snippets, transactional
from api.app_api import metrics as message_metrics
from api.app_api import triggers as broadcast_triggers
from api.callbacks import unsubscribe, view
from api.deps import Parts
from api.forms import ROUTERS as FORM_ROUTERS
from api.management import (
    ab_tests,
    activities,
    allowed_ips,
    block_copies,
    broadcasts,
    campaigns,
    clock,
    collections,
    conditions,
    credentials,
    customers,
    data_in,
    data_index,
    definition_history,
    definitions,
    domains,
    explain,
    exports,
    health,
    imports,
    journey_metrics,
    journeys,
    mailbox,
    messages,
    metrics,
    objects,
    segment_life,
    segments,
    sending_state,
    signing_keys,
    tags,
    tasks,
    timeline,
    webhooks,
    workspaces,
)
from api.middleware import Front
from api.paths import decode_path
from api.pipelines import calls as pipelines_calls
from api.pipelines import libraries as pipelines_libraries
from api.track import ROUTERS as TRACK_ROUTERS
from clock import system_now
from ingest.accept import Acceptor
from ingest.catalog import Catalogs
from leaving import leave
from observability import configure
from services import private_urls
from services.access import Access
from services.dns_lookups import Lookups
from services.file_links import FileLinks
from services.health import Health
from services.llm import configured
from services.rates import DOCUMENTED, Rates
from services.rejections import Rejections
from services.transactional.accepting import SendAcceptor
from settings import SECRET_SIZE, Settings, load, pairs_of
from store.database import Database
from store.notify import Notifier
from telemetry.setup import traced

logger = logging.getLogger("sojourn.api")

ROUTERS = (
    customers.beside_track,
    *TRACK_ROUTERS,
    *FORM_ROUTERS,
    send.router,
    pipelines_calls.router,
    pipelines_libraries.router,
    definitions.router,
    definition_history.router,
    domains.router,
    tags.router,
    campaigns.router,
    broadcasts.router,
    broadcast_triggers.router,
    actions.router,
    block_copies.router,
    sending_state.router,
    ab_tests.router,
    webhooks.router,
    journeys.router,
    journey_metrics.router,
    explain.router,
    customers.router,
    timeline.router,
    messages.router,
    send_cancelling.router,
    message_lists.router,
    message_metrics.router,
    transactional.router,
    contents.router,
    snippets.router,
    senders.router,
    esp.router,
    segments.router,
    segment_life.router,
    conditions.router,
    objects.router,
    collections.router,
    clock.router,
    mailbox.router,
    tasks.router,
    imports.router,
    exports.router,
    workspaces.router,
    credentials.router,
    allowed_ips.router,
    signing_keys.router,
    activities.router,
    data_index.router,
    data_in.router,
    unsubscribe.router,
    view.router,
    health.router,
    metrics.router,
    ui.router,
)
CONNECTIONS = 20
KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 10
BACKLOG = 2048


@contextlib.asynccontextmanager
async def assembled(settings: Settings) -> AsyncIterator[Parts]:
    """The parts that these settings describe; the database may still be away."""
    if settings.database_url is None:
        sys.exit("SOJOURN_DATABASE_URL is not set.")
    db = await Database.connect(settings.database_url, min_size=0, max_size=CONNECTIONS)
    configured.configure(settings.llm.configured)
    private_urls.configure(allowed=settings.allow_private_urls)
    notifier = Notifier(db.pool)
    acceptor = Acceptor(db, notifier)
    sends = SendAcceptor(db, notifier)
    try:
        yield Parts(
            db=db,
            notifier=notifier,
            acceptor=acceptor,
            access=Access(db, admin_token=settings.admin_token, clock=system_now),
            catalogs=Catalogs(),
            health=Health(db, schema_head=migrations.head(), temporal_address=settings.temporal_address),
            base_url=settings.link_base_url,
            version=importlib.metadata.version("sojourn"),
            workflows_url=settings.workflows_url,
            region=settings.region,
            rates=Rates(db, DOCUMENTED, system_now) if settings.rate_limits == "documented" else None,
            rejections=Rejections(db),
            sends=sends,
            pipelines_reject_bad_keys=settings.pipelines_reject_bad_keys,
            names=Lookups(settings.name_servers),
            file_links=FileLinks(link_secret(settings), settings.link_base_url),
        )
    finally:
        await acceptor.close()
        await sends.close()
        await notifier.close()
        await db.close()


def link_secret(settings: Settings) -> bytes:
    """What links to files are signed with; a process without any deployment secret signs for itself alone."""
    try:
        return settings.secret_key()
    except ValueError:
        return os.urandom(SECRET_SIZE)


def create_app(parts: Parts) -> FastAPI:
    """The application over these parts."""
    app = FastAPI(
        title="Sojourn",
        version=parts.version,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        dependencies=[Depends(decode_path)],
    )
    app.state.parts = parts
    app.add_middleware(Front)
    errors.install(app)
    docs.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


class Listener(uvicorn.Server):
    """One listener of several in a process, which therefore leaves signals to others."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def listeners(app: FastAPI, settings: Settings) -> list[Listener]:
    """Plain HTTP, and HTTPS where there is a certificate."""

    def listener(port: int, **tls: str) -> Listener:
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=port,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            **tls,  # type: ignore[arg-type]
        )
        return Listener(config)

    found = [listener(settings.api_port)]
    if settings.tls_cert_file is not None and settings.tls_key_file is not None:
        cert, key = str(settings.tls_cert_file), str(settings.tls_key_file)
        found.append(listener(settings.api_tls_port, ssl_certfile=cert, ssl_keyfile=key))
    return found


def _traced(settings: Settings, version: str) -> AbstractAsyncContextManager[None]:
    """Traces of this process, where they are on."""
    wanted = settings.tracing
    return traced(
        "sojourn-api",
        endpoint=wanted.endpoint,
        sample=wanted.sample,
        headers=pairs_of(wanted.headers),
        resource={
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
            "service.version": version,
            **pairs_of(wanted.attributes),
        },
    )


async def serve(settings: Settings) -> None:
    """Answer calls until SIGTERM or SIGINT; calls under way are finished."""
    async with assembled(settings) as parts, _traced(settings, parts.version):
        servers = listeners(create_app(parts), settings)

        def stop() -> None:
            for server in servers:
                server.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        logger.info("Listening on %s, http port %s.", settings.host, settings.api_port)
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(server.serve())
    logger.info("Ended in order.")


def main() -> None:
    """Run the process with the settings of the environment."""
    settings = load()
    configure(settings.log_level)
    collector.relax()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


if __name__ == "__main__":
    main()
    leave(0)
