"""Manual segments in a running product: who waits on them, who enters by them, what emptying them does (PPL-43)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.live import START, Workspace, campaign, email, on_event, on_match
from tests.support.moments import ended, only_journey, segments, standing, subjects, timeline

VIP = {"kind": "segment", "key": "vip", "name": "VIP", "type": "manual"}
OUT = {"segment": {"key": "vip", "inverse": True}}
WAIT = {"type": "wait_until", "paths": [{"key": "out", "conditions": OUT, "next": "bye"}]}
PATIENT = campaign("patient", on_event("begin"), "wait", {"wait": WAIT, "bye": email("Out")})
DELAY = {"delay": {"type": "time_delay", "duration": "P9D"}}
MEMBERS = campaign("members", on_match({"segment": "vip"}), "delay", DELAY, exit="filters")


async def change(workspace: Workspace, word: str, *people: str) -> None:
    number = (await workspace.get("/v1/segments/vip"))["segment"]["id"]
    path = f"/api/v1/segments/{number}/{word}_customers"
    answer = await workspace.client.post(path, json={"ids": list(people)}, headers=workspace.track_auth)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text
    await workspace.settle()


async def clear(workspace: Workspace, **body: Any) -> None:
    task = await workspace.call("POST", "/v1/segments/vip/clear", body, 202)
    await workspace.settle()
    assert (await workspace.get(f"/v1/tasks/{task['id']}"))["state"] == "succeeded"


async def held(workspace: Workspace) -> None:
    """Ann is a member, in a campaign for members, and waits in another until she is none."""
    await workspace.define(VIP, PATIENT, MEMBERS)
    await workspace.start("patient")
    await workspace.start("members")
    await workspace.identify("ann", email="ann@example.com")
    await change(workspace, "add", "ann")
    await workspace.track("ann", "begin")
    await workspace.settle()
    assert standing(await only_journey(workspace, campaign="patient"))[0] == "wait"
    assert standing(await only_journey(workspace, campaign="members"))[0] == "delay"


async def test_ppl_case_30_a_clearing_moves_on_who_waits_only_where_that_is_asked(sandbox: Workspace):
    await held(sandbox)
    await clear(sandbox)
    assert await segments(sandbox, "ann") == set()
    assert standing(await only_journey(sandbox, campaign="patient"))[0] == "wait"
    assert ended(await only_journey(sandbox, campaign="members")) == ("exited_early", "trigger", START)
    assert await sandbox.mailbox() == []
    await clear(sandbox, update_campaign_journeys=True)
    assert await subjects(sandbox) == ["Out"]
    assert ended(await only_journey(sandbox, campaign="patient"))[0] == "finished"


async def test_ppl_case_30_a_clearing_with_signals(sandbox: Workspace):
    await held(sandbox)
    await clear(sandbox, update_campaign_journeys=True)
    assert await segments(sandbox, "ann") == set()
    assert await subjects(sandbox) == ["Out"]
    assert ended(await only_journey(sandbox, campaign="members")) == ("exited_early", "trigger", START)
    left = [entry for entry in await timeline(sandbox, "ann", "segment") if entry["data"]["change"] == "left"]
    assert [entry["name"] for entry in left] == ["vip"]


@pytest.mark.parametrize("word", ["add", "remove"])
async def test_who_is_moved_by_hand_is_moved_at_once(sandbox: Workspace, word: str):
    await held(sandbox)
    await change(sandbox, word, "ann")
    assert await subjects(sandbox) == ([] if word == "add" else ["Out"])


async def test_ppl_43_adding_again_starts_nobody_again(sandbox: Workspace):
    await held(sandbox)
    await change(sandbox, "remove", "ann")
    await change(sandbox, "add", "ann")
    assert len(await sandbox.journeys(campaign="members")) == 1
