"""Collection: rows that journeys look things up in (PPL-27). The stored document holds their digest, not the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from domain.collections import MOST_COLLECTIONS, Row, digest, problems_of
from domain.definitions.base import Definition, Name, Surroundings
from domain.documents import Document, Refusal, refused
from domain.errors import Problem
from domain.problems import split_pointer

LONGEST_URL: Final = 2000
_WEB = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)


class KeptRows(Document):
    """What stands in a stored document in place of the rows."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


def _read_data(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, KeptRows):
        return value
    if isinstance(value, dict) and set(value) == {"digest"}:
        return KeptRows.model_validate(value)
    problems = list(problems_of(value))
    if problems:
        raise refused(
            *(Refusal(p.code, p.message, tuple(_step(step) for step in split_pointer(p.pointer))) for p in problems)
        )
    return tuple(value)


def _step(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _read_url(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    url = handler(value)
    if _WEB.fullmatch(url) is None or len(url) > LONGEST_URL:
        raise refused(Refusal("url_invalid", "Write an address like https://example.com/courses.json.", (), value))
    return url


class CollectionDefinition(Definition):
    """Rows given as `data`, or fetched from a `url` when the document is written and whenever it is asked for."""

    kind: Literal["collection"]
    name: Name
    data: Annotated[tuple[Row, ...] | KeptRows | None, WrapValidator(_read_data)] = None
    url: Annotated[str, WrapValidator(_read_url)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.data is None and self.url is None:
            raise refused(Refusal("required", "Give the rows as data, or a url to fetch them from.", ("data",)))
        if self.data is not None and self.url is not None:
            raise refused(Refusal("not_applicable", "Give data or a url, not both.", ("url",), self.url))
        return self

    @property
    def rows(self) -> tuple[Row, ...] | None:
        """The rows that came with the document; None where it has a url, or was stored before."""
        return self.data if isinstance(self.data, tuple) else None

    @cached_property
    def kept(self) -> KeptRows | None:
        """What is stored in place of `data`; None where there is a url."""
        return KeptRows(digest=digest(self.data)) if isinstance(self.data, tuple) else self.data

    def wire(self, *, compact: bool = False) -> dict[str, Any]:
        """The canonical document as it is stored, with a digest of the rows in their place."""
        document = self.model_dump(mode="json", exclude_defaults=compact, exclude={"data"})
        return document if self.kept is None else {**document, "data": self.kept.model_dump()}

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """How many there are."""
        if len(around.others(self.kind, self.key)) >= MOST_COLLECTIONS:
            yield Problem(code="length", message=f"A workspace has at most {MOST_COLLECTIONS} collections.")


__all__ = ["CollectionDefinition", "KeptRows"]
