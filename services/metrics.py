"""Totals and names that many transactions change at once: folded by the worker, exact for whoever reads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from store import data_names
from store import metrics as store
from store.database import Connection, Database

logger = logging.getLogger("sojourn.metrics")

EVERY = 1.0
PAGE = 20_000


async def totals(conn: Connection, workspace_id: int, kind: str, ref_id: int) -> dict[str, int]:
    """The totals of one thing, by metric; changes that are not folded yet are counted."""
    return (await store.totals(conn, workspace_id, kind, [ref_id])).get(ref_id, {})


async def fold_once(db: Database) -> int:
    """Fold what there is of totals and of names, page by page; returns how many changes."""
    return await _fold_all(db, store.fold) + await _fold_all(db, data_names.fold)


async def _fold_all(db: Database, fold: Callable[[Connection, int], Awaitable[int]]) -> int:
    folded = 0
    while True:
        async with db.transaction() as conn:
            page = await fold(conn, PAGE)
        folded += page
        if page < PAGE:
            return folded


class MetricFolder:
    """Folds changes into totals and into the data index every second."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self, stop: asyncio.Event) -> None:
        """Fold until told to stop."""
        while not stop.is_set():
            try:
                await fold_once(self._db)
            except Exception:
                logger.exception("folding failed; the changes stay and are folded later")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await stop.wait()


__all__ = ["MetricFolder", "fold_once", "totals"]
