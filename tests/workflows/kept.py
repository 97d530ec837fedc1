"""Recorded histories: those of a released version are frozen, new ways go to the folder of the version to come.

`python -m tests.workflows.kept v0.2` turns the latter into a frozen one, when a version is released.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "histories"
COMING = FOLDER / "next"
"""Ways that no released version took."""
MANIFEST = "manifest.json"
FROZEN: dict[str, str] = {"v0.1": "7ea1a61ba78235bd12d32f102c1c8198b564f11bdb5174695af378f2ed8b795e"}
"""Released versions, each with the digest of its manifest."""


class FrozenError(Exception):
    """A frozen history was altered, removed or added."""


def versions() -> list[str]:
    """The versions that have a folder of frozen histories."""
    return sorted(manifest.parent.name for manifest in FOLDER.glob(f"*/{MANIFEST}"))


def files() -> list[Path]:
    """Every recorded history, frozen or not."""
    return sorted(file for file in FOLDER.glob("*/*.json") if file.name != MANIFEST)


def frozen(way: str) -> list[Path]:
    """The frozen histories of a way, oldest version first."""
    return [file for file in (FOLDER / version / f"{way}.json" for version in versions()) if file.exists()]


def read(file: Path) -> dict[str, Any]:
    """A recorded history with the id of its workflow."""
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def write(way: str, workflow_id: str, history: dict[str, Any]) -> Path:
    """Keep a history as one of the version to come; a frozen one is never written over."""
    file = COMING / f"{way}.json"
    if (COMING / MANIFEST).exists():
        raise FrozenError(f"{COMING.name}/ is frozen: histories of a released version are never recorded anew.")
    COMING.mkdir(exist_ok=True)
    file.write_text(json.dumps({"workflow_id": workflow_id, "history": history}, indent=1) + "\n")
    return file


def verify(version: str) -> None:
    """Raise `FrozenError` where the folder of a version is not as it was released."""
    folder = FOLDER / version
    manifest = folder / MANIFEST
    if not manifest.exists():
        raise FrozenError(
            f"{version}: its manifest is gone. Bring the folder back: `git checkout {version} -- {folder}`."
        )
    if digest(manifest) != FROZEN.get(version):
        raise FrozenError(f"{version}: its manifest is not the one that was released.")
    named: dict[str, str] = json.loads(manifest.read_text())["sha256"]
    there = {file.name: digest(file) for file in folder.glob("*.json") if file.name != MANIFEST}
    wrong = [f"{name} was removed" for name in named.keys() - there.keys()]
    wrong += [f"{name} was added" for name in there.keys() - named.keys()]
    wrong += [f"{name} was altered" for name, known in named.items() if there.get(name, known) != known]
    if wrong:
        raise FrozenError(
            f"{version} is frozen, because journeys with such histories are under way in the field: "
            f"{', '.join(sorted(wrong))}. Bring the files back, and make the code replay them (docs/versioning-workflows.md)."
        )


def freeze(version: str) -> str:
    """Turn the folder of the version to come into that of a released one; returns the digest for `FROZEN`."""
    folder = FOLDER / version
    if folder.exists():
        raise FrozenError(f"{version} is frozen already.")
    COMING.rename(folder)
    sums = {file.name: digest(file) for file in sorted(folder.glob("*.json"))}
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"version": version, "sha256": sums}, indent=1) + "\n")
    return digest(manifest)


def digest(file: Path) -> str:
    """What identifies the contents of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    print(f'Add to FROZEN in {Path(__file__).name}: "{sys.argv[1]}": "{freeze(sys.argv[1])}"')  # noqa: T201
