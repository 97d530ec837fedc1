"""Keeping refused calls for the Data In log (API-15, API-40): the beginning of each, and never more than a process can bear."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from store import rejections as store
from store.database import Database

logger = logging.getLogger("sojourn.api")

BODY_BYTES: Final = 1024
MOST_ERRORS: Final = 20
MOST_CHARACTERS: Final = 300
MOST_PER_SECOND: Final = 50
_SECOND: Final = timedelta(seconds=1)


async def note(
    db: Database,
    workspace_id: int,
    *,
    source: str,
    path: str,
    status: int,
    errors: Sequence[str],
    body: bytes,
    at: datetime,
) -> None:
    """Keep a refused call with the first KB of its body; `at` is real time."""
    async with db.transaction() as conn:
        await store.insert(
            conn,
            workspace_id,
            source=source,
            path=beginning(path.encode(errors="replace")),
            status=status,
            errors=[plain(error)[:MOST_CHARACTERS] for error in errors[:MOST_ERRORS]],
            body=beginning(body),
            at=at,
        )


def beginning(body: bytes) -> str:
    """The first KB as text that the database takes: what is no UTF-8 is replaced, a character cut in two is left out."""
    text = body[:BODY_BYTES].decode(errors="replace")
    if len(body) > BODY_BYTES:
        text = text.rstrip("\ufffd")
    return plain(text)


def plain(text: str) -> str:
    """Text without what no database keeps: U+0000 and lone surrogates."""
    return text.replace("\x00", "").encode(errors="replace").decode()


class Rejections:
    """Keeps refused calls of one process, so many a second; the others are counted, and the count is logged."""

    def __init__(self, db: Database, most: int = MOST_PER_SECOND) -> None:
        self._db = db
        self._most = most
        self._second: datetime | None = None
        self._kept = 0
        self.dropped = 0

    async def note(
        self,
        workspace_id: int,
        *,
        source: str,
        path: str,
        status: int,
        errors: Sequence[str],
        body: bytes,
        at: datetime,
    ) -> None:
        """Keep the call if there is room; a failure to keep it is nobody's failure but ours."""
        if self._second is None or at - self._second >= _SECOND:
            self._begin(at)
        if self._kept >= self._most:
            self.dropped += 1
            return
        self._kept += 1
        try:
            await note(self._db, workspace_id, source=source, path=path, status=status, errors=errors, body=body, at=at)
        except Exception as error:  # noqa: BLE001 - the caller hears of its own mistake, not of ours
            logger.warning("A refused call could not be kept (%s).", type(error).__name__)

    def _begin(self, at: datetime) -> None:
        if self.dropped:
            logger.info("Refused calls that were not kept: %s.", self.dropped)
        self._second, self._kept, self.dropped = at, 0, 0


__all__ = ["BODY_BYTES", "MOST_PER_SECOND", "Rejections", "beginning", "note"]
