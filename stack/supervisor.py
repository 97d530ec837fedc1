"""The local stack: PostgreSQL, Temporal, SMTP sink, API and workers, of which this process is parent and reaper."""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import json
import logging
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from settings import CHECKOUT, PREFIX
from stack.commands import WorkerPlan, api_command, product_environment, run_tool, worker_command
from stack.description import Pids, SmtpPlace, StackDescription, WorkspaceKeys, remove_description
from stack.mailbox import Mailbox
from stack.ports import LOOPBACK, choose
from stack.postgres import ensure_database, server_answers
from stack.process import Child, Command, StackError
from stack.secret import WORKSPACES, admin_token, credentials, load_secret
from stack.sink import SmtpSink
from stack.temporal import server_answers as temporal_answers
from stack.temporal import set_up
from stack.tls import ensure_certificates
from stack.topology import EMBEDDED, Topology

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

    from settings import Settings
    from stack.sink import OnMessage
    from stack.tls import Certificates

logger = logging.getLogger("sojourn.stack")


class Stack:
    """A whole local deployment of the settings; `async with Stack(settings) as stack:` runs it.

    Its topology says which processes there are and what they are called; a name may mean several of them. Raises
    `StackError` where it cannot start; nothing is left running then.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        topology: Topology = EMBEDDED,
        workers: Sequence[WorkerPlan] | None = None,
        environment: Mapping[str, str] | None = None,
        headless: bool = False,
        fsync: bool = True,
        on_message: OnMessage | None = None,
        report: Callable[[str], None] = logger.info,
        checkout: Path = CHECKOUT,
    ) -> None:
        self.settings = settings
        self.children: dict[str, Child] = {}
        self.workspaces: list[WorkspaceKeys] = []
        self.topology = topology if workers is None else replace(topology, workers=tuple(workers))
        self._extra = dict(environment or {})
        self._headless = headless
        self._fsync = fsync
        self._on_message = on_message
        self._report = report
        self._checkout = checkout
        self._sink: SmtpSink | None = None
        self._mailbox: Mailbox | None = None
        self._certificates: Certificates | None = None
        self._lock: TextIO | None = None
        self._published = False
        self._api_urls: list[str] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything in order; returns when calls are answered and `stack.json` is written."""
        self._claim()
        try:
            worker_ports, api_ports, temporal_ports = self._choose_ports()
            self._api_urls = [self.settings.api_url]
            secret = load_secret(self.settings.secret_file)
            self._certificates = ensure_certificates(self.settings.data_dir)
            await self._start_database()
            await self._start_temporal(temporal_ports)
            self.settings = self.settings.with_changes(
                deployment_key=self.settings.deployment_key or secret.hex(),
                admin_token=self.settings.admin_token or admin_token(secret),
                tls_cert_file=self._certificates.cert_file,
                tls_key_file=self._certificates.key_file,
            )
            environment = self._environment()
            await self._step("Migrations", self._migrate(environment))
            await self._start_sink()
            await self._step("Workspaces", self._bootstrap(secret, environment))
            await self._start_product(worker_ports, api_ports, environment)
            self._published = True
            self._publish()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything that was started: workers, API, sink, Temporal, PostgreSQL."""
        self._published = False
        children, self.children = self.children, {}
        product = {name: child for name, child in children.items() if not _is_server(name)}
        workers = [child for name, child in product.items() if name not in self.topology.apis]
        await asyncio.gather(*[child.stop() for child in workers])
        await asyncio.gather(*[child.stop() for child in product.values()])
        if self._sink is not None:
            await self._sink.stop()
        if self._mailbox is not None:
            await self._mailbox.close()
        await asyncio.gather(*[child.stop() for name, child in children.items() if name.startswith("temporal")])
        if "postgres" in children:
            await children["postgres"].stop()
        if self._lock is not None:
            remove_description(self.settings.data_dir)
            self._lock.close()
            self._lock = None

    @property
    def sink(self) -> SmtpSink:
        """The running SMTP sink."""
        assert self._sink is not None
        return self._sink

    def pid(self, name: str) -> int | None:
        """The process id of a child, none while it does not run."""
        return self._children_of(name)[0].pid

    def deaths(self, name: str) -> int:
        """How often the processes of this name have died since they were started."""
        return sum(child.deaths for child in self._children_of(name))

    async def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send the processes of a name a signal; those that die of it come back by themselves."""
        await asyncio.gather(*[child.kill(number) for child in self._children_of(name)])

    async def wait_ready(self, name: str, limit: float | None = None) -> None:
        """Return when all of a name answer again."""
        await asyncio.gather(*[child.wait_ready(limit) for child in self._children_of(name)])

    async def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """End all of a name in order and start them; `environment` is added until each next ends."""
        await self.stop_child(name)
        await self.start_child(name, environment)

    async def deploy(self, name: str, checkout: Path) -> None:
        """End the processes of a name and start them from another checkout, one by one, as a version is rolled out."""
        for child in self._children_of(name):
            await child.stop()
            environment = {**child.command.environment, "PYTHONPATH": str(checkout)}
            child.command = replace(child.command, cwd=checkout, environment=environment)
            await child.start()

    async def stop_child(self, name: str) -> None:
        """End all of a name and leave them ended."""
        await asyncio.gather(*[child.stop() for child in self._children_of(name)])

    async def start_child(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start all of a name, which were ended; Temporal is set up again, should its file be gone."""
        await asyncio.gather(*[child.start(environment) for child in self._children_of(name)])
        if name == "temporal":
            await self._set_up_temporal()

    def describe(self) -> StackDescription:
        """What `stack.json` says."""
        settings, certificates = self.settings, self._certificates
        assert certificates is not None
        return StackDescription(
            api_url=settings.api_url,
            api_urls=self._api_urls,
            api_tls_url=f"https://{LOOPBACK}:{settings.api_tls_port}",
            ca_file=certificates.ca_file,
            ca_bundle_file=certificates.bundle_file,
            temporal_address=settings.temporal_address or "",
            temporal_ui_url=settings.temporal_ui_url,
            database_url=settings.database_url or "",
            mailbox_url=f"{settings.api_url}/v1/mailbox",
            smtp=SmtpPlace(host=self.sink.host, port=self.sink.port),
            admin_token=settings.admin_token or "",
            pids=self._pids(),
            workspaces=self.workspaces,
        )

    def _claim(self) -> None:
        """Take this data folder for ourselves, and end what a killed stack left in it."""
        data_dir = self.settings.data_dir
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            running = StackDescription.read(data_dir)
            where = f" at {running.api_url} as process {running.pids.supervisor}" if running else ""
            raise StackError(
                f"A stack already runs on {data_dir}{where}. Stop it first, or set SOJOURN_DATA_DIR."
            ) from None
        self._lock = lock
        if (left := StackDescription.read(data_dir)) is not None:
            ended = left.end_leftovers()
            logger.info("The last stack here was killed; ended %d processes that it left.", len(ended))
            remove_description(data_dir)

    def _choose_ports(self) -> tuple[list[int], list[int], list[int]]:
        """Decide all ports; those of workers, of the further APIs (http, then https) and of Temporal's processes."""
        topology, workers = self.topology, len(self.topology.workers)
        further = 2 * (len(topology.apis) - 1)
        temporal = 0 if self.settings.temporal_address else topology.temporal.ports
        self.settings, ports = choose(self.settings, workers=workers, more=further + temporal)
        return ports[:workers], ports[workers : workers + further], ports[workers + further :]

    async def _start_database(self) -> None:
        settings = self.settings
        if settings.database_url is not None:
            if not await server_answers(settings.database_url):
                raise StackError("The database that SOJOURN_DATABASE_URL names does not answer.")
            return
        server = await asyncio.to_thread(self.topology.postgres.server, settings, fsync=self._fsync)
        command = await asyncio.to_thread(server.command, settings.data_dir / "logs" / "postgres.log")
        await self._step("PostgreSQL", self._start_child_process(command))
        await ensure_database(server.url("postgres"))
        self.settings = settings.with_changes(database_url=server.url())

    async def _start_temporal(self, ports: Sequence[int]) -> None:
        settings = self.settings
        if settings.temporal_address is not None:
            if not await temporal_answers(settings.temporal_address):
                raise StackError(f"No Temporal answers at SOJOURN_TEMPORAL_ADDRESS, {settings.temporal_address}.")
        else:
            plan = await self.topology.temporal.plan(settings, ports, headless=self._headless)
            await self._step("Temporal", self._start_temporal_processes(plan.commands))
            self.settings = settings.with_changes(
                temporal_address=plan.address, temporal_ui_url=settings.temporal_ui_url or plan.ui_url
            )
        await self._set_up_temporal()

    async def _start_temporal_processes(self, commands: Sequence[Command]) -> None:
        # Of several that begin on empty tables all would write down what cluster they are, and all but one would fail.
        await self._start_all(commands[:1])
        await self._start_all(commands[1:])

    async def _set_up_temporal(self) -> None:
        settings = self.settings
        await set_up(settings.temporal_address or "", settings.temporal_namespace, settings.temporal_retention)

    async def _migrate(self, environment: Mapping[str, str]) -> None:
        await run_tool(["alembic", "upgrade", "head"], environment, self._checkout)

    async def _start_sink(self) -> None:
        settings, certificates = self.settings, self._certificates
        assert certificates is not None
        keep = self._on_message
        if keep is None:
            self._mailbox = Mailbox(settings.database_url or "")
            keep = self._mailbox.record
            # Loaded now and aside, so that the first message does not wait for it.
            await asyncio.to_thread(importlib.import_module, "store.mailbox")
        self._sink = SmtpSink(settings.smtp_port, tls=certificates.server_context(), on_message=keep)
        await self._sink.start()

    async def _bootstrap(self, secret: bytes, environment: Mapping[str, str]) -> None:
        """Make the built-in workspaces, whose keys are the same at every start."""
        keys = {name: credentials(secret, name) for name in WORKSPACES}
        smtp = {"host": self.sink.host, "port": self.sink.port}
        given: dict[str, object] = {"admin_token": self.settings.admin_token, "smtp": smtp}
        given |= {name: key.model_dump() for name, key in keys.items()}
        printed = await run_tool(["services.bootstrap"], environment, self._checkout, given=json.dumps(given).encode())
        self.workspaces = [
            WorkspaceKeys(**made, **keys["sandbox" if made["sandbox"] else "live"].model_dump(exclude={"delivery_key"}))
            for made in json.loads(printed)["workspaces"]
        ]

    async def _start_product(
        self, worker_ports: Sequence[int], api_ports: Sequence[int], environment: Mapping[str, str]
    ) -> None:
        logs, checkout, settings = self.settings.data_dir / "logs", self._checkout, self.settings
        first, *others = self.topology.apis
        commands = [api_command(settings.api_port, environment, logs, checkout, name=first)]
        for name, port, tls_port in zip(others, api_ports[::2], api_ports[1::2], strict=True):
            # Links lead to the first one, whichever wrote them.
            own = {"API_PORT": port, "API_TLS_PORT": tls_port, "PUBLIC_URL": settings.link_base_url}
            given = {**environment, **{PREFIX + setting: str(value) for setting, value in own.items()}}
            commands.append(api_command(port, given, logs, checkout, name=name))
            self._api_urls.append(f"http://{LOOPBACK}:{port}")
        commands += [
            worker_command(plan, port, environment, logs, checkout)
            for plan, port in zip(self.topology.workers, worker_ports, strict=True)
        ]
        await self._start_all(commands, each=True)

    async def _start_all(self, commands: Sequence[Command], *, each: bool = False) -> None:
        """Start them at once; report on each where asked."""
        try:
            async with asyncio.TaskGroup() as group:
                for command in commands:
                    start = self._start_child_process(command)
                    group.create_task(self._step(command.name, start) if each else start)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _start_child_process(self, command: Command) -> None:
        child = Child(command, on_change=self._publish)
        self.children[command.name] = child
        await child.start()

    async def _step(self, what: str, work: Awaitable[None]) -> None:
        """Await one part of the start and report how long it took."""
        clock = asyncio.get_running_loop().time
        began = clock()
        await work
        self._report(f"{what} ready after {clock() - began:.1f} s")

    def _environment(self) -> dict[str, str]:
        assert self._certificates is not None
        return product_environment(self.settings, self._certificates.client_environment(), self._checkout) | self._extra

    def _children_of(self, name: str) -> list[Child]:
        """The processes that a name means, at least one."""
        found = [self.children[child] for child in self.topology.members(name, list(self.children))]
        if not found:
            raise StackError(f"The stack has no {name}; it has {', '.join(self.children)}.")
        return found

    def _pids(self) -> Pids:
        pids = {name: child.pid for name, child in self.children.items()}
        workers = [plan.name for plan in self.topology.workers]
        named = {name: pids.pop(name, None) for name in ("postgres", "temporal", "api")}
        return Pids(
            supervisor=os.getpid(),
            **named,
            workers={name: pids.pop(name, None) for name in workers},
            others=pids,
        )

    def _publish(self) -> None:
        """Write `stack.json` anew: the processes have changed."""
        if self._published:
            self.describe().write(self.settings.data_dir)


def _is_server(name: str) -> bool:
    """Whether a child is PostgreSQL or of Temporal, not of the product."""
    return name == "postgres" or name.startswith("temporal")
