"""Which variables the templates of a campaign can never have, by what begins it (MSG-05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EVENT_ROOTS: Final = frozenset({"event", "event_name", "event_id", "event_timestamp"})
_OF: Final[Mapping[str, frozenset[str]]] = {
    "event": EVENT_ROOTS,
    "form": EVENT_ROOTS,
    "webhook": frozenset({"trigger"}),
    "broadcast": frozenset({"trigger"}),
    "transactional": frozenset({"trigger"}),
    "object": frozenset({"trigger"}),
    "relationship": frozenset({"trigger"}),
}
_ALL: Final = EVENT_ROOTS | {"trigger"}


def absent_roots(trigger_type: str) -> frozenset[str]:
    """The roots that tell of a trigger of another kind."""
    return _ALL - _OF.get(trigger_type, frozenset())


__all__ = ["EVENT_ROOTS", "absent_roots"]
