"""One line on standard error for each step of a run, with the seconds since its beginning."""

from __future__ import annotations

import sys
import time

_BEGAN = time.perf_counter()


def say(text: str) -> None:
    """Tell what is being done."""
    print(f"{time.perf_counter() - _BEGAN:7.1f} s  {text}", file=sys.stderr, flush=True)


__all__ = ["say"]
