"""Which events of people have to be read for conditions to be decided on them."""

from __future__ import annotations

from domain.condition_keys import Keys
from store.people import NOTHING, EventNeed


def event_need(keys: Keys) -> EventNeed:
    """The events that these keys mention."""
    names: set[tuple[str, str]] = set()
    types: set[str] = set()
    for match in keys.events:
        exact = match.exact_names()
        if exact is None:
            types.add(match.type)
        else:
            names |= {(match.type, name) for name in exact}
    return EventNeed(frozenset(names), frozenset(types)) if names or types else NOTHING


__all__ = ["event_need"]
