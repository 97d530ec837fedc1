"""The last step of a process that has spoken to Temporal."""

from __future__ import annotations

import contextlib
import sys
from os import _exit
from typing import NoReturn

CORE = "temporalio.bridge.temporal_sdk_bridge"


def leave(status: int) -> NoReturn:
    """End the process with this status.

    Threads of Temporal's client hand their last answers over while the interpreter is already being taken down, and that aborts
    the process (SIGABRT, after all work is done). So where the client was loaded, the interpreter is left as it stands.
    """
    if CORE not in sys.modules:
        sys.exit(status)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    _exit(status)


__all__ = ["leave"]
