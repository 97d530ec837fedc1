"""What is found wrong with a Pipelines message, or left out of it (API-18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from domain.errors import DomainError


class Fault(NamedTuple):
    """One reason not to take a message: the field, and a sentence, and the place of the message in a batch."""

    field: str
    message: str
    place: int | None = None


class Note(NamedTuple):
    """Something of a message that has no effect although the message was taken: a stable code, the field, a sentence."""

    code: str
    field: str
    message: str


class MessageRefused(DomainError):
    """A message that is not taken; nothing of it is stored."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("invalid_request", faults[0].message)
        self.faults = list(faults)


class Findings:
    """Collects while a message is read. A doubt is a fault to callers who asked for strictness, else a note."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.faults: list[Fault] = []
        self.notes: list[Note] = []

    def fault(self, field: str, message: str) -> None:
        """The message cannot be taken."""
        self.faults.append(Fault(field, message))

    def doubt(self, field: str, message: str, code: str = "invalid") -> None:
        """This part of the message cannot be used."""
        if self._strict:
            self.fault(field, message)
        else:
            self.note(code, field, message)

    def note(self, code: str, field: str, message: str) -> None:
        """This part of the message has no effect."""
        self.notes.append(Note(code, field, message))


__all__ = ["Fault", "Findings", "MessageRefused", "Note"]
