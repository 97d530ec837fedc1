"""Sender: who a message comes from (MSG-18)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, StrictBool, field_validator

from domain.definitions.base import Definition, Surroundings, Template, default_twice
from domain.documents import Refusal, refused
from domain.errors import Problem

_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_LIQUID = re.compile(r"\{\{|\{%")


def is_address(text: str) -> bool:
    """Whether a text has the form of one email address."""
    return _ADDRESS.fullmatch(text) is not None


class SenderDefinition(Definition):
    """An email identity; `name` is the display name, and both it and the address may hold Liquid."""

    configures: ClassVar[bool] = True

    kind: Literal["sender"]
    email: str = Field(min_length=1)
    phone: Any = None
    default: StrictBool = False
    hidden: StrictBool = False

    @field_validator("phone")
    @classmethod
    def _email_only(cls, phone: Any) -> Any:
        raise refused(Refusal("not_applicable", "Senders of this version have an email address only.", (), phone))

    @field_validator("email")
    @classmethod
    def _an_address(cls, email: str) -> str:
        if not is_address(email) and _LIQUID.search(email) is None:
            raise refused(Refusal("format", "Write one address like team@example.com, or Liquid.", (), email))
        return email

    def templates(self) -> Iterator[Template]:
        """The address and the display name."""
        yield Template("/email", self.email)
        if self.name is not None:
            yield Template("/name", self.name)

    def warnings(self, around: Surroundings, /) -> Iterator[Problem]:
        """Two defaults."""
        yield from default_twice(self, around)
