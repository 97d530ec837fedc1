"""The data of an event that a block sends: a value for each name, or one template or script for the whole (ACT-21)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidatorFunctionWrapHandler, WrapValidator

from domain.data_values import JavascriptValue, LiquidValue, Value

_MAP: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Value])


def _read(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, LiquidValue | JavascriptValue) or not isinstance(value, dict):
        return value if isinstance(value, LiquidValue | JavascriptValue) else handler(value)
    for word, form in (("liquid", LiquidValue), ("javascript", JavascriptValue)):
        if word in value:
            return form.model_validate(value)
    return _MAP.validate_python(value)


AnyEventData = Annotated[Mapping[str, Value] | LiquidValue | JavascriptValue, WrapValidator(_read)]
"""A value for each name, or what gives the whole object."""

Path = tuple[str | int, ...]


def data_values(data: Mapping[str, Any] | LiquidValue | JavascriptValue | None) -> Iterator[tuple[Path, Any]]:
    """The values of the data, each with its path in the block: `data` itself where one gives the whole."""
    if isinstance(data, LiquidValue | JavascriptValue):
        yield ("data",), data
    for name, value in data.items() if isinstance(data, Mapping) else ():
        yield ("data", name), value


__all__ = ["AnyEventData", "data_values"]
