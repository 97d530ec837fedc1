"""Manual segment update (ACT-27): the membership is written at once, with all that follows, and visible to the next block."""

from __future__ import annotations

from domain.blocks import SegmentUpdate
from ingest.manual_segments import move
from services.actions.base import ActionContext, Done


async def segment_update(context: ActionContext) -> Done:
    """Make the journey's person a member of the block's segment, or none; being so already is no change."""
    block, compiled = context.block, context.unit.catalog.compiled
    assert isinstance(block, SegmentUpdate), "only such blocks name this action"
    ref = block.segment
    number = ref if isinstance(ref, int) else compiled.segment_ids.get(ref)
    segment = None if number is None else compiled.manual_segments.get(number)
    if segment is None:
        archived = compiled.archived_segment(ref)
        why = f"There is no manual segment {ref!r} any more." if archived is None else f"'{archived.key}' is archived."
        return Done("skipped", why)
    word = "Added" if block.adds else "Removed"
    reason = f"{word} by the campaign {context.campaign.name}"
    moved = await move(context.unit, context.person, segment, member=block.adds, reason=reason, at=context.at)
    noted = {"manual_segment_id": segment.id, "add_to_manual_segment": block.adds}
    return Done(explanation=None if moved else _already(segment.key, member=block.adds), noted=noted)


def _already(key: str, *, member: bool) -> str:
    return f"The person was {'' if member else 'not '}in '{key}' {'already' if member else 'anyway'}."


__all__ = ["segment_update"]
