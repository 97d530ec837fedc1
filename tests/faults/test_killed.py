"""SIGKILL of each process of the stack under load: what was answered 2xx counts once, and nothing is stuck."""

from __future__ import annotations

import pytest

from tests.faults.scene import Scene
from tests.support.topology import kinds, topology

pytestmark = [pytest.mark.faults, pytest.mark.stack]

HANDING_OVER = ("worker-journeys", "worker-send", "postgres")
"""Who takes part while a message is in its provider's hands; no other death makes it ambiguous."""


@pytest.mark.parametrize("child", kinds(topology()))
async def test_a_killed_process_costs_nothing_that_was_answered(scene: Scene, child: str) -> None:
    stack = scene.deployment.stack
    async with scene.load():
        await scene.more(12)
        await stack.kill(child)
        await stack.wait_ready(child)
        await scene.more(12)
    ambiguous = await scene.verify()
    assert not ambiguous or child in HANDING_OVER
