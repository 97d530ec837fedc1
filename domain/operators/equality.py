"""When two values are equal to conditions; shared by `eq` and `in`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from domain.values import as_number, text_form


@dataclass(frozen=True, slots=True)
class Sought:
    """One prepared operand: its text without case, and its number if it has one."""

    text: str
    number: float | None

    @classmethod
    def of(cls, operand: Any) -> Self:
        """The prepared form of an operand."""
        return cls(text_form(operand).casefold(), as_number(operand))

    def equals(self, text: str, number: float | None) -> bool:
        """Same text without regard to case, or the same number; booleans are the texts `true` and `false` (PPL-31)."""
        return text == self.text or (number is not None and number == self.number)
