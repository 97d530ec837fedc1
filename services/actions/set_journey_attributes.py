"""Set journey attributes (ACT-25): kept on the journey's row, seen by the next block, gone with the journey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.journey_attributes import accept
from rendering.errors import RenderError
from services.actions.base import ActionContext, Done


async def set_journey_attributes(context: ActionContext) -> Done:
    """Set what is within the limits; what is beyond fails alone."""
    try:
        computed = await context.computed()
    except RenderError as error:
        return Done("failed", f"A value could not be computed: {error}")
    return keep(context, {str(path[1]): value for path, value in computed.items()})


def keep(context: ActionContext, updates: Mapping[str, Any]) -> Done:
    """Keep these on the journey; where something is refused, the block has failed as far as that goes."""
    journey = context.journey
    if not journey.active:
        return Done("skipped", "The journey is over, and its attributes with it.")
    journey.attributes, refused = accept(journey.attributes, updates)
    context.unit.changed_journey(journey)
    if not refused:
        return Done()
    told = " ".join(f"{name}: {why}" for name, why in refused.items())
    return Done("failed" if len(refused) == len(updates) else "done", told[:2_000])


__all__ = ["keep", "set_journey_attributes"]
