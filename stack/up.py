"""`make up`: the stack in the foreground until Ctrl-C, with what a person needs to know printed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.logging import RichHandler

from settings import CHECKOUT
from stack.process import StackError
from stack.supervisor import Stack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from settings import Settings
    from stack.description import StackDescription

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_up(
    settings: Settings, *, then: Callable[[Stack], Awaitable[None]] | None = None, checkout: Path = CHECKOUT
) -> int:
    """Run the stack until it is told to end, and return the exit status; `then` is awaited once it is up.

    Status 0 after SIGINT, SIGTERM or SIGHUP, 1 where it could not start, with the reason on standard error.
    """
    console = Console(highlight=False, soft_wrap=True)
    handler = RichHandler(console=Console(stderr=True, soft_wrap=True), show_path=False)
    logging.getLogger("sojourn").addHandler(handler)
    logging.getLogger("sojourn").setLevel(settings.log_level.upper())
    try:
        with _foreground():
            asyncio.run(_serve(settings, console, then, checkout))
    except StackError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), style="bold red", markup=False)
        return 1
    finally:
        logging.getLogger("sojourn").removeHandler(handler)
    return 0


async def _serve(
    settings: Settings, console: Console, then: Callable[[Stack], Awaitable[None]] | None, checkout: Path
) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in END_SIGNALS:
        loop.add_signal_handler(number, told.set)
    stack = Stack(settings, report=lambda text: console.print(text, style="dim", markup=False), checkout=checkout)

    async def run() -> None:
        await stack.start()
        _print_places(console, stack.describe())
        if then is not None:
            await then(stack)
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


def _print_places(console: Console, running: StackDescription) -> None:
    """Where everything is, and with which keys it is reached."""
    lines = {
        "API": f"{running.api_url}   {running.api_tls_url}",
        "Temporal UI": running.temporal_ui_url or running.temporal_address,
        "Mailbox": f"{running.mailbox_url}   SMTP {running.smtp.host}:{running.smtp.port}",
        "Admin token": running.admin_token,
        "For clients": f"export REQUESTS_CA_BUNDLE={running.ca_bundle_file} SSL_CERT_FILE={running.ca_bundle_file} "
        f"NODE_EXTRA_CA_CERTS={running.ca_file}",
    }
    for keys in running.workspaces:
        kind = "sandbox" if keys.sandbox else "live"
        lines[f"Workspace {keys.id}"] = (
            f"{keys.name} ({kind})   site_id {keys.site_id}   api_key {keys.api_key}   app_key {keys.app_key}   "
            f"write_key {keys.write_key}"
        )
    for name, text in lines.items():
        console.print(f"{name:<14}{text}", markup=False)
    console.print("Running; Ctrl-C ends it.", style="bold")


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
