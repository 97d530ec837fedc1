"""The health check of containers: its status for every answer, and for none."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

import probe
from observability import Answer, HealthEndpoint
from settings import CHECKOUT
from tests.api.conftest import free_port


@pytest.mark.parametrize(
    ("path", "words"),
    [("/ready", None), ("/late", 'answers 503: {"status": "not_ready"}'), ("/nothing", "answers 404")],
)
async def test_it_tells_what_the_endpoint_answers(path: str, words: str | None) -> None:
    async def ready() -> Answer:
        return Answer(200, b"{}")

    async def late() -> Answer:
        return Answer(503, b'{"status": "not_ready"}')

    endpoint = HealthEndpoint("127.0.0.1", 0, {"/ready": ready, "/late": late})
    port = await endpoint.start()
    found = await asyncio.to_thread(probe.problem, f"http://127.0.0.1:{port}{path}")
    await endpoint.stop()
    assert (found is None) == (words is None)
    assert (words or "") in (found or "")


def test_nobody_there_is_no_health() -> None:
    found = probe.problem(f"http://127.0.0.1:{free_port()}/ready")
    assert found is not None
    assert "does not answer" in found


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["ftp://here"], 1), (["http://127.0.0.1:1/"], 1)])
def test_as_a_command_it_needs_nothing_but_python(arguments: list[str], status: int) -> None:
    program = [sys.executable, "-I", "-S", str(CHECKOUT / "probe.py"), *arguments]
    ended = subprocess.run(program, check=False, capture_output=True, text=True)
    assert ended.returncode == status
    assert len(ended.stderr.splitlines()) == 1
