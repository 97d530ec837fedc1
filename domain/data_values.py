"""How data blocks name the values they write: literals, paths, Liquid, JavaScript, kept as data (ACT-21).

Computing them takes a renderer and lives elsewhere; what a rendered text means as a value is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from domain.documents import Document, Refusal, refused
from domain.lookups import Lookup
from domain.values import read_json


class StaticValue(Document):
    """A literal written out, the only way to give an object."""

    nullable: ClassVar[frozenset[str]] = frozenset({"static"})

    static: Any


class LiquidValue(Document):
    """A template; what it renders is read by `read_rendered`."""

    liquid: str = Field(min_length=1)


class JavascriptValue(Document):
    """A function body; its return value is taken as it is."""

    javascript: str = Field(min_length=1)


_FORMS: Final[Mapping[str, type[Document]]] = {
    "static": StaticValue,
    "from": Lookup,
    "liquid": LiquidValue,
    "javascript": JavascriptValue,
}
_SHAPES = 'an object value is {"static": ...}, {"from": path}, {"liquid": template} or {"javascript": body}'


def _read(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, Document) or not isinstance(value, dict):
        return value
    form = _FORMS.get(next(iter(value))) if len(value) == 1 else None
    if form is None:
        raise refused(Refusal("type", f"Not a value: {_SHAPES}.", (), value))
    return form.model_validate(value)


Value = Annotated[
    StaticValue | Lookup | LiquidValue | JavascriptValue | str | int | float | bool | list[Any] | None,
    WrapValidator(_read),
]
"""One value of a data block, as authored."""


def roots_of(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The names of `values` that are paths, each with the root its path starts from."""
    for name, value in values.items():
        if isinstance(value, Lookup):
            yield name, value.root


def read_rendered(text: str) -> Any:
    """What a rendered template means: trimmed, JSON where it is JSON, else text; None for `null` and nothing (ACT-21)."""
    trimmed = text.strip()
    if not trimmed:
        return None
    try:
        return read_json(trimmed)
    except (ValueError, RecursionError):
        return trimmed
