"""The Temporal server, its namespace and search attributes; and where its binary comes from."""

from __future__ import annotations

import asyncio
import io
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from stack.process import StackError
from stack.services import own_temporal, postgres_and_temporal
from stack.temporal import set_up
from stack.temporal_binary import BinarySearch
from workflows.namespace import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from pathlib import Path

NO_DOWNLOAD = (sys.executable, "-c", "raise SystemExit('offline')")
GO = """#!/bin/sh
case "$1" in
list) echo one; echo two ;;
build) echo one; echo run >>"$0.builds"
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\n' >"$2"; chmod 755 "$2" ;;
esac
"""


def program(file: Path, text: str = "#!/bin/sh\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def search(folder: Path, **changes: object) -> BinarySearch:
    return BinarySearch(folder / "cache", console=Console(file=io.StringIO()), **{"downloader": NO_DOWNLOAD, **changes})


@pytest.mark.stack
async def test_the_namespace_is_set_up_any_number_of_times(data_dir: Path) -> None:
    async with postgres_and_temporal(data_dir) as services:
        address = services.temporal_address
        client = await Client.connect(address, namespace="sojourn")

        async def state() -> tuple[timedelta, set[str]]:
            described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="sojourn"))
            listed = await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace="sojourn")
            )
            return described.config.workflow_execution_retention_ttl.ToTimedelta(), set(listed.custom_attributes)

        assert await state() == (timedelta(days=7), set(SEARCH_ATTRIBUTES))
        await set_up(address, "sojourn", timedelta(days=9))
        await asyncio.gather(*[set_up(address, "sojourn", timedelta(days=9)) for _ in range(3)])
        assert await state() == (timedelta(days=9), set(SEARCH_ATTRIBUTES))
        await set_up(address, "another", timedelta(days=2))

        assert services.temporal is not None
        await services.temporal.kill()
        await services.temporal.wait_ready()
        assert await state() == (timedelta(days=9), set(SEARCH_ATTRIBUTES))
        server = await own_temporal(services.settings)
        assert server.address == address


async def test_a_given_binary_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = program(tmp_path / "given")
    monkeypatch.setenv("PATH", str(program(tmp_path / "bin" / "temporal").parent))
    assert await search(tmp_path, given=given).find() == given


async def test_a_given_binary_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"SOJOURN_TEMPORAL_PATH names .*, which is not a program"):
        await search(tmp_path, given=tmp_path / "missing").find()


async def test_path_comes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = program(tmp_path / "bin" / "temporal")
    program(search(tmp_path).cached)
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert await search(tmp_path).find() == on_path


async def test_the_cache_comes_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cached = program(search(tmp_path).cached, "#!/bin/sh\necho cached\n")
    assert await search(tmp_path).find() == cached
    assert cached.read_text().endswith("cached\n")


async def test_the_download_comes_before_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = program(tmp_path / "bin" / "go", GO)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    fetch = "import pathlib, sys; pathlib.Path(sys.argv[2], 'temporal-' + sys.argv[1]).write_text('fetched')"
    found = await search(tmp_path, downloader=(sys.executable, "-c", fetch)).find()
    assert (found, found.read_text()) == (search(tmp_path).cached, "fetched")
    assert not (tmp_path / "bin" / "go.builds").exists()


async def test_the_build_comes_last_and_happens_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = program(tmp_path / "bin" / "go", GO)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    found = await asyncio.gather(*[search(tmp_path).find() for _ in range(3)])
    assert set(found) == {search(tmp_path).cached}
    assert (tmp_path / "bin" / "go.builds").read_text() == "run\n"
    assert {path.name for path in found[0].parent.iterdir()} == {"temporal", "lock"}


async def test_a_build_that_fails_shows_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = program(tmp_path / "bin" / "go", "#!/bin/sh\necho 'proxy refused'\nexit 1\n")
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    with pytest.raises(StackError, match=r"(?s)could not be built.*proxy refused"):
        await search(tmp_path).find()


async def test_with_no_way_left_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"Install the Temporal CLI .* or Go 1\.25\+"):
        await search(tmp_path).find()
