"""The file that a call names its recipients by: fetched to the disk as fast as it comes, then read by the page (CHN-19)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import IO, Any, Final

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


async def pages(file: IO[bytes]) -> AsyncIterator[tuple[list[Entry], int]]:
    """The entries of a file by the page, each with how many bytes were read by then."""
    entries: list[Entry] = []
    number, read, began = 0, 0, 0
    while True:
        line, size = _next(file)
        if not size:
            break
        number, read = number + 1, read + size
        entry = (number, None) if line is None else read_line(number, line)
        if entry is not None:
            entries.append(entry)
        if number % YIELD_AFTER == 0:
            await asyncio.sleep(0)
        if len(entries) >= PAGE or read - began >= PAGE_BYTES:
            yield entries, read
            entries, began = [], read
    yield entries, read


def _next(file: IO[bytes]) -> tuple[bytes | None, int]:
    """The next line, None for one that is too long to be looked at, and its size; 0 at the end."""
    line = file.readline(LONGEST_LINE)
    size = len(line)
    if size < LONGEST_LINE or line.endswith(b"\n"):
        return line, size
    while rest := file.readline(LONGEST_LINE):
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


__all__ = ["PAGE", "DownloadFailed", "download", "entries_of", "pages"]
