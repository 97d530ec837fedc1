"""Create or update person (ACT-24): values from the state before the block, written at once and visible to the next."""

from __future__ import annotations

from domain.blocks import UpdatePerson
from domain.operations import Identify
from ingest.identify import write_person
from rendering.errors import RenderError
from services.actions.base import SOURCE, ActionContext, CannotAct, Done
from services.actions.changes import changes_of
from services.actions.others import recipient


async def update_person(context: ActionContext) -> Done:
    """Write the block's attributes to the person or to somebody else, who is created where unknown."""
    block = context.block
    assert isinstance(block, UpdatePerson), "only such blocks name this action"
    try:
        computed = await context.computed()
        values = changes_of(computed, block.remove)
        who = await recipient(context, block.target, computed)
    except RenderError as error:
        return Done("failed", f"A value could not be computed: {error}")
    except CannotAct as error:
        return Done("failed", str(error))
    if not who.own:
        operation = Identify(subject=who.identifier, attributes=values, dotted=True)
        context.unit.append(operation, SOURCE, who.workspace_id)
        return Done(explanation=f"{who.words}, is updated.")
    refused = await write_person(context.unit, context.person, values, context.at)
    return Done(explanation=" ".join(f"{name}: {why}" for name, why in refused.items()) or None)


__all__ = ["update_person"]
