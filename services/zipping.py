"""ZIP archives written piece by piece, without holding them."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import IO

_FIRST_YEAR = 1980


class _Sink(io.RawIOBase):
    """A place to write to that cannot be gone back in; what was written is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held


class Zip:
    """An archive under way; every call returns the bytes that are ready. `made_at` is when its files were made."""

    def __init__(self, made_at: datetime) -> None:
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._made_at = made_at
        self._open: IO[bytes] | None = None

    def begin(self, name: str) -> None:
        """Begin a file."""
        at = self._made_at
        about = zipfile.ZipInfo(name, (max(at.year, _FIRST_YEAR), at.month, at.day, at.hour, at.minute, at.second))
        about.compress_type = zipfile.ZIP_DEFLATED
        self._open = self._archive.open(about, "w", force_zip64=True)

    def add(self, data: bytes) -> bytes:
        """Go on with the file."""
        assert self._open is not None, "a file was begun"
        self._open.write(data)
        return self._sink.taken()

    def end_file(self) -> bytes:
        """End the file."""
        assert self._open is not None, "a file was begun"
        self._open.close()
        self._open = None
        return self._sink.taken()

    def end(self) -> bytes:
        """End the archive."""
        self._archive.close()
        return self._sink.taken()


__all__ = ["Zip"]
