"""The disk under a local stack; how much room a PostgreSQL elsewhere has, only its machine knows."""

from __future__ import annotations

import shutil
from typing import Final

from services.doctor.finding import Finding, ok
from services.doctor.sight import Check, Sight

LOW, EMPTY = 2 * 2**30, 2**28


async def disk(sight: Sight) -> list[Finding]:
    """Free room where the local stack keeps its data."""
    folder = sight.deployment.data_dir
    if folder is None or not folder.exists():
        return [ok("disk", "no local stack keeps its data here")]
    free = shutil.disk_usage(folder).free
    summary = f"{free / 2**30:.1f} GiB are free under {folder}"
    if free > LOW:
        return [ok("disk", summary)]
    return [
        Finding(
            "disk",
            "failure" if free <= EMPTY else "warning",
            summary,
            "PostgreSQL and Temporal of the local stack write there.",
            "When the disk is full both stop, and calls are answered with 503.",
            f"du -xh --max-depth=2 {folder} | sort -h | tail",
            "disk",
        )
    ]


CHECKS: Final = (Check("disk", disk),)

__all__ = ["CHECKS"]
