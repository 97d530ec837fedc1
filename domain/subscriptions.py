"""Subscription preferences of a person: topics and channels (SUB-06, PPL-07, API-20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PREFERENCES: Final = "cio_subscription_preferences"
PARTS: Final = ("topics", "channels")


def merged_preferences(before: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Preferences after a call that keeps what it does not name; an empty part clears that part."""
    known = before if isinstance(before, Mapping) else {}
    merged = {**known, **given}
    for part in PARTS:
        named, kept = given.get(part), known.get(part)
        if isinstance(named, Mapping) and named and isinstance(kept, Mapping):
            merged[part] = {**kept, **named}
    return merged


def filled_preferences(primary: Any, secondary: Any) -> Any:
    """Preferences of two people made one: the primary's, filled from the secondary's (PPL-07)."""
    if not isinstance(primary, Mapping) or not isinstance(secondary, Mapping):
        return primary
    filled = {**secondary, **primary}
    for part in PARTS:
        first, second = primary.get(part), secondary.get(part)
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            filled[part] = {**second, **first}
    return filled


__all__ = ["PREFERENCES", "filled_preferences", "merged_preferences"]
