"""Turning traces on for a process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from telemetry import tracing


@contextlib.asynccontextmanager
async def traced(
    service: str,
    *,
    endpoint: str | None,
    sample: float,
    headers: Mapping[str, str],
    resource: Mapping[str, str],
) -> AsyncIterator[None]:
    """Record traces within the block, where there is a collector to have them and a part of calls that is recorded."""
    if endpoint is None or sample == 0:
        yield
        return
    from telemetry.spans import Recorder

    recorder = Recorder(service, endpoint=endpoint, sample=sample, headers=headers, resource=resource)
    tracing.use(recorder)
    try:
        yield
    finally:
        tracing.use(None)
        # In a thread: a collector that is away is waited for, and nothing else has to wait with us.
        await asyncio.to_thread(recorder.close)


__all__ = ["traced"]
