"""Language model: ask one, and keep what it answers as attributes (ACT-34)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from domain.blocks.base import DataBlock, pointer_to
from domain.documents import NonEmpty, NonEmptyText
from domain.effects import Act
from domain.errors import Problem
from domain.llm_fields import LlmField

_NOBODY: Final = "Nobody travels this campaign: keep the fields on the journey."


class LlmBlock(DataBlock):
    """The prompt, who is asked, and the fields of the answer; the journey waits for it."""

    calls_out: ClassVar[bool] = True
    person_at: ClassVar[tuple[str, ...]] = ("fields",)

    type: Literal["llm"]
    provider: NonEmptyText
    model: NonEmptyText
    prompt: str
    fields_: Annotated[tuple[LlmField, ...], NonEmpty] = Field(alias="fields")

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The prompt."""
        yield ("prompt",), self.prompt

    def needs_person(self) -> str | None:
        """Whoever keeps fields as a customer's attributes needs one."""
        return _NOBODY if any(field.target == "customer" for field in self.fields_) else None

    def check(self, pointer: str, _trigger_type: str | None, /) -> Iterator[Problem]:
        """Names that were given to a field before."""
        names = [field.name for field in self.fields_]
        for index, name in enumerate(names):
            if name in names[:index]:
                at = pointer_to(pointer, "fields", index, "name")
                yield Problem(code="duplicate", pointer=at, message=f"Another field is called '{name}' already.")

    def action(self) -> Act:
        """Ask."""
        return Act(action="llm")


__all__ = ["LlmBlock"]
