"""The values of data blocks, computed from what a template of the same place would see (ACT-21)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.data_values import JavascriptValue, LiquidValue, StaticValue, read_rendered
from domain.lookups import Lookup
from rendering.errors import RenderError
from rendering.liquid import render


def compute(value: Any, context: Mapping[str, Any], now: datetime) -> Any:
    """The value an authored one stands for; None where a path leads nowhere or a template says nothing.

    Raises RenderError where a template fails: the block then fails as a whole.
    """
    if isinstance(value, StaticValue):
        return value.static
    if isinstance(value, Lookup):
        return _looked_up(value, context)
    if isinstance(value, LiquidValue):
        return read_rendered(render(value.liquid, context, now=now))
    if isinstance(value, JavascriptValue):
        raise RenderError("JavaScript values are not in this version")
    return value


def _looked_up(lookup: Lookup, context: Mapping[str, Any]) -> Any:
    root = context.get(lookup.root)
    found = lookup.path.read(root) if isinstance(root, Mapping) else ()
    return found[0] if found else None


__all__ = ["compute"]
