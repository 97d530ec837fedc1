"""Histories of before replay against the code of now, and what runs now asks for what its fingerprint says.

With SOJOURN_RECORD_HISTORIES=1 new ways are recorded, with SOJOURN_FINGERPRINTS=1 (`make fingerprints`) fingerprints are
written anew; neither touches a frozen history.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.workflows import fingerprints, kept
from tests.workflows.engine import Flow
from tests.workflows.recording import BROADCASTS, LIVE, PERSON, SANDBOX, SENDS, TASKS, WAYS, Kept
from workflows.converter import DATA_CONVERTER
from workflows.runtime import WORKFLOWS, workflow_runner

RECORDING = os.environ.get("SOJOURN_RECORD_HISTORIES") == "1"
WRITING = os.environ.get("SOJOURN_FINGERPRINTS") == "1"


def replayer() -> Replayer:
    return Replayer(workflows=WORKFLOWS, workflow_runner=workflow_runner(), data_converter=DATA_CONVERTER)


@pytest_asyncio.fixture(scope="module", autouse=True, loop_scope="session")
async def seen() -> AsyncIterator[dict[str, list[str]]]:
    """What each way asked for now; written down afterwards where that is asked for."""
    ways: dict[str, list[str]] = {}
    yield ways
    if WRITING:
        fingerprints.save({"now": {**fingerprints.load().get("now", {}), **ways}})


@pytest.mark.parametrize("file", kept.files(), ids=lambda file: f"{file.parent.name}-{file.stem}")
async def test_a_recorded_history_replays(file: Path):
    document = kept.read(file)
    await replayer().replay_workflow(WorkflowHistory.from_json(document["workflow_id"], document["history"]))


def test_every_way_has_a_recorded_history():
    assert {file.stem for file in kept.files()} == WAYS.keys()


@pytest.mark.parametrize("name", SANDBOX)
async def test_what_runs_now_replays_in_a_sandbox(sandbox: Flow, name: str, seen: dict[str, list[str]]):
    await walk(sandbox, name, seen)


@pytest.mark.parametrize("name", LIVE)
async def test_what_runs_now_replays_in_real_time(live: Flow, name: str, seen: dict[str, list[str]]):
    await walk(live, name, seen)


@pytest.mark.parametrize("name", SENDS)
async def test_what_runs_now_replays_for_sends(sandbox: Flow, name: str, seen: dict[str, list[str]]):
    await walk(sandbox, name, seen)


@pytest.mark.parametrize("name", TASKS)
async def test_what_runs_now_replays_for_tasks(
    sandbox: Flow, name: str, seen: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.long_tasks.TURN_SECONDS", 0.0)
    monkeypatch.setattr("services.import_pages.QUEUE_PAGE", 40)
    await walk(sandbox, name, seen)


@pytest.mark.parametrize("name", BROADCASTS)
async def test_what_runs_now_replays_for_broadcasts(
    sandbox: Flow, name: str, seen: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.broadcasts.running.TURN_SECONDS", 0.0)
    await walk(sandbox, name, seen)


async def walk(flow: Flow, name: str, seen: dict[str, list[str]]) -> None:
    """Go a way: it replays, and asks for what the fingerprint says."""
    went = await WAYS[name](flow) or Kept((await flow.journey()).workflow_id)
    handle = flow.engine.gateway.client.get_workflow_handle(went.workflow_id, run_id=went.run_id)
    history = await handle.fetch_history()
    await replayer().replay_workflow(history)
    seen[name] = fingerprints.commands(history)
    if RECORDING and all(commands_of(file) != seen[name] for file in kept.frozen(name)):
        kept.write(name, went.workflow_id, history.to_json_dict())
    if not WRITING:
        differs = fingerprints.changed_way(name, fingerprints.load()["now"].get(name, []), seen[name])
        assert differs is None, fingerprints.told([differs])


def commands_of(file: Path) -> list[str]:
    document = kept.read(file)
    return fingerprints.commands(WorkflowHistory.from_json(document["workflow_id"], document["history"]))


async def test_a_history_holds_nothing_personal(sandbox: Flow):
    await SANDBOX["message_between_two_waits"](sandbox)
    kept = await sandbox.kept(await sandbox.journey())
    assert b"`mail`" in kept
    assert PERSON.encode() not in kept
    assert b"example.com" not in kept
