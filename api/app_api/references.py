"""What a path of the App API names: an integer id, or a key of ours."""

from __future__ import annotations

import re
from typing import Final

from domain.errors import DomainError

_KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ID: Final = re.compile(r"[0-9]{1,19}")


def named(text: str, what: str = "id") -> str | int:
    """The key or the id that a path parameter means; raises DomainError `invalid_parameter` for what can be neither (APP-05)."""
    if _ID.fullmatch(text):
        return int(text)
    if _KEY.fullmatch(text):
        return text
    raise DomainError("invalid_parameter", f"This is no {what}.")


__all__ = ["named"]
