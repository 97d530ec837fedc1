"""Lists of what has a name and a state, narrowed by both as the form above them asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def narrowed(found: Sequence[dict[str, Any]], name: str, state: str, states: Sequence[str]) -> dict[str, Any]:
    """What the page of such a list shows beside the list itself; `shown` is the list. `states` are in their order."""
    wanted = name.strip().casefold()
    shown = [
        one
        for one in found
        if (wanted in one["name"].casefold() or wanted in one["key"]) and state in ("", one["state"])
    ]
    return {
        "shown": shown,
        "states": [word for word in states if any(one["state"] == word for one in found)],
        "filters": {"name": name.strip(), "state": state},
        "filtered": bool(name.strip() or state),
        "total": len(found),
    }


__all__ = ["narrowed"]
