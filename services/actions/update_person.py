"""Create or update person (ACT-24): values from the state before the block, written at once and visible to the next."""

from __future__ import annotations

from typing import Any

import orjson

from domain.blocks import Target, UpdatePerson
from domain.emails import bare_address
from domain.operations import Identifier, Identify
from domain.track.limits import ID_BYTES
from domain.values import is_blank
from ingest.identify import write_person
from rendering.errors import RenderError
from rendering.values import compute
from services.actions.base import ActionContext, Done
from store.names import resolve

LONGEST_VALUE = 100_000


async def update_person(context: ActionContext) -> Done:
    """Write the block's attributes to the person or to somebody else, who is created where unknown."""
    block = context.block
    assert isinstance(block, UpdatePerson), "only such blocks name this action"
    try:
        values = _values(block, context)
        target = _target(block.target, context) if isinstance(block.target, Target) else None
    except RenderError as error:
        return Done("failed", f"A value could not be computed: {error}")
    too_long = [name for name, value in values.items() if len(orjson.dumps(value, default=str)) > LONGEST_VALUE]
    if too_long:
        return Done("failed", f"The value of '{too_long[0]}' is longer than {LONGEST_VALUE} bytes.")
    if isinstance(block.target, Target):
        if target is None:
            return Done("failed", "The target's identifier is empty or malformed.")
        owner = (await resolve(context.unit.conn, context.journey.workspace_id, [target.name])).get(target.name)
        if owner != context.person.person_id:
            context.unit.append(Identify(subject=target, attributes=values, dotted=True), "workflow")
            return Done(explanation=f"Another person, named by {target.kind}, is updated.")
    refused = await write_person(context.unit, context.person, values, context.at)
    return Done(explanation=" ".join(f"{name}: {why}" for name, why in refused.items()) or None)


def _values(block: UpdatePerson, context: ActionContext) -> dict[str, Any]:
    values = {name: compute(v, context.variables, context.at.at) for name, v in (block.set_ or {}).items()}
    return values | dict.fromkeys(block.remove or ())


def _target(target: Target, context: ActionContext) -> Identifier | None:
    kind, authored = target.identifier
    value = compute(authored, context.variables, context.at.at)
    if is_blank(value) or isinstance(value, bool | dict | list):
        return None
    text = str(value).strip()
    if len(text.encode()) > ID_BYTES or (kind == "email" and bare_address(text) is None):
        return None
    return Identifier.model_validate({"kind": kind, "value": text})


__all__ = ["update_person"]
