"""Text that can be kept: what neither the database nor a mail can hold falls away."""

from __future__ import annotations

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without what neither the database nor a mail can hold: U+0000 and lone surrogates."""
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("", text)


__all__ = ["storable"]
