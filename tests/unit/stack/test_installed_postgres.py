"""Which installed PostgreSQL a cluster takes, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.installed_postgres import InstalledPostgres, find_postgres
from stack.process import StackError


@pytest.fixture(autouse=True)
def _nothing_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def install(root: Path, version: str, *, extension: bool = True) -> Path:
    """Programs and modules as Debian's package lays them out; returns where its programs are."""
    major = version.split(".", maxsplit=1)[0]
    binaries = root / "lib" / "postgresql" / major / "bin"
    modules = root / "share" / "postgresql" / major / "extension"
    for folder in (binaries, modules):
        folder.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (binaries / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian {version}-1)'\n")
        (binaries / program).chmod(0o755)
    if extension:
        (modules / "btree_gin.control").touch()
    return binaries


def test_the_newest_that_will_do_is_taken(tmp_path: Path) -> None:
    install(tmp_path, "14.3")
    fits = install(tmp_path, "16.2")
    install(tmp_path, "15.7")
    install(tmp_path, "17.1", extension=False)
    found = find_postgres(tmp_path / "lib" / "postgresql")
    assert (found, found.major) == (InstalledPostgres(fits, "16.2"), 16)


def test_one_on_path_is_found_by_its_pg_config(tmp_path: Path) -> None:
    binaries = install(tmp_path / "own", "17.0", extension=False)
    share = tmp_path / "elsewhere"
    (share / "extension").mkdir(parents=True)
    (share / "extension" / "btree_gin.control").touch()
    script = f'#!/bin/sh\n[ "$1" = --bindir ] && echo {binaries} || echo {share}\n'
    for place in (tmp_path / "pg_config", binaries / "pg_config"):
        place.write_text(script)
        place.chmod(0o755)
    assert find_postgres(tmp_path / "none") == InstalledPostgres(binaries, "17.0")


@pytest.mark.parametrize(("version", "extension"), [("14.9", True), ("16.1", False)])
def test_one_that_will_not_do_is_as_none(tmp_path: Path, version: str, extension: bool) -> None:
    install(tmp_path, version, extension=extension)
    with pytest.raises(StackError, match=r"PostgreSQL 15 or later .*btree_gin.* `sudo apt-get install postgresql`"):
        find_postgres(tmp_path / "lib" / "postgresql")
