"""What may be kept on a journey: so many names, so long, with values so large (ACT-25)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from domain.errors import DomainError
from domain.values import check_json, is_blank

MOST_NAMES: Final = 100
"""The distinct names that one journey can ever have had."""
LONGEST_NAME: Final = 128
LARGEST_VALUE: Final = 100 * 1024
"""Bytes of a value as compact JSON."""


def accept(attributes: Mapping[str, Any], updates: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The attributes after these updates, and why each of those that were refused was; one refused stops no other.

    Null and the empty text remove. What is removed stays behind as null: it reads as absent, and still counts as a name.
    """
    kept, refused = dict(attributes), dict[str, str]()
    for name, value in updates.items():
        why = _refusal(kept, name, value)
        if why is not None:
            refused[name] = why
        elif not is_blank(value):
            kept[name] = value
        elif name in kept:
            kept[name] = None
    return kept, refused


def present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that have a value."""
    return {name: value for name, value in attributes.items() if value is not None}


def name_fault(name: str) -> str | None:
    """What is wrong with the name of a journey attribute, None where nothing is."""
    if 0 < len(name.encode(errors="replace")) <= LONGEST_NAME:
        return None
    return f"The name of a journey attribute has 1 to {LONGEST_NAME} bytes."


def _refusal(kept: Mapping[str, Any], name: str, value: Any) -> str | None:
    try:
        check_json({name: value})
    except DomainError as error:
        return error.message
    if (fault := name_fault(name)) is not None:
        return fault
    if is_blank(value):
        return None
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > LARGEST_VALUE:
        return f"The value of a journey attribute has at most {LARGEST_VALUE} bytes."
    if name not in kept and len(kept) >= MOST_NAMES:
        return f"A journey has at most {MOST_NAMES} attributes."
    return None


__all__ = ["LARGEST_VALUE", "LONGEST_NAME", "MOST_NAMES", "accept", "name_fault", "present"]
