"""The code of the last release, taken from the history of this checkout."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final, NamedTuple

from settings import CHECKOUT

FILE: Final = CHECKOUT / "migrations" / "baseline"


class Baseline(NamedTuple):
    """The last release: its commit, and the newest revision of its schema."""

    commit: str
    revision: str


class HistoryMissing(Exception):
    """The history of this checkout does not reach back to the last release."""


def read() -> Baseline:
    """What `migrations/baseline` names."""
    lines = [line.split() for line in FILE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return Baseline(**dict(lines))


def extract(folder: Path, *, migrations: bool) -> Path:
    """Put the last release's files into a folder, with the migrations of this checkout instead of its own where asked.

    Raises `HistoryMissing`, and `ValueError` where the file that names the release contradicts it.
    """
    commit, revision = read()
    done = subprocess.run(
        ["git", "-C", str(CHECKOUT), "archive", "--format=tar", commit],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise HistoryMissing(
            f"The last release ({commit[:10]}) is not in the history of this checkout: `git fetch --unshallow`, or clone "
            f"without --depth. Git says: {done.stderr.decode(errors='replace').strip()}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    newest = max(path.stem for path in (folder / "migrations" / "versions").glob("*.py"))
    if newest != revision:
        raise ValueError(f"{FILE.name} says that {commit[:10]} is at {revision}, but its newest revision is {newest}.")
    if migrations:
        shutil.rmtree(folder / "migrations")
        shutil.copytree(CHECKOUT / "migrations", folder / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    # Its tests start programs of the environment they are in.
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


__all__ = ["Baseline", "HistoryMissing", "extract", "read"]
