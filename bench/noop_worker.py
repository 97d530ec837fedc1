"""One of our workers whose captured messages go nowhere: `python -m bench.noop_worker --roles journeys,send`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar, cast

import channels
import worker
from channels.base import HandingOver, Outgoing, Outside, Receipt
from channels.capture import CaptureOptions


class NoopSender:
    """Takes every message and forgets it, but for its key where a folder for these is named by BENCH_TAKEN."""

    def __init__(self) -> None:
        folder = os.environ.get("BENCH_TAKEN")
        # Written unbuffered, so that a killed process has noted everything that it took.
        name = None if folder is None else Path(folder) / f"taken-{os.getpid()}"
        self._noted = None if name is None else name.open("ab", buffering=0)

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Answer as a provider does that is infinitely fast."""
        await handing_over()
        if self._noted is not None:
            self._noted.write(f"{outgoing.key}\n".encode())
        return Receipt("250 2.0.0 Forgotten", events=("delivered",))

    async def close(self) -> None:
        """Nothing is open."""


class NoopChannel:
    """Stands in for capture."""

    kind: ClassVar[str] = "capture"
    channel: ClassVar[str] = "email"
    idempotent: ClassVar[bool] = True
    Options: ClassVar[type[CaptureOptions]] = CaptureOptions

    def normalise(self, address: str) -> str:
        """Any address will do."""
        return address

    def open(self, _options: CaptureOptions, _outside: Outside) -> NoopSender:
        """A sender into nowhere."""
        return NoopSender()


if __name__ == "__main__":
    cast("dict[str, Any]", channels.CHANNELS)["capture"] = NoopChannel()
    worker.main()
