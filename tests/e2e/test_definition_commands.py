"""Definitions kept in a folder, by the command line: diff, apply with prune, export, history, restore, who refers to what."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from settings import CHECKOUT
from tests.e2e.test_command_line import SHOP, Line
from tests.support.live import Workspace

if TYPE_CHECKING:
    from stack.description import StackDescription

pytestmark = pytest.mark.stack

PAYING = """\
kind: segment
key: paying
name: Paying
conditions: {attribute: {field: plan, value: pro}}
"""
WELCOME = """\
kind: campaign
key: welcome
name: Welcome
trigger: {type: segment, conditions: {segment: paying}}
workflow:
  start: pause
  blocks:
    pause: {type: time_delay, duration: PT5M, next: hello}
    hello:
      type: email
      message:
        subject: Hello
        body: |
          <p>Welcome.</p>
          <p>Have a look around.</p>
"""


@pytest.fixture
def line(stack: StackDescription, sandbox: Workspace) -> Line:
    return Line(stack, sandbox.app_key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two documents."""
    made = tmp_path / "definitions"
    made.mkdir()
    (made / "paying.yaml").write_text(PAYING)
    (made / "welcome.yaml").write_text(WELCOME)
    return made


def typed(command: list[str], answer: str, variables: dict[str, str]) -> tuple[int, str]:
    """The status of a command that somebody sits before and answers, and what they saw."""
    parent, child = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "cli", *command],
        stdin=child,
        stdout=child,
        stderr=child,
        env={**os.environ, **variables},
        cwd=CHECKOUT,
    )
    os.close(child)
    os.write(parent, f"{answer}\n".encode())
    status = asked.wait(timeout=60)
    shown = os.read(parent, 65536).decode()
    os.close(parent)
    return status, shown


async def test_a_diff_tells_what_an_apply_would_do(line: Line, folder: Path) -> None:
    printed = await line("diff", str(folder), status=2)
    assert "+ campaign welcome" in printed
    assert "nothing was written" in printed
    assert (await line.json("campaign", "list"))["definitions"] == []
    await line("apply", str(folder))
    assert "No difference in 2 documents." in await line("diff", str(folder))
    (folder / "welcome.yaml").write_text(WELCOME.replace("PT5M", "PT1H").replace("Have a look", "Look"))
    printed = await line("diff", str(folder), status=2)
    assert "~ campaign welcome" in printed
    assert "paying" not in printed
    assert '/workflow/blocks/pause/duration  "PT5M" -> "PT1H"' in printed
    assert "      -<p>Have a look around.</p>\n      +<p>Look around.</p>" in printed
    (folder / "paying.yaml").unlink()
    assert "paying" not in await line("diff", str(folder), status=2)
    refused = await line("diff", str(folder), "--prune", status=1)
    assert "in_use The segment 'paying' is used by campaign 'welcome'." in refused
    assert "campaign welcome /trigger/conditions/segment" in refused
    (folder / "welcome.yaml").write_text("{kind: snippet, key: s, name: s, value: x}\n")
    printed = await line("diff", str(folder), "--prune", status=2)
    assert "- campaign welcome" in printed
    assert "- segment paying" in printed
    assert "1 created, 2 deleted" in printed
    (folder / "broken.yaml").write_text("kind: segment\nkey: odd\nname: Odd\nnope: 1\n")
    assert "broken.yaml:4 segment odd /nope: unknown_field" in await line("diff", str(folder), status=1)


async def test_pruning_asks_first(stack: StackDescription, sandbox: Workspace, line: Line, folder: Path) -> None:
    await line("apply", str(folder))
    assert "2 unchanged" in await line("apply", str(folder), "--prune")
    (folder / "welcome.yaml").unlink()
    refused = await line("apply", str(folder), "--prune", status=1)
    assert "This deletes 1 document: campaign welcome." in refused
    assert "--yes" in refused
    assert "1 unchanged, 1 deleted" in await line("apply", str(folder), "--prune", "--dry-run")
    assert (await line.json("campaign", "list"))["definitions"] != []
    variables = {"SOJOURN_URL": stack.api_url, "SOJOURN_KEY": sandbox.app_key, "PYTHONPATH": str(CHECKOUT)}
    command = ["apply", str(folder), "--prune"]
    for answer, status in (("n", 1), ("y", 0)):
        ended, shown = await asyncio.to_thread(typed, command, answer, variables)
        assert (ended, "Delete 1 document and apply the rest?" in shown) == (status, True), shown
    assert (await line.json("campaign", "list"))["definitions"] == []
    (folder / "paying.yaml").write_text(PAYING.replace("paying", "free").replace("pro", "free"))
    printed = await line("apply", str(folder), "--prune", "--yes")
    assert "+ segment free" in printed
    assert "- segment paying" in printed


async def test_an_export_is_a_folder_that_can_be_applied(line: Line, tmp_path: Path) -> None:
    await line("apply", str(SHOP))
    out = tmp_path / "exported"
    assert "17 documents in" in await line("export", "--source", "shop", "--to", str(out))
    assert "17 unchanged" in await line("apply", str(out), "--source", "shop")
    assert "No difference" in await line("diff", str(out), "--source", "shop", "--prune")
    assert "0 written, 17 as before" in await line("export", "definitions", "--source", "shop", "--to", str(out))
    assert (out / "campaign" / "planner.yaml").read_text().startswith("kind: campaign\nkey: planner\n")
    stray = out / "campaign" / "stray.yaml"
    stray.write_text("kind: campaign\n")
    assert f"{stray} is of no document that was exported" in await line(
        "export", "--kind", "campaign", "--to", str(out)
    )
    printed = await line("export", "--kind", "campaign", "--source", "shop")
    assert printed.startswith("---\nkind: campaign\n")
    assert "kind: segment" not in printed
    full = await line("export", "--kind", "campaign", "--full")
    assert "frequency:" in full
    assert len(full) > len(printed)
    bundle = await line.json("export", "--source", "shop")
    assert (bundle["source"], len(bundle["definitions"])) == ("shop", 17)
    assert await line("export", "--source", "nothing") == ""
    assert "(enum)" in await line("export", "--kind", "nonsense", status=1)
    assert "people" in await line("export", "--help")


async def test_what_was_is_shown_and_put_back(line: Line, folder: Path) -> None:
    await line("apply", str(folder))
    (folder / "welcome.yaml").write_text(WELCOME.replace("PT5M", "PT1H"))
    await line("apply", str(folder))
    history = await line("revisions", "campaign", "welcome")
    assert "/workflow/blocks/pause/duration" in history
    assert "created" in history
    assert "definitions" in history
    assert [one["revision"] for one in (await line.json("revisions", "campaign", "welcome"))["revisions"]] == [2, 1]
    assert "duration: PT5M" in await line("revisions", "campaign", "welcome", "1")
    assert "dry run" in await line("restore", "campaign", "welcome", "1", "--dry-run")
    printed = await line("restore", "campaign", "welcome", "1")
    assert '"PT1H" -> "PT5M"' in printed
    assert "campaign welcome is as it was at revision 1; this is revision 3." in printed
    assert "is as it was at revision 1." in await line("restore", "campaign", "welcome", "1")
    assert "(not_found)" in await line("restore", "campaign", "welcome", "9", status=1)
    assert "(not_found)" in await line("revisions", "campaign", "no/body", status=1)
    assert "(enum)" in await line("revisions", "nonsense", "welcome", status=1)


async def test_who_refers_to_a_document(line: Line, folder: Path) -> None:
    await line("apply", str(folder))
    assert "/trigger/conditions/segment" in await line("used-by", "segment", "paying")
    assert "Nothing refers to campaign welcome." in await line("used-by", "campaign", "welcome")
    assert (await line.json("used-by", "campaign", "welcome")) == {"used_by": []}
