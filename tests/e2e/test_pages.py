"""What the README and the first steps tell people to type works as it stands."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from settings import CHECKOUT
from stack.description import WorkspaceKeys
from tests.support.live import Workspace

if TYPE_CHECKING:
    from stack.description import StackDescription

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OWN = {"command": ".venv/bin/sojourn", "file": ".sojourn/stack.json"}


async def keys(stack: StackDescription, http: httpx.AsyncClient, *, sandbox: bool) -> WorkspaceKeys:
    """The keys of a new workspace that stands in for a built-in one."""
    made = await Workspace.create(stack, http, sandbox=sandbox, name="Sandbox" if sandbox else "Live")
    sender = {"kind": "sender", "key": "default", "name": "Sojourn", "email": "hello@example.com", "default": True}
    domain = {"kind": "domain", "key": "default", "domain": "example.com", "use": "sending"}
    config = {"host": stack.smtp.host, "port": stack.smtp.port}
    provider = {"kind": "provider", "key": "sink", "channel": "email", "provider": "smtp", "config": config}
    await made.define(sender, *([] if sandbox else [domain, provider]))
    return WorkspaceKeys(
        id=made.id,
        name="Sandbox" if sandbox else "Live",
        sandbox=sandbox,
        site_id=made.site_id,
        api_key=made.api_key,
        app_key=made.app_key,
        write_key="",
    )


@pytest.fixture
async def data_dir(stack: StackDescription, http: httpx.AsyncClient, tmp_path: Path) -> Path:
    """A folder whose `stack.json` tells of the running stack, but with workspaces in which nothing has happened."""
    fresh = [await keys(stack, http, sandbox=True), await keys(stack, http, sandbox=False)]
    stack.model_copy(update={"workspaces": fresh}).write(tmp_path)
    return tmp_path


def blocks(page: str, language: str = "") -> list[str]:
    """The fenced blocks of a page in one language."""
    return [code for kind, code in FENCE.findall((CHECKOUT / page).read_text()) if kind == language]


async def run(code: str, data_dir: Path, *program: str) -> str:
    """What code printed, run at the root of the checkout as the page says; it has to work."""
    command = Path(sys.executable).with_name("sojourn")
    code = code.replace(OWN["command"], str(command)).replace(OWN["file"], str(data_dir / "stack.json"))
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=CHECKOUT,
        env={**os.environ, "SOJOURN_DATA_DIR": str(data_dir), "COLUMNS": "160"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await process.communicate(code.encode())
    assert process.returncode == 0, f"{printed.decode()}\n{complaint.decode()}"
    return printed.decode()


async def bash(code: str, data_dir: Path) -> str:
    """What a shell printed; lines with a `<placeholder>` are for people."""
    lines = [line for line in code.splitlines() if not re.search(r"<[a-z ]+>", line)]
    return await run("\n".join(["set -e", "shopt -s expand_aliases", *lines]), data_dir, "bash")


async def test_the_readme_with_curl(data_dir: Path) -> None:
    (code,) = [block for block in blocks("README.md") if "curl -u" in block]
    printed = await bash(code, data_dir)
    assert printed.startswith("{}{}+ campaign"), printed
    assert "One bed is enough for a start" in printed
    assert "Shall we draw it for you?" in printed


async def test_the_readme_with_the_python_client(data_dir: Path, stack: StackDescription) -> None:
    sojourn = OWN["command"]
    await bash(f"{sojourn} apply examples/shop", data_dir)
    facts, sends = blocks("README.md", "python")
    printed = await run(facts + sends, data_dir, sys.executable, "-")
    assert len(printed.split()) == 1, "the id of the delivery"
    assert "Lavender" in await bash(f"{sojourn} clock settle\n{sojourn} people show 8", data_dir)
    assert "Your order L-1042" in await bash(f"{sojourn} mailbox list --to ben@example.com", data_dir)


async def test_the_readme_asks_for_sends(data_dir: Path) -> None:
    (before,) = [block for block in blocks("README.md") if "curl -u" in block]
    (code,) = [block for block in blocks("README.md") if "v1/send/email" in block]
    printed = await bash(before + code, data_dir)
    assert '"delivery_id"' in printed
    assert '{"id":1}' in printed.replace(" ", "")
    assert "1 of 1 recipient" in printed
    assert "Your order L-1041" in printed
    assert "Frost tonight in the valleys" in printed


async def test_the_readme_campaign(data_dir: Path, tmp_path: Path) -> None:
    (code,) = [block for block in blocks("README.md", "yaml") if "kind: campaign" in block]
    (tmp_path / "my-campaigns").mkdir()
    (tmp_path / "my-campaigns" / "cart.yaml").write_text(code)
    (commands,) = [block for block in blocks("README.md") if "my-campaigns" in block]
    printed = await bash(commands.replace("my-campaigns", str(tmp_path / "my-campaigns")), data_dir)
    assert "all valid" in printed
    assert "Campaign cart-reminder is running" in printed


async def test_the_first_steps(data_dir: Path) -> None:
    told = blocks("docs/first-steps.md")
    assert told[0] == "make up\n"
    printed = await bash("\n".join(told[1:]), data_dir)
    assert "Welcome to Larkspur, Dora" in printed
    assert "settle-in until" in printed
    assert "Your order L-1041" in printed
    assert 'Missing required field \\"to\\"' in printed
    assert "Frost tonight in the hills" in printed
    assert "Your meadow sage is on its way" in printed
