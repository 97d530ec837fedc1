"""What can be wrong, in words a caller can act on."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Stage = Literal["save", "start"]


class Referent(BaseModel):
    """One document that refers to another, with the JSON Pointer of the reference."""

    model_config = ConfigDict(frozen=True)

    kind: str
    key: str
    pointer: str = ""


class Problem(BaseModel):
    """One thing wrong with an input: a stable code, the JSON Pointer of the field, and a sentence saying what to do.

    `stage="start"` marks what a draft may still lack but a start (or a save of a running campaign) refuses.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    pointer: str = ""
    message: str
    stage: Stage = "save"
    referents: tuple[Referent, ...] = ()


class DomainError(Exception):
    """A refusal with a stable code; `api/errors.py` holds the one table from code to HTTP status."""

    def __init__(self, code: str, message: str, pointer: str = "", referents: tuple[Referent, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer
        self.referents = referents

    @property
    def problems(self) -> list[Problem]:
        """The refusal as a list of problems, for the common error envelope."""
        return [Problem(code=self.code, pointer=self.pointer, message=self.message, referents=self.referents)]


class InvalidInput(DomainError):
    """An input with one or more problems, all reported at once (HTTP 422)."""

    def __init__(self, problems: list[Problem]) -> None:
        if not problems:
            msg = "InvalidInput needs at least one problem"
            raise ValueError(msg)
        super().__init__(problems[0].code, problems[0].message, problems[0].pointer)
        self._problems = problems

    @property
    def problems(self) -> list[Problem]:
        """Everything found wrong, in document order."""
        return self._problems


class NotFound(DomainError):
    """A named thing does not exist in this workspace (HTTP 404)."""

    def __init__(self, what: str, name: str | int) -> None:
        super().__init__("not_found", f"There is no {what} {name!r} in this workspace.")
