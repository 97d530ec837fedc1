"""Snippet: a value that templates name, the same wherever they do (MSG-15, APP-16)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import StringConstraints, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from domain.definitions.base import Definition, Surroundings, Template
from domain.documents import Refusal, refused
from domain.errors import Problem
from domain.problems import pointer_of
from domain.values import read_json

LONGEST_NAME: Final = 150
LONGEST_VALUE: Final = 16_000
MOST_BYTES: Final = 5_000_000
"""How much all snippets of a workspace may be together."""


def text_of(value: Any) -> str:
    """The value as templates print it: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_value(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(value, str | dict | list):
        raise refused(Refusal("type", "A value is a text, an object or a list.", (), value))
    if len(text_of(value)) > LONGEST_VALUE:
        raise refused(Refusal("length", f"A value has at most {LONGEST_VALUE} characters.", (), None))
    return value


class SnippetDefinition(Definition):
    """A text that may hold Liquid, or data; `name` is what templates say, and the key where it is left out.

    The name stays: another name is another snippet.
    """

    unchanging: ClassVar[tuple[str, ...]] = ("name",)

    kind: Literal["snippet"]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]
    value: Annotated[Any, WrapValidator(_read_value)]

    @model_validator(mode="before")
    @classmethod
    def _named(cls, raw: Any) -> Any:
        return {**raw, "name": raw["key"]} if isinstance(raw, dict) and "name" not in raw and "key" in raw else raw

    @cached_property
    def size(self) -> int:
        """How many bytes the value has."""
        return len(text_of(self.value).encode(errors="surrogatepass"))

    def templates(self) -> Iterator[Template]:
        """The value, or the texts in the object that it is; Liquid inside a list stays as it is written."""
        said = _meant(self.value)
        if isinstance(said, str):
            yield Template("/value", said)
        elif isinstance(said, dict):
            for path, text in _texts(said):
                yield Template("/value" if isinstance(self.value, str) else pointer_of(("value", *path)), text)

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """A name that another snippet has, and values that are too much together."""
        others = [other for other in around.others(self.kind, self.key) if isinstance(other, SnippetDefinition)]
        rival = next((other for other in others if other.name == self.name), None)
        if rival is not None:
            message = f"The snippet '{rival.key}' has that name already."
            yield Problem(code="duplicate", pointer="/name", message=message)
        if sum(other.size for other in others) + self.size > MOST_BYTES:
            message = f"The snippets of a workspace have less than {MOST_BYTES} bytes together."
            yield Problem(code="length", pointer="/value", message=message)


def _meant(value: Any) -> Any:
    """What templates see: a text that is the JSON of an object or a list is that."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        found = read_json(value)
    except (ValueError, RecursionError):
        return value
    return found if isinstance(found, dict | list) else value


def _texts(said: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts of an object and of the objects in it."""
    for name, value in said.items():
        if isinstance(value, str):
            yield (*path, name), value
        elif isinstance(value, dict):
            yield from _texts(value, (*path, name))


__all__ = ["LONGEST_NAME", "LONGEST_VALUE", "MOST_BYTES", "SnippetDefinition", "text_of"]
