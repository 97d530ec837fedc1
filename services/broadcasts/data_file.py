"""The file that a call names its recipients by: fetched to the disk as fast as it comes, then read by the page (CHN-19)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import IO, Any, Final, NamedTuple

from domain.broadcasts.entries import read_entry
from services.broadcasts.entries import Entry, read_line
from services.fetching import FetchFailed, opened
from store.database import Database
from store.workspaces import WorkspaceRow

MOST_BYTES: Final = 1_000_000_000
SECONDS: Final = 60.0
HOPS: Final = 3
PAUSES: Final = (1.0, 3.0)
"""Between one attempt and the next, where the server may be better by then."""
LONGEST_LINE: Final = 10_000_000
PAGE: Final = 5_000
PAGE_BYTES: Final = 4_000_000
YIELD_AFTER: Final = 100
PIECE: Final = 1_000_000


class DownloadFailed(Exception):
    """Why the file is not there, as the error report says it."""


async def download(db: Database, workspace: WorkspaceRow, url: str, into: IO[bytes], *, allow_private: bool) -> None:
    """Write the file to the disk; raises DownloadFailed."""
    for pause in (*PAUSES, None):
        try:
            await _download(db, workspace, url, into, allow_private=allow_private)
        except FetchFailed as error:
            if pause is None or not error.passing:
                raise DownloadFailed(_words(error)) from None
            # The rules of a sandbox answer the same a moment later.
            await asyncio.sleep(0.0 if workspace.sandbox else pause)
        else:
            return


async def _download(db: Database, workspace: WorkspaceRow, url: str, into: IO[bytes], *, allow_private: bool) -> None:
    into.seek(0)
    into.truncate()
    async with opened(
        db, workspace, url, limit=MOST_BYTES, allow_private=allow_private, seconds=SECONDS, hops=HOPS
    ) as stream:
        async for piece in stream.pieces:
            into.write(piece)
    into.seek(0)


class Mark(NamedTuple):
    """How far a file was read: so many lines and bytes, which have this digest."""

    lines: int = 0
    size: int = 0
    digest: str = hashlib.sha256().hexdigest()


NOTHING_READ: Final = Mark()


class Reading:
    """A file that is read by the page, from where an earlier reading of the same file has left off."""

    def __init__(self, file: IO[bytes], mark: Mark = NOTHING_READ) -> None:
        self._file = file
        self._mark = mark
        self._seen = hashlib.sha256()

    async def goes_on(self) -> bool:
        """Move behind what was read before; False, and back to the beginning, where the file has become another."""
        left = self._mark.size
        while left and (piece := self._file.read(min(left, PIECE))):
            self._seen.update(piece)
            left -= len(piece)
            await asyncio.sleep(0)
        if not left and self._seen.hexdigest() == self._mark.digest:
            return True
        self._file.seek(0)
        self._mark, self._seen = NOTHING_READ, hashlib.sha256()
        return False

    async def pages(self) -> AsyncIterator[tuple[list[Entry], Mark]]:
        """The entries by the page, each with how far the file was read by then."""
        entries: list[Entry] = []
        number, read, began = self._mark.lines, self._mark.size, self._mark.size
        while True:
            line, size = self._next()
            if not size:
                break
            number, read = number + 1, read + size
            entry = (number, None) if line is None else read_line(number, line)
            if entry is not None:
                entries.append(entry)
            if number % YIELD_AFTER == 0:
                await asyncio.sleep(0)
            if len(entries) >= PAGE or read - began >= PAGE_BYTES:
                yield entries, Mark(number, read, self._seen.hexdigest())
                entries, began = [], read
        yield entries, Mark(number, read, self._seen.hexdigest())

    def _next(self) -> tuple[bytes | None, int]:
        """The next line, None for one that is too long to be looked at, and its size; 0 at the end."""
        line = self._file.readline(LONGEST_LINE)
        self._seen.update(line)
        size = len(line)
        if size < LONGEST_LINE or line.endswith(b"\n"):
            return line, size
        while rest := self._file.readline(LONGEST_LINE):
            self._seen.update(rest)
            size += len(rest)
            if rest.endswith(b"\n"):
                break
        return None, size


def entries_of(listed: list[Any]) -> list[Entry]:
    """The entries that stand in the call itself."""
    return [(number, read_entry(raw)) for number, raw in enumerate(listed, start=1)]


def _words(error: FetchFailed) -> str:
    if error.status is None:
        return f"failed to download data file: {error}"
    try:
        phrase = f" {HTTPStatus(error.status).phrase}"
    except ValueError:
        phrase = ""
    return f"failed to download data file, server responded with code {error.status}{phrase}"


__all__ = ["PAGE", "DownloadFailed", "Mark", "Reading", "download", "entries_of"]
