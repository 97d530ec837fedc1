"""Histories of before replay against the code of now; with SOJOURN_RECORD_HISTORIES=1 they are recorded anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.workflows.engine import Flow
from tests.workflows.recording import BROADCASTS, FOLDER, LIVE, PERSON, SANDBOX, TASKS
from workflows.converter import DATA_CONVERTER
from workflows.runtime import WORKFLOWS, workflow_runner

RECORDING = os.environ.get("SOJOURN_RECORD_HISTORIES") == "1"


def replayer() -> Replayer:
    return Replayer(workflows=WORKFLOWS, workflow_runner=workflow_runner(), data_converter=DATA_CONVERTER)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
async def test_a_recorded_history_replays(file: Path):
    document = read(file)
    await replayer().replay_workflow(WorkflowHistory.from_json(document["workflow_id"], document["history"]))


def test_every_way_has_a_recorded_history():
    assert {
        file.stem for file in FOLDER.glob("*.json")
    } >= SANDBOX.keys() | LIVE.keys() | TASKS.keys() | BROADCASTS.keys()


@pytest.mark.parametrize("name", SANDBOX)
async def test_what_runs_now_replays_in_a_sandbox(sandbox: Flow, name: str):
    await SANDBOX[name](sandbox)
    await check(sandbox, name)


@pytest.mark.parametrize("name", LIVE)
async def test_what_runs_now_replays_in_real_time(live: Flow, name: str):
    await LIVE[name](live)
    await check(live, name)


@pytest.mark.parametrize("name", TASKS)
async def test_what_runs_now_replays_for_tasks(sandbox: Flow, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.long_tasks.TURN_SECONDS", 0.0)
    await keep(sandbox, name, await TASKS[name](sandbox))


@pytest.mark.parametrize("name", BROADCASTS)
async def test_what_runs_now_replays_for_broadcasts(sandbox: Flow, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.broadcasts.running.TURN_SECONDS", 0.0)
    await keep(sandbox, name, await BROADCASTS[name](sandbox))


async def test_a_history_holds_nothing_personal(sandbox: Flow):
    await SANDBOX["message_between_two_waits"](sandbox)
    kept = await sandbox.kept(await sandbox.journey())
    assert b"`mail`" in kept
    assert PERSON.encode() not in kept
    assert b"example.com" not in kept


def read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


async def check(flow: Flow, name: str) -> None:
    await keep(flow, name, (await flow.journey()).workflow_id)


async def keep(flow: Flow, name: str, workflow_id: str) -> None:
    history = await flow.engine.gateway.client.get_workflow_handle(workflow_id).fetch_history()
    await replayer().replay_workflow(history)
    if RECORDING:
        document = {"workflow_id": workflow_id, "history": history.to_json_dict()}
        (FOLDER / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
