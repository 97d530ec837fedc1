"""The fingerprint of the workflow code: names, shapes and recorded ways; and that frozen histories stay what they are."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from tests.workflows import fingerprints, kept
from tests.workflows.engine import bytes_of
from tests.workflows.recording import PERSON, WAYS
from tests.workflows.test_replay import commands_of

WRITING = os.environ.get("SOJOURN_FINGERPRINTS") == "1"


def recorded() -> dict[str, dict[str, list[str]]]:
    """What each recorded way asks for, by the folder it stands in."""
    folders: dict[str, dict[str, list[str]]] = {}
    for file in kept.files():
        folders.setdefault(file.parent.name, {})[file.stem] = commands_of(file)
    return folders


@pytest.fixture(scope="module", autouse=True)
def written() -> None:
    """Where that is asked for, write names, shapes and recorded ways anew before they are compared."""
    if WRITING:
        fingerprints.save({"names": fingerprints.standing(), "recorded": recorded()})


def test_names_and_shapes_are_what_histories_hold():
    differs = fingerprints.changed_names(fingerprints.load()["names"], fingerprints.standing())
    assert differs == [], fingerprints.told([*differs, f"Of what is harmless: {fingerprints.AGAIN}."])


def test_recorded_ways_ask_for_what_their_fingerprint_says():
    assert fingerprints.load()["recorded"] == recorded(), "histories were recorded: `make fingerprints`"


def test_the_file_holds_every_way_and_no_other():
    assert fingerprints.load()["now"].keys() == WAYS.keys()


@pytest.mark.parametrize("version", kept.FROZEN)
def test_frozen_histories_are_what_was_released(version: str):
    kept.verify(version)


@pytest.mark.parametrize("file", kept.files(), ids=lambda file: f"{file.parent.name}-{file.stem}")
async def test_a_recorded_history_holds_nothing_personal(file: Path):
    document = kept.read(file)
    held = bytes_of(WorkflowHistory.from_json(document["workflow_id"], document["history"]))
    for value in (PERSON.encode(), b"@example.com", b"Ann", b"Traceback"):
        assert value not in held


def test_every_released_version_is_frozen():
    assert kept.versions() == sorted(kept.FROZEN)
    assert "v0.1" in kept.FROZEN


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recorded histories in a place where they may be spoilt."""
    shutil.copytree(kept.FOLDER, tmp_path / "histories")
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "histories")
    monkeypatch.setattr(kept, "COMING", tmp_path / "histories" / "next")
    return tmp_path / "histories" / "v0.1"


def test_what_was_altered_removed_or_added_is_named(copied: Path):
    kept.verify("v0.1")
    file = copied / "still_waiting.json"
    whole = file.read_text()
    file.write_text(whole + "\n")
    with pytest.raises(kept.FrozenError, match=r"still_waiting\.json was altered"):
        kept.verify("v0.1")
    file.unlink()
    with pytest.raises(kept.FrozenError, match=r"still_waiting\.json was removed"):
        kept.verify("v0.1")
    file.write_text(whole)
    (copied / "another.json").write_text(whole)
    with pytest.raises(kept.FrozenError, match=r"another\.json was added"):
        kept.verify("v0.1")
    (copied / kept.MANIFEST).write_text("{}")
    with pytest.raises(kept.FrozenError, match="manifest is not the one"):
        kept.verify("v0.1")
    (copied / kept.MANIFEST).unlink()
    with pytest.raises(kept.FrozenError, match="manifest is gone"):
        kept.verify("v0.1")


def test_recording_goes_to_the_version_to_come_until_that_is_frozen(copied: Path, monkeypatch: pytest.MonkeyPatch):
    written = kept.write("new_way", "journey/1", {"events": []})
    assert written == copied.parent / "next" / "new_way.json"
    kept.verify("v0.1")
    monkeypatch.setitem(kept.FROZEN, "v0.2", kept.freeze("v0.2"))
    kept.verify("v0.2")
    assert kept.versions() == ["v0.1", "v0.2"]
    assert [file.parent.name for file in kept.files() if file.stem == "new_way"] == ["v0.2"]
    with pytest.raises(kept.FrozenError, match="frozen already"):
        kept.freeze("v0.2")


def changed(**paths: Any) -> list[str]:
    """What is told when names and shapes change; each path is replaced, or removed where it is None."""
    known = fingerprints.standing()
    now = copy.deepcopy(known)
    for path, value in paths.items():
        *parents, last = path.split("__")
        place = now
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return fingerprints.changed_names(known, now)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ({"constants__WAKE_SIGNAL": "look"}, "DANGER: WAKE_SIGNAL was 'wake' and is 'look'"),
        ({"constants__OUTCOME": "outcome: TEXT"}, "DANGER: OUTCOME was 'outcome: KEYWORD'"),
        ({"activities__advance": None}, "DANGER: there is no activity advance"),
        ({"workflows__journey__signals": []}, "DANGER: workflow journey: signals"),
        ({"workflows__journey__signal wake": ["why"]}, "DANGER: workflow journey: signal wake"),
        ({"shapes__StepResult__due_at": None}, "DANGER: StepResult.due_at was removed or renamed"),
        ({"shapes__TaskRef": None}, "DANGER: there is no type TaskRef"),
        ({"shapes__JourneyRef__entry": {"type": "string", "required": True}}, "new and required"),
        ({"shapes__StepResult__kind": {"type": "string", "required": True}}, "DANGER: StepResult.kind"),
        ({"shapes__JourneyRef__entry": {"type": "string", "required": False}}, "harmless: JourneyRef.entry is new"),
        ({"workflows__journey__queries": ["where"]}, "harmless: workflow journey: queries gained where"),
        ({"constants__NEW_QUEUE": "new"}, "harmless: NEW_QUEUE is a new name"),
    ],
)
def test_a_change_of_names_or_shapes_is_told_in_words(paths: dict[str, Any], words: str):
    (told,) = changed(**paths)
    assert words in told


def test_a_change_of_a_way_is_told_in_words():
    known = ["local activity advance", "timer", "complete"]
    assert fingerprints.changed_way("waiting", known, known) is None
    bare = fingerprints.changed_way("waiting", known, ["local activity advance", "activity hold on send", *known[1:]])
    assert bare is not None
    assert "behind `local activity advance` the code asked for `timer` and asks for `activity hold on send`" in bare
    assert "DANGER" in bare
    assert "docs/versioning-workflows.md" in bare
    patched = fingerprints.changed_way("waiting", known, ["local activity advance", "patch hold", "timer", "complete"])
    assert patched is not None
    assert "DANGER" not in patched
    assert "SOJOURN_RECORD_HISTORIES=1" in patched
    shorter = fingerprints.changed_way("waiting", known, known[:2])
    assert shorter is not None
    assert "asked for `complete` and asks for nothing more" in shorter
