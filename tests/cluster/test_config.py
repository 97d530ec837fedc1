"""The files in `deploy/temporal`, as the server itself reads them."""

from __future__ import annotations

import pytest

from settings import CHECKOUT, Settings
from stack.building import run
from stack.temporal_server_binaries import server_binaries

pytestmark = pytest.mark.cluster

FOLDER = "deploy/temporal"


async def said(*arguments: str, **environment: str) -> str:
    """What the server says, run from the checkout as docs/cluster.md has it."""
    binaries = await server_binaries(Settings().cache_dir)
    status, printed = await run([str(binaries.server), *arguments], cwd=CHECKOUT, environment=environment)
    assert status == 0, printed
    return printed


async def test_the_server_knows_every_limit_of_the_dynamic_file() -> None:
    printed = await said("validate-dynamic-config", f"{FOLDER}/dynamic.yaml")
    assert printed.split() == [f"{FOLDER}/dynamic.yaml"], "no error and no warning"


async def test_the_file_without_any_variable_is_a_whole_one() -> None:
    printed = await said("--config", FOLDER, "--env", "sojourn", "render-config", TEMPORAL_SQL_PASSWORD="p: #'\"1")
    for line in ("numHistoryShards: 512", "connectAddr: 127.0.0.1:5432", "grpcPort: 7233", "state: disabled"):
        assert line in printed, printed


async def test_every_machine_says_what_is_its_own() -> None:
    own = {
        "TEMPORAL_SHARDS": "2048",
        "TEMPORAL_SQL_ADDRESS": "db.internal:6432",
        "TEMPORAL_BROADCAST_ADDRESS": "10.0.0.7",
        "TEMPORAL_BIND_ADDRESS": "0.0.0.0",
        "TEMPORAL_METRICS_ADDRESS": "10.0.0.7:8000",
    }
    printed = await said("--config", FOLDER, "--env", "sojourn", "render-config", **own)
    assert all(value in printed for value in own.values()), printed
