"""How a command fails: what happened, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Failure(Exception):
    """A command cannot do what it was asked to; ends it with status 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Refused(Failure):
    """The server understood the call and refused it; `errors` are its reasons as it sent them."""

    def __init__(self, status: int, errors: Sequence[dict[str, Any]], hint: str = "") -> None:
        message = errors[0].get("message", "") if errors else ""
        super().__init__(message or f"The server answered with status {status}.", hint)
        self.status = status
        self.errors = list(errors)

    @property
    def codes(self) -> set[str]:
        """The codes of the reasons."""
        return {str(error.get("code", "")) for error in self.errors}
