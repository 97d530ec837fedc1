"""Events as blocks send them: a name, data within the limit, and how many campaigns have led to them (ACT-23)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.data_values import JavascriptValue, LiquidValue
from domain.operations import Identifier, TrackEvent
from domain.track.limits import EVENT_DATA_BYTES, EVENT_NAME_BYTES, size
from domain.values import is_blank, to_unix
from services.actions.base import ActionContext, CannotAct

DEEPEST: Final = 20
"""How many campaigns may follow from one another by events that their blocks send."""


def depth_of(context: ActionContext) -> int:
    """The depth of an event that the block sends; raises CannotAct where campaigns start one another without an end."""
    event = context.journey.trigger.get("event") or {}
    depth: int = event.get("depth", 0) + 1
    if depth > DEEPEST:
        raise CannotAct(f"{DEEPEST} campaigns have led to one another by events; this event is dropped.")
    return depth


def event_of(
    context: ActionContext,
    who: Identifier,
    computed: Mapping[tuple[str | int, ...], Any],
    data: Mapping[str, Any] | LiquidValue | JavascriptValue | None,
) -> TrackEvent:
    """The event that computed values mean; raises CannotAct where they mean none. A repeat has the same id."""
    named = computed.get(("event",))
    if is_blank(named) or isinstance(named, bool | dict | list) or not (name := str(named).strip()):
        raise CannotAct("The event has no name.")
    if size(name) > EVENT_NAME_BYTES:
        raise CannotAct(f"The name of the event is longer than {EVENT_NAME_BYTES} bytes.")
    found = _data(computed, data)
    if (given := size(found)) > EVENT_DATA_BYTES:
        raise CannotAct(f"The data of the event has {given} bytes, more than {EVENT_DATA_BYTES}.")
    return TrackEvent(
        subject=who,
        name=name,
        data=found,
        timestamp=to_unix(context.at.at),
        event_id=f"{context.journey.journey_id}/{context.action_id}",
        depth=depth_of(context),
    )


def _data(
    computed: Mapping[tuple[str | int, ...], Any], data: Mapping[str, Any] | LiquidValue | JavascriptValue | None
) -> dict[str, Any]:
    if not isinstance(data, LiquidValue | JavascriptValue):
        return {str(path[1]): value for path, value in computed.items() if path[0] == "data"}
    whole = computed.get(("data",))
    if whole is None:
        return {}
    if not isinstance(whole, dict):
        raise CannotAct("The data of the event is no object.")
    return whole


__all__ = ["DEEPEST", "depth_of", "event_of"]
