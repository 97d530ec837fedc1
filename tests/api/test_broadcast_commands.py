"""The commands `sojourn broadcasts ...` against a served API: what they print and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
from typing import Any
from unittest.mock import patch

import pytest

from console.app import main
from tests.support.triggering import NEWS, Triggering


class Line(Triggering):
    """Broadcasts of a workspace, and the command line pointed at it."""

    async def __call__(self, *arguments: str, status: int = 0) -> str:
        """What a command printed on both ways; it has to end with this status."""
        workspace = self.workspace
        variables = {"SOJOURN_URL": str(workspace.http.base_url), "SOJOURN_KEY": workspace.app_key, "COLUMNS": "160"}
        printed = io.StringIO()
        with (
            patch.dict(os.environ, variables),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            ended = await asyncio.to_thread(main, ["broadcasts", *arguments])
        assert ended == status, printed.getvalue()
        return printed.getvalue()


@pytest.fixture
def line(workspace) -> Line:
    return Line(workspace)


async def test_from_the_first_start_to_the_last_stop(line):
    assert "No broadcasts." in await line("list")
    await line.define(NEWS, start=False)
    assert "draft" in await line("list")
    assert "Broadcast news is running." in await line("start", "news")
    assert "Nobody has triggered news yet." in await line("status", "news", status=1)
    assert "No triggers." in await line("triggers", "news")
    printed = await line("trigger", "news", "--data", '{"headline": "H"}')
    assert f"Trigger {line.ids['news']}-1 queued" in printed
    (row,) = await line.stored()
    assert (row["audience"], row["data"]) == ({}, {"headline": "H"})
    await line.become(1, "sending", processed_at=row["created_at"], recipients_count=10, position=4)
    assert "4 of 10 recipients seen to" in await line("status", "news")
    assert "Trigger 1 of news: sending, paused" in await line("pause", "news")
    assert "Trigger 1 of news: sending" in await line("resume", "news", "1")
    assert "the trigger is not paused" in (await line("resume", "news", status=1)).lower()
    assert "--yes" in await line("cancel", "news", status=1)
    assert "cancelled" in await line("cancel", "news", "--yes")
    assert "cancelled" in await line("triggers", "news")
    assert "Broadcast news is stopped." in await line("stop", "news")


async def test_whom_it_is_for(line, tmp_path):
    await line.define(NEWS)
    await line.people(ann="ann@example.com")
    printed = await line("trigger", "news", "--ids", "ann, bob", status=1)
    assert "the following ids are missing: bob" in printed
    answer: dict[str, Any] = json.loads(await line("trigger", "news", "--ids", "ann,bob", "--ignore-missing", "--json"))
    assert answer["audience"] == "ids"
    await line.wait(10)
    await line("trigger", "news", "--emails", "ann@example.com")
    await line.wait(10)
    lines = tmp_path / "people.jsonl"
    lines.write_text('{"id": "ann", "data": {"voucher": "A"}}\n\n{"email": "b@example.com"}\n')
    await line("trigger", "news", "--file", str(lines))
    kept = [row["audience"] for row in await line.stored()]
    assert kept[2]["emails"] == ["ann@example.com"]
    entries = [{"id": "ann", "data": {"voucher": "A"}}, {"email": "b@example.com", "data": {}}]
    assert kept[3]["per_user_data"] == entries


async def test_what_cannot_be_read_is_told(line, tmp_path):
    await line.define(NEWS)
    for data in ("{", "[]", f"@{tmp_path}/nothing.json"):
        assert "--data is no JSON" in await line("trigger", "news", "--data", data, status=1)
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"id": "ann"}\n{\n')
    assert "line 2" in await line("trigger", "news", "--file", str(broken), status=1)
    assert "cannot be read" in await line("trigger", "news", "--file", str(tmp_path / "none"), status=1)
    assert await line.stored() == []
    whole = tmp_path / "data.json"
    whole.write_text('{"headline": "H"}')
    await line("trigger", "news", "--data", f"@{whole}")
    assert (await line.stored())[0]["data"] == {"headline": "H"}


async def test_errors_are_shown_with_the_status(line):
    await line.define(NEWS)
    await line.trigger({"per_user_data": [7] * 30})
    printed = await line("status", "news", "1", status=1)
    assert "line 20: couldn't parse json data" in printed
    assert "and 10 more" in printed
    assert "line 30" in await line("status", "news", "--limit", "50", status=1)


async def test_waiting_for_a_trigger_that_is_paused_ends(line):
    await line.define(NEWS)
    await line.accepted()
    await line("pause", "news")
    assert "queued, paused" in await line("status", "news", "--wait")


async def test_a_name_with_brackets_is_printed_as_it_is(line):
    await line.define({**NEWS, "name": "[/b] [red]Sale[/red] \x1b[31m"}, start=False)
    assert "[/b] [red]Sale[/red]" in await line("list")
