"""The command line against a running server: folders in, tables and JSON out, statuses that scripts can trust."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from console.app import main
from settings import CHECKOUT
from tests.support.live import START, Workspace

if TYPE_CHECKING:
    from stack.description import StackDescription

pytestmark = pytest.mark.stack

SHOP = CHECKOUT / "examples" / "shop"
BROKEN = """\
kind: campaign
key: broken
name: Broken
trigger: {type: event, event: cart_updated}
workflow:
  start: pause
  blocks:
    pause:
      type: time_delay
      duration: PT1H
      next: nowhere
---
kind: segment
key: odd
name: Odd
conditions:
  attribute: {field: plan, operator: resembles, value: pro}
"""


class Line:
    """The command line, pointed at one workspace."""

    def __init__(self, stack: StackDescription, key: str) -> None:
        self._variables = {"SOJOURN_URL": stack.api_url, "SOJOURN_KEY": key, "COLUMNS": "160"}

    async def __call__(self, *arguments: str, status: int = 0, **variables: str) -> str:
        """What a command printed on both ways; it has to end with this status."""
        printed = io.StringIO()
        given = patch.dict(os.environ, {**self._variables, **variables})
        with given, contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            ended = await asyncio.to_thread(main, list(arguments))
        assert ended == status, printed.getvalue()
        return printed.getvalue()

    async def json(self, *arguments: str) -> Any:
        """What a command printed for machines."""
        return json.loads(await self(*arguments, "--json"))


@pytest.fixture
def line(stack: StackDescription, sandbox: Workspace) -> Line:
    return Line(stack, sandbox.app_key)


async def test_a_folder_is_applied_and_applied_again(line: Line, tmp_path: Path) -> None:
    assert "17 documents, all valid" in await line("validate", str(SHOP))
    dry = await line("apply", str(SHOP), "--dry-run")
    assert "+ campaign welcome" in dry
    assert "nothing was written" in dry
    assert "17 created" in await line("apply", str(SHOP), "--wait")
    assert "17 unchanged" in await line("apply", str(SHOP))
    copy = tmp_path / "shop"
    copy.mkdir()
    (copy / "cart.yaml").write_text((SHOP / "cart.yaml").read_text().replace("duration: P1D", "duration: P2D"))
    changed = await line("apply", str(copy))
    assert "~ campaign cart-reminder  revision 2" in changed
    assert '/workflow/blocks/a-day/duration  "P1D" -> "P2D"' in changed
    answer = await line.json("apply", str(copy))
    assert [change["action"] for change in answer["changes"]] == ["unchanged"]


async def test_what_is_wrong_has_file_and_line(line: Line, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN)
    for verb in ("validate", "apply"):
        printed = await line(verb, str(tmp_path), status=1)
        assert f"{tmp_path}/broken.yaml:11 campaign broken /workflow/blocks/pause/next: unknown_block" in printed
        assert f"{tmp_path}/broken.yaml:17 segment odd /conditions/attribute/operator: enum" in printed
    assert "Nothing was written" in printed
    assert (await line.json("campaign", "list"))["definitions"] == []


async def test_a_campaign_from_start_to_a_letter(line: Line, sandbox: Workspace) -> None:
    await line("apply", str(SHOP))
    assert "Campaign planner is running" in await line("campaign", "start", "planner")
    assert "invalid_state" in await line("campaign", "start", "planner", status=1)
    assert "not_found" in await line("campaign", "start", "nothing", status=1)
    await sandbox.identify("lea", email="lea@example.com")
    await sandbox.track("lea", "planner_started", {"square_metres": 12})
    assert "settled" in await line("clock", "settle")
    (journey,) = (await line.json("journeys", "list", "--campaign", "planner"))["journeys"]
    assert journey["position"]["block"] == "first-bed"
    assert "first-bed until" in await line("journeys", "list")
    assert (await line.json("clock", "show"))["now"] == START
    report = await line.json("clock", "advance", "P3D")
    assert report["now"] == START + 3 * 86400
    shown = await line("journeys", "show", journey["id"])
    assert "finished (exit_block)" in shown
    assert "path later" in shown
    assert "Shall we draw it for you?" in await line("mailbox", "list", "--to", "lea@example.com")
    (first, _) = (await line.json("mailbox", "list", "--to", "lea@example.com"))["messages"]
    assert "Subject:          One bed is enough for a start" in await line("mailbox", "show", first["id"])
    assert "\nSubject: One bed" in await line("mailbox", "show", first["id"], "--source")
    person = await line("people", "show", "lea@example.com", "--by", "email")
    assert "planner_stage" in person
    assert "quiet" in person
    assert "Campaign planner is stopped" in await line("campaign", "stop", "planner", "--exit")


async def test_a_journey_is_ended_by_hand(line: Line, sandbox: Workspace) -> None:
    await line("apply", str(SHOP))
    await line("campaign", "start", "cart-reminder")
    await sandbox.identify("carla", email="carla@example.com")
    await sandbox.track("carla", "cart_updated", {"items": [{"name": "Lavender"}]})
    await sandbox.settle()
    (journey,) = (await line.json("journeys", "list"))["journeys"]
    assert "Ended" in await line("journeys", "end", journey["id"])
    assert (await line.json("journeys", "show", journey["id"]))["journey"]["reason"] == "manual"
    assert "not_found" in await line("journeys", "show", "01ARZ3NDEKTSV4RRFFQ69G5FAV", status=1)


async def test_many_journeys_are_counted_ended_and_exported(line: Line, sandbox: Workspace, tmp_path: Path) -> None:
    await line("apply", str(SHOP))
    await line("campaign", "start", "cart-reminder")
    for person in ("carla", "cem", "cleo"):
        await sandbox.identify(person, email=f"{person}@example.com")
        await sandbox.track(person, "cart_updated", {"items": [{"name": "Lavender"}]})
    await sandbox.settle()
    found = (await line.json("journeys", "blocks", "cart-reminder"))["blocks"]
    (block,) = [block["key"] for block in found if block["standing"] == 3]
    assert "3 started, 3 under way, 0 finished" in await line("journeys", "blocks", "cart-reminder")
    (one, *_) = (await line.json("journeys", "list"))["journeys"]
    assert "--yes" in await line("journeys", "end-many", "--campaign", "cart-reminder", status=1)
    assert "Ended 1 journey." in await line("journeys", "end-many", one["id"], "--yes")
    printed = await line("journeys", "end-many", "--campaign", "cart-reminder", "--block", block, "--yes")
    assert "Ended 2 journeys." in printed
    await sandbox.settle()
    assert "3 left early" in await line("journeys", "blocks", "cart-reminder")
    assert "unknown_reference" in await line("journeys", "end-many", "--campaign", "nowhere", "--yes", status=1)
    out = tmp_path / "journeys.csv"
    await line("export", "journeys", "--campaign", "cart-reminder", "--state", "exited_early", "--out", str(out))
    assert out.read_text().count("manually removed") == 3


async def test_wrong_keys_and_times_are_sentences(line: Line) -> None:
    wrong = await line("clock", "show", status=1, SOJOURN_KEY="wrong")
    assert "--key" in wrong
    assert "how far" in await line("clock", "advance", status=1)
    assert "(in_the_past)" in await line("clock", "advance", "--to", "1", status=1)
    assert "/by" in await line("clock", "advance", "soon", status=1)


async def test_workspaces_by_name(stack: StackDescription) -> None:
    account = Line(stack, stack.admin_token)
    made = await account.json("workspaces", "create", "By name", "--sandbox", "--now", str(START))
    assert made["workspace"]["sandbox"] is True
    assert "By name" in await account("workspaces", "list")
    assert (await account.json("clock", "show", "-w", "by name"))["now"] == START
    assert "There is no workspace" in await account("clock", "show", "-w", "nobody", status=1)
    assert "shown again" in await account("workspaces", "create", "Another")


async def test_repair_has_nothing_to_do_when_all_is_well(
    stack: StackDescription, line: Line, sandbox: Workspace
) -> None:
    await line("apply", str(SHOP))
    await line("campaign", "start", "planner")
    await sandbox.track("lea", "planner_started", {"square_metres": 12})
    await sandbox.settle()
    variables = {"SOJOURN_DATABASE_URL": stack.database_url, "SOJOURN_TEMPORAL_ADDRESS": stack.temporal_address}
    printed = await line("journeys", "repair", "--workspace-id", str(sandbox.id), **variables)
    assert "1 journey under way, 0 workflows started anew." in printed
