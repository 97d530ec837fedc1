"""Layout: what stands around the body of an email (MSG-16)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import StrictBool, field_validator, model_validator

from domain.definitions.base import Definition, Name, Surroundings, Template, default_twice
from domain.documents import Refusal, refused
from domain.errors import Problem

_CONTENT = re.compile(r"\{\{-?\s*content\s*-?\}\}")


class LayoutDefinition(Definition):
    """HTML with `{{ content }}` where the message goes.

    An archived one goes on standing around the messages that name it, and no other can name it.
    """

    kind: Literal["layout"]
    name: Name
    body: str
    default: StrictBool = False
    archived: StrictBool = False

    @field_validator("body")
    @classmethod
    def _holds_content(cls, body: str) -> str:
        if _CONTENT.search(body) is None:
            raise refused(Refusal("format", "A layout has to say {{ content }} where the message goes.", (), None))
        return body

    @model_validator(mode="after")
    def _default_is_there(self) -> Self:
        if self.default and self.archived:
            message = "The default layout cannot be archived: make another the default first."
            raise refused(Refusal("not_applicable", message, ("archived",), self.archived))
        return self

    def templates(self) -> Iterator[Template]:
        """The body."""
        yield Template("/body", self.body)

    def warnings(self, around: Surroundings, /) -> Iterator[Problem]:
        """Two defaults."""
        yield from default_twice(self, around)
