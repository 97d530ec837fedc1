"""Until when a certificate is good, read from its file: the one thing that is asked of it, and the ssl module does not tell."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_LONG: Final = 0x80


class _Part(NamedTuple):
    """One value of DER: its tag, its content, and where the next begins."""

    tag: int
    content: bytes
    end: int


def expiry_of(file: Path) -> datetime:
    """The last instant of the first certificate of a file of PEM; raises OSError or ValueError."""
    text = file.read_text()
    if _BEGIN not in text or _END not in text:
        raise ValueError("there is no certificate in it")
    body = text.split(_BEGIN, 1)[1].split(_END, 1)[0]
    try:
        return _not_after(ssl.PEM_cert_to_DER_cert(f"{_BEGIN}{body}{_END}\n"))
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError("its certificate is damaged") from error


def _not_after(der: bytes) -> datetime:
    """The second instant of `validity`, the fourth part of what is signed, or the fifth behind a version (RFC 5280)."""
    signed = _part(_part(der, 0).content, 0).content
    place = 0
    first = _part(signed, 0)
    if first.tag == _VERSION:
        place = first.end
    for _ in ("serial number", "algorithm", "issuer"):
        place = _part(signed, place).end
    validity = _part(signed, place).content
    until = _part(validity, _part(validity, 0).end)
    written = until.content.decode("ascii")
    pattern = "%y%m%d%H%M%SZ" if until.tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(written, pattern).replace(tzinfo=UTC)


def _part(der: bytes, at: int) -> _Part:
    tag, length, begin = der[at], der[at + 1], at + 2
    if length & _LONG:
        size = length & ~_LONG
        length, begin = int.from_bytes(der[begin : begin + size], "big"), begin + size
    return _Part(tag, der[begin : begin + length], begin + length)


__all__ = ["expiry_of"]
