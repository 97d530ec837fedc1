"""What looks every hour for things whose time is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from services.expiry import expire_files
from services.expiry_anonymous import expire
from services.expiry_answers import expire_answers
from services.expiry_broadcasts import expire_triggers
from store.database import Database

logger = logging.getLogger("sojourn.expiry")

EVERY: Final = 3600.0


class Expirer:
    """Deletes what has expired: anonymous facts, remembered ids and answers, files."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until told to stop, beginning at once."""
        while not stop.is_set():
            try:
                await expire(self._db, self._clock())
                await expire_answers(self._db, self._clock())
                await expire_triggers(self._db, self._clock())
                files = await expire_files(self._db, self._clock())
                if files:
                    logger.info("Files that had expired are deleted.", extra={"files": files})
            except Exception:
                logger.exception("deleting what has expired failed; trying again in an hour")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await stop.wait()


__all__ = ["Expirer"]
