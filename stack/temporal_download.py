"""Downloads the Temporal server the way the SDK does: `python -m stack.temporal_download VERSION FOLDER`."""

from __future__ import annotations

import asyncio
import sys

from temporalio.testing import WorkflowEnvironment


async def download(version: str, folder: str) -> None:
    """Leave the binary of that version in the folder; the server that the SDK starts on the way is ended."""
    environment = await WorkflowEnvironment.start_local(
        dev_server_download_version=version, download_dest_dir=folder, dev_server_log_level="error"
    )
    await environment.shutdown()


if __name__ == "__main__":
    asyncio.run(download(*sys.argv[1:]))
