"""Sender: who a message comes from (MSG-18)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, StrictBool, field_validator, model_validator

from domain.definitions.base import Definition, Surroundings, Template, default_as_well
from domain.documents import Refusal, refused
from domain.errors import Problem

_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_LIQUID = re.compile(r"\{\{|\{%")


def is_address(text: str) -> bool:
    """Whether a text has the form of one email address."""
    return _ADDRESS.fullmatch(text) is not None


class SenderDefinition(Definition):
    """Who mail or text messages come from: an email identity or a telephone number.

    `name` is the display name of an email identity; it, the address and the number may hold Liquid. A `phone` is a number,
    the id of a messaging service, or an alphanumeric sender.
    """

    configures: ClassVar[bool] = True

    kind: Literal["sender"]
    email: str | None = Field(default=None, min_length=1)
    phone: str | None = Field(default=None, min_length=1)
    default: StrictBool = False
    hidden: StrictBool = False

    @field_validator("email")
    @classmethod
    def _an_address(cls, email: str) -> str:
        if not is_address(email) and _LIQUID.search(email) is None:
            raise refused(Refusal("format", "Write one address like team@example.com, or Liquid.", (), email))
        return email

    @model_validator(mode="after")
    def _one_of_both(self) -> SenderDefinition:
        if self.email is None and self.phone is None:
            raise refused(Refusal("required", "Give an email address, or a phone number to write from.", ("email",)))
        if self.email is not None and self.phone is not None:
            message = "A sender has an email address or a phone number: make two of it."
            raise refused(Refusal("not_applicable", message, ("phone",), self.phone))
        return self

    def templates(self) -> Iterator[Template]:
        """The address or number, and the display name."""
        if self.email is not None:
            yield Template("/email", self.email)
        if self.phone is not None:
            yield Template("/phone", self.phone)
        if self.name is not None:
            yield Template("/name", self.name)

    def warnings(self, around: Surroundings, /) -> Iterator[Problem]:
        """Two defaults of the same sort."""
        others = [other for other in around.others(self.kind, self.key) if isinstance(other, SenderDefinition)]
        rivals = [other.key for other in others if other.default and (other.phone is None) == (self.phone is None)]
        if self.default and rivals:
            yield default_as_well(rivals[0])
