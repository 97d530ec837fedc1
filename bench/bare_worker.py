"""The process that runs bare workflows: `python -m bench.bare_worker ADDRESS NAMESPACE`."""

from __future__ import annotations

import asyncio
import signal
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from bench.bare_workflow import QUEUE, BareWorkflow, bare_activity


async def _main(address: str, namespace: str) -> None:
    client = await Client.connect(address, namespace=namespace)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with Worker(client, task_queue=QUEUE, workflows=[BareWorkflow], activities=[bare_activity]):
        await told.wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:3]))
