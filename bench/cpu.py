"""Processor time by kind of process, which says where the time goes whatever else the machine does."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

import psutil

from stack.process import Child


def spent(children: Iterable[Child]) -> dict[str, float]:
    """Seconds that each of these processes, with what it started, has computed so far."""
    found: dict[str, float] = defaultdict(float)
    for child in children:
        if child.pid is None:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(child.pid)
            for process in (top, *top.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    found[child.name] += times.user + times.system
    return found


def each(before: Mapping[str, float], after: Mapping[str, float], count: int) -> str:
    """What one of so many things cost each process, the dearest first."""
    costs = {name: (value - before.get(name, 0.0)) / count for name, value in after.items()}
    dear = sorted(((cost, name) for name, cost in costs.items() if cost * count >= 0.01), reverse=True)
    scale, unit = (1e6, "us") if sum(costs.values()) < 0.005 else (1e3, "ms")
    return (
        ", ".join(
            f"{name} {cost * scale:,.0f}" if unit == "us" else f"{name} {cost * scale:.1f}" for cost, name in dear
        )
        + f" {unit}"
    )


__all__ = ["each", "spent"]
