"""How values look when a template prints them (MSG-06)."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

_HOLDING = (list, dict, tuple)
_WORDS = {None: "", True: "true", False: "false"}


class Worded:
    """An array or object that prints as it was written down: the JSON of a snippet (MSG-15)."""

    __slots__ = ()

    @abstractmethod
    def worded(self) -> str:
        """The text."""


def printed(value: Any) -> str:
    """The text of a value: arrays run together, objects in the style of Ruby, whole numbers without a point."""
    if isinstance(value, str):
        return value
    if value.__class__ is int:
        return str(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, float):
        return number_text(value)
    return _held(value) if isinstance(value, _HOLDING) else _range(value)


def _held(value: Any) -> str:
    if isinstance(value, Worded):
        return value.worded()
    return _inspected(value) if isinstance(value, dict) else "".join(map(printed, value))


def _range(value: Any) -> str:
    if not isinstance(value, range):
        return str(value)
    return f"{value.start}..{value.stop - 1}" if value else ""


def number_text(value: float) -> str:
    """A number without a decimal point where it is whole."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _inspected(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_inspected(str(key))}=>{_inspected(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inspected(item) for item in value) + "]"
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False, default=str)


__all__ = ["Worded", "number_text", "printed"]
