"""Batch update (ACT-26): everybody who matches is written, or queued to be, before the journey goes on; nobody if too many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.blocks import BatchUpdate
from domain.ids import cio_id
from domain.operations import Identifier, Identify, TrackEvent
from domain.track.limits import size
from ingest.identify import write_person
from ingest.person import profile_of
from rendering.errors import RenderError
from rendering.values import compute_each
from services.actions.base import SOURCE, ActionContext, CannotAct, Done
from services.actions.batch_match import MOST, matching
from services.actions.changes import changes_of
from services.actions.events import event_of
from store.people import ReadPerson

SLICE: Final = 200
"""For how many people values are computed at a time."""
SLICE_SECONDS: Final = 1.0
MOST_BYTES: Final = 20_000_000
"""What one block may tell the log: it is written in one transaction."""


async def batch_update(context: ActionContext) -> Done:
    """Change the matching people, or send each of them the event."""
    block = context.block
    assert isinstance(block, BatchUpdate), "only such blocks name this action"
    # What blocks before this one wrote to the person is to be found.
    await context.unit.flush()
    people = await matching(context, block.match)
    if people is None:
        return _refuse(context, f"More than {MOST} people match, so none of them is changed.")
    try:
        facts = await _facts(context, block, people)
    except RenderError as error:
        return Done("failed", f"A value could not be computed: {error}")
    except CannotAct as error:
        return Done("failed", str(error))
    for number, fact in facts:
        if isinstance(fact, Identify) and number == context.person.person_id:
            await write_person(context.unit, context.person, fact.attributes, context.at)
        else:
            context.unit.append(fact, SOURCE)
    what = "are changed" if block.event is None else "are sent the event"
    return Done(explanation=f"{len(people)} people match and {what}.", noted={"matched": len(people)})


async def _facts(
    context: ActionContext, block: BatchUpdate, people: list[ReadPerson]
) -> list[tuple[int, Identify | TrackEvent]]:
    """What the log is told of each, the values computed once for each of them."""
    found: list[tuple[int, Identify | TrackEvent]] = []
    authored, written = dict(block.values()), 0
    for first in range(0, len(people), SLICE):
        some = people[first : first + SLICE]
        own = [{"match": profile_of(row)} for row in some]
        computed = await compute_each(authored, context.variables, own, context.at.at, seconds=SLICE_SECONDS)
        for row, values in zip(some, computed, strict=True):
            fact = _fact(context, block, row, values)
            written += size(fact.attributes if isinstance(fact, Identify) else fact.data)
            found.append((row.person_id, fact))
        if written > MOST_BYTES:
            raise CannotAct(f"The values for all who match have more than {MOST_BYTES} bytes.")
    return found


def _fact(
    context: ActionContext, block: BatchUpdate, row: ReadPerson, values: Mapping[tuple[str | int, ...], Any]
) -> Identify | TrackEvent:
    who = Identifier(kind="cio_id", value=cio_id(row.person_id))
    if block.event is None:
        return Identify(subject=who, attributes=changes_of(values, block.remove), dotted=True)
    event = event_of(context, who, values, block.data)
    # One for each of them, and the same where it is told again.
    return event.model_copy(update={"event_id": f"{event.event_id}/{row.person_id}"})


def _refuse(context: ActionContext, why: str) -> Done:
    data = {"reason": why, "campaign_id": context.campaign.id, "action_id": context.action_id}
    context.unit.record(context.traveller, "failed_batch_update", "Failed Action", data, context.at)
    return Done("failed", why)


__all__ = ["batch_update"]
