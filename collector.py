"""How often a process looks for unreachable objects: rarely, and never among what lives as long as it does."""

from __future__ import annotations

import gc

YOUNG = 20_000
OLDER = 20
"""After how many new objects the young are looked through, and after how many times of that those that remained."""


def relax() -> None:
    """For processes that have loaded their code: batches make many objects, and almost none of them in circles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)


__all__ = ["relax"]
