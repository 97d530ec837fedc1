"""Whom a Pipelines message is meant for: the `integrations` object (API-28)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

EVERYBODY: Final = "All"
OURS: Final = frozenset({"Actions Customerio", "Customer.io", "Customer.io Journeys"})
"""The names this engine answers to."""


def normalised(integrations: Any) -> dict[str, Any]:
    """The object with `all` spelled `All`; empty where it is no object."""
    if not isinstance(integrations, Mapping):
        return {}
    found = dict(integrations)
    spelled = found.pop("all", None)
    if spelled is not None:
        found.setdefault(EVERYBODY, spelled)
    return found


def includes_us(integrations: Mapping[str, Any]) -> bool:
    """Whether the message is to be processed here: whoever is named is in unless false, the others as `All` says."""
    named = [integrations[name] for name in sorted(OURS) if integrations.get(name) is not None]
    if named:
        return any(value is not False for value in named)
    return integrations.get(EVERYBODY) is not False


__all__ = ["includes_us", "normalised"]
