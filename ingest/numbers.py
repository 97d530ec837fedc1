"""Internal numbers for the people whom a batch may create."""

from __future__ import annotations

from store import people
from store.database import Connection


class Numbers:
    """As many as a batch may need are fetched at once, more where that was not enough."""

    def __init__(self, conn: Connection, expected: int = 1) -> None:
        self._conn = conn
        self._expected = expected
        self._left: list[int] = []

    async def next(self) -> int:
        """A number that nobody has."""
        if not self._left:
            self._left = (await people.new_ids(self._conn, max(1, self._expected)))[::-1]
            self._expected = 1
        return self._left.pop()


__all__ = ["Numbers"]
