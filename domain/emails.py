"""What counts as an email address when one names a person (PPL-06)."""

from __future__ import annotations

import re
from functools import lru_cache

_DISPLAY = re.compile(r"[^<>]*<([^<>]*)>\s*")
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\".]+(?:\.[^\s@<>()\[\]\\,;:\".]+)*")
_LABEL = re.compile(r"[^\W_]+(?:-+[^\W_]+)*")
MAX_BYTES = 254


@lru_cache(maxsize=4_096)
def bare_address(text: str) -> str | None:
    """The address in `local@domain` or `Display Name <local@domain>` as it was written, or None where there is none."""
    found = _DISPLAY.fullmatch(text)
    address = (found.group(1) if found else text).strip()
    local, at, domain = address.rpartition("@")
    if not at or len(address.encode(errors="replace")) > MAX_BYTES or _LOCAL.fullmatch(local) is None:
        return None
    if not any(char.isalnum() for char in local):
        return None
    return address if all(_LABEL.fullmatch(label) for label in domain.split(".")) else None


__all__ = ["bare_address"]
