"""Send event (ACT-23): accepted for good before the journey goes on; what follows from it comes in its turn."""

from __future__ import annotations

from domain.blocks import SendEvent
from rendering.errors import RenderError
from services.actions.base import SOURCE, ActionContext, CannotAct, Done
from services.actions.events import event_of
from services.actions.others import recipient


async def send_event(context: ActionContext) -> Done:
    """Put the event into the log of its person's workspace."""
    block = context.block
    assert isinstance(block, SendEvent), "only such blocks name this action"
    try:
        computed = await context.computed()
        who = await recipient(context, block.target, computed)
        event = event_of(context, who.identifier, computed, block.data)
    except RenderError as error:
        return Done("failed", f"A value could not be computed: {error}")
    except CannotAct as error:
        return Done("failed", str(error))
    context.unit.append(event, SOURCE, who.workspace_id)
    told = None if who.own else f"{who.words}, is told."
    return Done(explanation=told, noted={"event": event.name})


__all__ = ["send_event"]
