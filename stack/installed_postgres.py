"""A PostgreSQL that the machine's package manager installed: it has the contrib modules that the embedded one lacks."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.process import StackError

LEAST = 15
EXTENSION = "btree_gin"
"""What the visibility tables of a Temporal server need; a trusted extension, so no superuser has to make it."""
DEBIAN = Path("/usr/lib/postgresql")
MISSING = (
    f"The cluster needs PostgreSQL {LEAST} or later with its contrib modules ({EXTENSION}); the embedded one has none. "
    "On Debian and Ubuntu: `sudo apt-get install postgresql` (the server that comes with it may be off, the cluster "
    "starts one of its own). Elsewhere: put its `pg_config` on PATH."
)


@dataclass(frozen=True)
class InstalledPostgres:
    """Where the programs of an installed PostgreSQL are, and which one it is."""

    binaries: Path
    version: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(self.version.split(".")[0])


def find_postgres(debian: Path = DEBIAN) -> InstalledPostgres:
    """The newest one that will do; raises `StackError` saying how to install one."""
    places = [*debian.glob("*/bin")]
    if config := shutil.which("pg_config"):
        places.append(Path(_said([config, "--bindir"])))
    found = [postgres for place in places if (postgres := _look(place)) is not None]
    if not found:
        raise StackError(MISSING)
    return max(found, key=lambda postgres: postgres.major)


def _look(place: Path) -> InstalledPostgres | None:
    if not all((place / program).exists() for program in ("initdb", "postgres")):
        return None
    version = re.search(r"\d+(\.\d+)?", _said([str(place / "postgres"), "--version"]))
    if version is None:
        return None
    found = InstalledPostgres(place, version[0])
    return found if found.major >= LEAST and _has_extension(place) else None


def _has_extension(place: Path) -> bool:
    # As Debian lays it out: programs in lib/postgresql/15/bin, the rest in share/postgresql/15.
    shares = [place.parents[3] / "share" / "postgresql" / place.parent.name] if len(place.parents) > 3 else []
    if (config := place / "pg_config").exists():
        shares.append(Path(_said([str(config), "--sharedir"])))
    return any((share / "extension" / f"{EXTENSION}.control").exists() for share in shares)


def _said(program: list[str]) -> str:
    """What a program printed, nothing where it failed."""
    ended = subprocess.run(program, capture_output=True, text=True, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else ""


__all__ = ["MISSING", "InstalledPostgres", "find_postgres"]
