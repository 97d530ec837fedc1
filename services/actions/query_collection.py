"""Query collection (ACT-28): rows that fit, in order, kept as JSON on the journey or on the person."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from domain.blocks import QueryCollection
from domain.blocks.query_collection import SortKey
from domain.conditions import where_fits
from domain.paths import compile_path
from domain.subjects import Moment
from domain.track.limits import size
from domain.values import is_blank, text_form
from ingest.identify import write_person
from services.actions.base import ActionContext, Done
from services.actions.changes import LONGEST_VALUE
from services.actions.set_journey_attributes import keep
from store import collections


async def query_collection(context: ActionContext) -> Done:
    """Find the rows and keep them."""
    block = context.block
    assert isinstance(block, QueryCollection), "only such blocks name this action"
    collection = context.unit.catalog.find("collection", block.collection)
    if collection is None:
        return _failed(context, f"There is no collection {block.collection!r} any more.")
    rows = await collections.rows_of(context.unit.conn, context.journey.workspace_id, collection.id)
    facts, moment = context.facts, Moment.of(context.at.at)
    where = block.where
    found = rows if where is None else [row for row in rows if where_fits(where, row, facts, moment)]
    result = block.result(sorted_by(found, block.sort or ()))
    told = f"{len(found)} rows of '{collection.key}' fit."
    if block.store.journey is not None:
        done = keep(context, {block.store.journey: result})
        return _failed(context, done.explanation) if done.outcome == "failed" else Done(done.outcome, told)
    assert block.store.customer is not None, "a result is kept on the journey or on the person"
    if size(result) > LONGEST_VALUE:
        return _failed(context, f"The rows have more than {LONGEST_VALUE} bytes.")
    refused = await write_person(context.unit, context.person, {block.store.customer: result}, context.at)
    return Done(explanation=" ".join([told, *refused.values()]))


def sorted_by(rows: Sequence[dict[str, Any]], keys: Sequence[SortKey]) -> list[dict[str, Any]]:
    """The rows in order, equal ones as they were; numbers come before texts, what is not there last."""
    found = list(rows)
    # Sorting is stable, so that the first key goes last.
    for key in reversed(keys):
        path = compile_path(key.field)
        marked = [(_mark(path.read(row)), row) for row in found]
        there = [pair for pair in marked if pair[0] is not None]
        there.sort(key=itemgetter(0), reverse=key.direction == "desc")
        found = [row for _, row in there] + [row for mark, row in marked if mark is None]
    return found


def _mark(values: Sequence[Any]) -> tuple[int, Any] | None:
    """What a value is put in order by, None for one that is not there."""
    value = values[0] if values else None
    if is_blank(value):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, text_form(value))


def _failed(context: ActionContext, why: str | None) -> Done:
    data = {"reason": why, "campaign_id": context.campaign.id, "action_id": context.action_id}
    context.unit.record(context.traveller, "failed_query_collection", "Failed Action", data, context.at)
    return Done("failed", why)


__all__ = ["query_collection", "sorted_by"]
