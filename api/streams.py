"""Bodies too large to be held: taken in piece by piece, up to a limit that counts after decompression."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

from fastapi import Request

from domain.errors import DomainError

_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_STEP: Final = 256 * 1024


async def pieces(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it was before compression; raises DomainError `too_large`, `unsupported_media_type`, `invalid_parameter`."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity") and encoding not in _WINDOWS:
        raise DomainError("unsupported_media_type", "Send the body as it is, or with gzip or deflate.")
    size = 0
    async for piece in _plain(request) if encoding not in _WINDOWS else _unpacked(request, _WINDOWS[encoding]):
        size += len(piece)
        if size > limit:
            raise DomainError("too_large", f"The body is larger than {limit} bytes.")
        yield piece


async def _plain(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        if piece:
            yield piece


async def _unpacked(request: Request, window: int) -> AsyncIterator[bytes]:
    """What was packed, in one part or in several one behind the other, as tools that pack in parallel write it."""
    unpacker = zlib.decompressobj(window)
    try:
        async for packed in request.stream():
            rest, full = packed, False
            # Where a piece is as long as it may be, there may be more of it though nothing is left to be read.
            while rest or full:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(window)
                piece = unpacker.decompress(rest, _STEP)
                if piece:
                    yield piece
                full = len(piece) == _STEP and not unpacker.eof
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        complete = unpacker.eof
    except zlib.error:
        complete = False
    if not complete:
        raise DomainError("invalid_parameter", "The body is not what its Content-Encoding says.")


__all__ = ["pieces"]
