"""Versions with other workflow code: copies of the checkout in which `workflows/journey.py` is changed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from settings import CHECKOUT, Settings
from stack.supervisor import Stack
from stack.temporal_binary import BinarySearch

CHANGES = Path(__file__).with_name("upgrades")
CHANGED = Path("workflows") / "journey.py"
LEFT_OUT = shutil.ignore_patterns(".*", "tests", "docs", "bench", "examples", "__pycache__", "build", "*.egg-info")


def version(change: str, folder: Path) -> Path:
    """A checkout in a folder, changed as the file `upgrades/CHANGE.txt` says."""
    checkout = folder / change
    shutil.copytree(CHECKOUT, checkout, ignore=LEFT_OUT)
    _, old, new = (part.strip("\n") for part in _sections(change))
    file = checkout / CHANGED
    code = file.read_text()
    assert code.count(old) == 1, f"{CHANGED} has changed: write upgrades/{change}.txt anew"
    file.write_text(code.replace(old, new))
    return checkout


def _sections(change: str) -> list[str]:
    text = (CHANGES / f"{change}.txt").read_text()
    head, _, rest = text.partition("--- in\n")
    old, _, new = rest.partition("--- becomes\n")
    return [head, old, new]


async def sojourn(stack: Stack, *arguments: str) -> Any:
    """What a command of an operator beside the stack printed as JSON."""
    printed = await _run([sys.executable, "-m", "cli", *arguments, "--json"], stack)
    return json.loads(printed)


async def temporal(stack: Stack, *arguments: str) -> str:
    """What Temporal's own command line printed."""
    binary = await BinarySearch(Settings().cache_dir).find()
    place = ["--address", stack.describe().temporal_address, "--namespace", stack.settings.temporal_namespace]
    return await _run([str(binary), *arguments, *place], stack)


async def _run(command: list[str], stack: Stack) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=CHECKOUT,
        env={**os.environ, "SOJOURN_DATA_DIR": str(stack.settings.data_dir)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, complaint.decode() + printed.decode()
    return printed.decode()
