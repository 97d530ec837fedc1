"""What has to be read of people for conditions to be decided on them."""

from __future__ import annotations

from domain.condition_keys import Keys
from store.people import NOTHING, Need


def need_of(keys: Keys) -> Need:
    """The events and other records that these keys mention."""
    names: set[tuple[str, str]] = set()
    types: set[str] = set()
    for match in keys.events:
        exact = match.exact_names()
        if exact is None:
            types.add(match.type)
        else:
            names |= {(match.type, name) for name in exact}
    kinds = keys.record_kinds
    return Need(frozenset(names), frozenset(types), kinds) if names or types or kinds else NOTHING


__all__ = ["need_of"]
