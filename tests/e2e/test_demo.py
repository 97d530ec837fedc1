"""`make demo` without a terminal: what it shows, that what it suggests works, that a second one goes on where it was."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from settings import CHECKOUT
from stack.description import StackDescription
from stack.services import on_free_ports, temporary_data_dir

pytestmark = [
    pytest.mark.stack,
    pytest.mark.embedded("`make demo` starts the small stack whatever is tested"),
    pytest.mark.timeout(420),
]

LIMIT = 180.0
READY = "Ctrl-C ends it."
SHELL = re.compile(r"^ {3}(\S.*)$", re.MULTILINE)


class Running:
    """A demo in a process of its own, and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.printed = ""

    async def read_until(self, words: str) -> str:
        """Everything printed, once it holds these words or the process has ended."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT):
            while words not in self.printed and (line := await self.process.stdout.readline()):
                self.printed += line.decode()
        assert words in self.printed, self.printed
        return self.printed

    async def end(self) -> int:
        """The status after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        await asyncio.wait_for(self.process.communicate(), LIMIT)
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def demo(data_dir: Path) -> AsyncIterator[Running]:
    """The demo on free ports; never left behind."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    settings = on_free_ports(data_dir)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHECKOUT / "cli.py"),
        "demo",
        env={**environment, **settings.to_environment()},
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


async def shell(command: str) -> str:
    """What a suggested command printed; it has to work as it stands."""
    process = await asyncio.create_subprocess_shell(
        command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complaint = await process.communicate()
    assert process.returncode == 0, f"{command}\n{complaint.decode()}"
    return printed.decode()


async def pages(data_dir: Path, printed: str) -> list[str]:
    """The pages to which what was printed leads, as somebody sees them who has signed in."""
    running = StackDescription.read(data_dir)
    assert running is not None
    places = re.findall(rf"^  -> .* {running.api_url}(/ui/\S+)$", printed, re.MULTILINE)
    async with httpx.AsyncClient(base_url=running.api_url, trust_env=False) as client:
        await client.post("/ui/login", data={"token": running.admin_token})
        answers = [await client.get(place) for place in places]
    assert [answer.status_code for answer in answers] == [200] * len(places)
    return [answer.text for answer in answers]


def shown(printed: str, who: str, said: str) -> bool:
    """Whether there is a line about somebody that says so."""
    return any(re.search(rf"\b{who}\b.*{re.escape(said)}", line) for line in printed.splitlines())


async def test_the_demo_twice() -> None:
    with temporary_data_dir() as data_dir:
        async with demo(data_dir) as first:
            printed = await first.read_until(READY)
            assert "\x1b" not in printed, "no colours and no cursor movements without a terminal"
            for who, said in [
                ("Ann", "Welcome to Larkspur, Ann"),
                ("Ann", "Looked at plants? -> then"),
                ("Ann", "leaves early (goal)"),
                ("Ben", "Looked at plants? -> else"),
                ("Ben", "Postage on us, once"),
                ("Carla", "An hour without a change -> changed"),
                ("Carla", "We keep your lavender for you"),
                ("Carla", "leaves early (goal)"),
                ("Carla", "Your order L-1041"),
                ("Ann", "Frost tonight in the valleys: -6 degrees"),
                ("Dev", "Frost tonight in the valleys: -6 degrees"),
                ("Dev", "Plan rooms first, plants later"),
                ("Dev", "First bed planned? -> planned"),
                ("Eve", "Your meadow sage is on its way"),
                ("Eve", "Thank you for your words"),
            ]:
                assert shown(printed, who, said), f"{who}: {said}\n{printed}"
            assert not shown(printed, "Ann", "Postage on us")
            assert not shown(printed, "Carla", "Back on the bench")
            assert "api.send_email(SendEmailRequest(transactional_message_id='receipt'" in printed
            assert "trigger 1 is finished: 4 of 4 people, messages: 4 delivered" in printed
            letter, trigger = await pages(data_dir, printed)
            assert "Your order L-1041" in letter
            assert "carla-1@example.com" in letter
            assert "4 of 4 recipients" in trigger
            for said in ("API docs", "/ui", "Temporal", "Mailbox", "Admin token", "site_id", "REQUESTS_CA_BUNDLE"):
                assert said in printed
            answers = [await shell(command) for command in SHELL.findall(printed)]
            together = "\n".join(answers)
            assert "One bed is enough for a start" in together
            assert "planner_stage" in together
            assert "welcome ann-1" in together
            assert "settled" in together
            assert "Your order L-1042" in together
            assert "finished" in answers[-1]
            assert await first.end() == 0
        assert not (data_dir / "stack.json").exists()
        async with demo(data_dir) as second:
            printed = await second.read_until(READY)
            assert "17 unchanged" in printed
            assert "campaign welcome is running already" in printed
            assert "broadcast frost-warning is running already" in printed
            assert "trigger 3 is finished: 4 of 4 people" in printed
            assert "ann-2@example.com" in printed
            assert shown(printed, "Eve", "Thank you for your words")
            assert await second.end() == 0
