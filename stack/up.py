"""`make up`: the stack in the foreground until Ctrl-C, with what a person needs to know printed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from rich.logging import RichHandler
from rich.text import Text

from console.terminal import new_console
from settings import CHECKOUT
from stack.process import StackError
from stack.supervisor import Stack
from stack.topology import EMBEDDED, Topology

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from rich.console import Console

    from settings import Settings
    from stack.description import StackDescription

    Then = Callable[[Stack, Console], Awaitable[None]]

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DOCS_PATH = "/docs"
UI_PATH = "/ui"


def run_up(
    settings: Settings, *, then: Then | None = None, checkout: Path = CHECKOUT, topology: Topology = EMBEDDED
) -> int:
    """Run the stack until it is told to end, and return the exit status; `then` is awaited once it is up.

    Status 0 after SIGINT, SIGTERM or SIGHUP, 1 where it could not start, with the reason on standard error.
    """
    console = new_console()
    handler = RichHandler(console=new_console(stderr=True), show_path=False)
    logging.getLogger("sojourn").addHandler(handler)
    logging.getLogger("sojourn").setLevel(settings.log_level.upper())
    try:
        with _foreground():
            stack = Stack(
                settings,
                report=lambda text: console.print(text, style="dim", markup=False),
                checkout=checkout,
                topology=topology,
            )
            asyncio.run(_serve(stack, console, then))
    except StackError as error:
        new_console(stderr=True).print(str(error), style="bold red", markup=False)
        return 1
    finally:
        logging.getLogger("sojourn").removeHandler(handler)
    return 0


async def _serve(stack: Stack, console: Console, then: Then | None) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in END_SIGNALS:
        loop.add_signal_handler(number, told.set)

    async def run() -> None:
        await stack.start()
        if then is not None:
            await then(stack, console)
        print_places(console, stack.describe())
        console.print("\nRunning; Ctrl-C ends it.", style="bold")
        await told.wait()

    running, ending = asyncio.create_task(run()), asyncio.create_task(told.wait())
    try:
        await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        console.print("Ending.", style="dim")
    finally:
        for task in (running, ending):
            task.cancel()
        await asyncio.gather(running, ending, return_exceptions=True)
        await stack.stop()


def print_places(console: Console, running: StackDescription) -> None:
    """Where everything is, and with which keys it is reached."""
    console.print()
    _line(console, "API", running.api_url, running.api_tls_url, *running.api_urls[1:])
    _line(console, "API docs", f"{running.api_url}{DOCS_PATH}")
    _line(console, "Look inside", f"{running.api_url}{UI_PATH}", "(sign in with the admin token)")
    _line(console, "Temporal", running.temporal_ui_url or running.temporal_address)
    _line(console, "Mailbox", running.mailbox_url, f"SMTP {running.smtp.host}:{running.smtp.port}")
    _line(console, "Admin token", running.admin_token)
    for keys in running.workspaces:
        kind = "sandbox: its clock stands still until you move it" if keys.sandbox else "live: real time, real SMTP"
        console.print(Text(f"\nWorkspace {keys.id}, {keys.name}", style="bold").append(f"  {kind}", style="dim"))
        _line(console, "  site_id", keys.site_id, f"api_key {keys.api_key}")
        _line(console, "  app_key", keys.app_key, f"write_key {keys.write_key}")
    console.print("\nSo that clients trust https here:", style="dim")
    for name, file in _trust(running).items():
        console.print(f"  export {name}={file}", markup=False)


def _trust(running: StackDescription) -> dict[str, Path]:
    bundle = running.ca_bundle_file
    return {"REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": bundle, "NODE_EXTRA_CA_CERTS": running.ca_file}


def _line(console: Console, name: str, *texts: str) -> None:
    console.print(Text(f"{name:<14}", style="dim").append("   ".join(texts), style="default"))


@contextlib.contextmanager
def _foreground() -> Iterator[None]:
    """Take the terminal's Ctrl-C for this process alone, so that a `make` around it sees status 0, not a signal."""
    terminal = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    if terminal is None or os.getpgrp() == os.getpid() or os.tcgetpgrp(terminal) != os.getpgrp():
        yield
        return
    before = os.getpgrp()
    # A background group that takes the terminal, and later gives it back, is stopped unless it ignores these.
    for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(terminal, before)
