"""The programs of the real Temporal server: built once, both of them, or said what is missing."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from stack.process import StackError
from stack.temporal_server_binaries import MODULE, PACKAGES, VERSION, ServerBinaries, server_binaries
from tests.unit.stack.test_temporal import GO, program


def quiet() -> Console:
    return Console(file=io.StringIO())


async def test_both_are_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = program(tmp_path / "bin" / "go", GO)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    found = await asyncio.gather(*[server_binaries(tmp_path / "cache", quiet()) for _ in range(3)])
    folder = tmp_path / "cache" / "temporal-server" / VERSION
    assert set(found) == {ServerBinaries(folder / "temporal-server", folder / "temporal-sql-tool")}
    assert (tmp_path / "bin" / "go.builds").read_text() == "run\n" * 2
    assert {file.name for file in folder.iterdir()} == {"temporal-server", "temporal-sql-tool", "lock"}


async def test_without_go_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=rf"server {VERSION} from its Go module.*Install Go 1\.25"):
        await server_binaries(tmp_path, quiet())


def test_the_module_pins_the_version_and_the_programs() -> None:
    text = (MODULE / "go.mod").read_text()
    assert f"go.temporal.io/server v{VERSION}" in text
    assert all(package in text for package in PACKAGES.values())
