"""A stack whose every call is traced, whose logs say all they have to say, and a collector that sees the spans."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from settings import TracingSettings
from stack.services import on_free_ports, temporary_data_dir
from stack.supervisor import Stack
from tests.faults.deployment import Deployment, Received, deployed
from tests.support.eventually import eventually
from tests.support.otlp_collector import Collector, Kept, collecting

KEY = "x-api-key=collector-key"


@dataclass
class Observed:
    """The deployment, and all that is to be seen of it from outside."""

    deployment: Deployment
    collector: Collector

    @property
    def logs(self) -> Path:
        return self.deployment.stack.settings.data_dir / "logs"

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the logs of our processes."""
        names = ("api", "worker-ingest", "worker-journeys")
        texts = [(self.logs / f"{name}.log").read_text() for name in names]
        return [json.loads(line) for text in texts for line in text.splitlines() if line.startswith("{")]

    async def trace(self, trace: str, *names: str) -> dict[str, Kept]:
        """The spans of these names, one each, once the collector has them all."""

        async def look() -> bool:
            return set(names) <= self.collector.of_trace(trace).keys()

        await eventually(look, f"spans {names} of {trace}; there are {list(self.collector.of_trace(trace))}", 20)
        found = self.collector.of_trace(trace)
        assert all(len(found[name]) == 1 for name in names), {name: len(found[name]) for name in names}
        return {name: found[name][0] for name in names}

    async def figures(self) -> dict[str, str]:
        """What `/metrics` of each process says, by the process."""
        stack = self.deployment.stack.describe()
        found = {}
        async with httpx.AsyncClient() as http:
            for name, url in {"api": stack.api_url, **self.workers}.items():
                answer = await http.get(f"{url}/metrics")
                assert answer.status_code == 200
                found[name] = answer.text
        return found

    @property
    def workers(self) -> dict[str, str]:
        """Where each worker answers, as its log says."""
        found = {}
        for name in ("worker-ingest", "worker-journeys"):
            lines = [json.loads(line) for line in (self.logs / f"{name}.log").read_text().splitlines()]
            found[name] = f"http://127.0.0.1:{[line['port'] for line in lines if 'port' in line][-1]}"
        return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def observed() -> AsyncIterator[Observed]:
    """One for all tests of this folder."""
    received = Received()
    with temporary_data_dir() as data_dir:
        async with collecting() as collector:
            tracing = TracingSettings(
                endpoint=collector.url, sample=1, headers=KEY, attributes="deployment.environment.name=test"
            )
            settings = on_free_ports(data_dir).with_changes(tracing=tracing, log_level="debug")
            stack = Stack(settings, headless=True, fsync=False, on_message=received.record)
            async with deployed(stack, received) as running:
                yield Observed(running, collector)
