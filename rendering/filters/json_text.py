"""Values as JSON text and back (MSG-11, MSG-14)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from liquid import Environment
from liquid.exceptions import FilterError
from liquid.undefined import Undefined

from domain.values import read_json
from rendering.filters.inputs import number_in
from rendering.printing import printed


def to_json(value: Any, indent: Any = None) -> str:
    """A value as JSON, its shape and the types of its items kept."""
    spaces = int(number_in(indent) or 0)
    try:
        if 0 < spaces <= 10:
            return json.dumps(value, ensure_ascii=False, indent=spaces, default=_plain)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    except (ValueError, RecursionError):
        raise FilterError("the value cannot be written as JSON", token=None) from None


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) and not isinstance(value, Undefined) else printed(value)


def from_json(value: Any) -> Any:
    """The value of a JSON text; what is a value already stays."""
    if not isinstance(value, str):
        return value
    try:
        return read_json(value)
    except (ValueError, RecursionError):
        raise FilterError("The text is no JSON", token=None) from None


def register(env: Environment) -> None:
    """Add them."""
    env.add_filter("to_json", to_json)
    env.add_filter("json", to_json)
    env.add_filter("from_json", from_json)


__all__ = ["register"]
