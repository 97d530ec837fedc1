"""Handing over a journey's message: row first, then the provider, then the receipt and the plan of what follows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from temporalio import activity

from activities.beating import beating
from activities.holding import GONE, Held, holding
from activities.journeys import plan
from domain.blocks import DataBlock
from domain.facts import Position
from domain.steps import DeliverMessageInput, StepResult
from ingest.catalog import Catalogs
from services.actions import Done
from services.advance import Delivered
from services.calls import Call, CallContext
from services.variables import variables_of
from store.database import Database
from store.notify import Notifier

if TYPE_CHECKING:  # workers that only plan load no rendering and no channels
    from services.deliveries import Deliverer

logger = logging.getLogger("sojourn.activities")

CLOSING_LIMIT = 1.0


class MessageActivities:
    """The delivering activity with what it needs; `clock` gives the real present instant."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        deliverer: Deliverer,
        clock: Callable[[], datetime],
        *,
        calls: Mapping[str, Call] | None = None,
    ) -> None:
        """`calls` are those that data blocks make to the outside, by the type of the block."""
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._deliverer = deliverer
        self._clock = clock
        self._calls = dict(calls or {})
        self._in_hand: dict[DeliverMessageInput, asyncio.Task[StepResult]] = {}

    @activity.defn(name="deliver_message")
    async def deliver_message(self, call: DeliverMessageInput) -> StepResult:
        """Hand over the message of a block and plan what follows.

        An attempt that Temporal gave up on, say because it was away itself, still runs to its end here; the next attempt
        waits for it instead of sending beside it.
        """
        task = self._in_hand.get(call)
        if task is None:
            task = self._in_hand[call] = asyncio.create_task(self._deliver(call))
            task.add_done_callback(lambda done: self._done(call, done))
        async with beating():
            return await asyncio.shield(task)

    async def close(self, limit: float = CLOSING_LIMIT) -> None:
        """Return when nothing is in hand any more, or when that takes too long."""
        if self._in_hand:
            await asyncio.wait(self._in_hand.values(), timeout=limit)

    async def _deliver(self, call: DeliverMessageInput) -> StepResult:
        async with holding(self._db, self._catalogs, call, self._clock) as held:
            if held is None:
                return GONE
            block = _block_of(held, call.action_id)
            if block is None:
                await self._deliverer.pick_up(held.conn, held.unit, held.journey, call.action_id)
            if block is None or held.journey.awaits_answer:
                # What is waited for is with the clock already: trying it here as well would be an attempt too many.
                return await plan(held, "delivered before")
            unit, called = held.unit, _called(held, block)
            if called is None:
                prepared = await self._deliverer.prepare(held.conn, unit, held.journey, block, held.now)
            else:
                asked = await self._calls[called.block.type].prepare(called)
            await unit.flush()
        unit.tell(self._notifier)
        if called is not None:
            return await self._call(call, self._calls[called.block.type], asked)
        outcome = await self._deliverer.hand_over(prepared, self._clock)
        async with holding(self._db, self._catalogs, call, self._clock) as held:
            if held is None:
                return GONE
            recorded = await self._deliverer.record(held.conn, held.unit, prepared, outcome, held.now)
            delivered = Delivered(
                block=block,
                action_id=call.action_id,
                outcome=recorded.outcome,
                explanation=recorded.explanation,
                delivery_id=recorded.delivery_id,
                draft=recorded.draft,
                pending=recorded.pending,
                path=recorded.variant,
            )
            step = await plan(held, "delivered", delivered)
        held.unit.tell(self._notifier)
        return step

    async def _call(self, call: DeliverMessageInput, calling: Call, asked: Any) -> StepResult:
        """Carry out what a data block asks of the outside, write down what came of it, and plan what follows."""
        outcome = asked if isinstance(asked, Done) else await calling.perform(asked, self._clock)
        async with holding(self._db, self._catalogs, call, self._clock) as held:
            if held is None:
                return GONE
            block = _block_of(held, call.action_id)
            called = _called(held, block) if block is not None else None
            if block is None or called is None:
                return await plan(held, "called before")
            done = asked if isinstance(asked, Done) else await calling.record(called, asked, outcome)
            delivered = Delivered(
                block=block,
                action_id=call.action_id,
                outcome=done.outcome,
                explanation=done.explanation,
                noted=done.noted,
            )
            step = await plan(held, "called", delivered)
        held.unit.tell(self._notifier)
        return step

    def _done(self, call: DeliverMessageInput, task: asyncio.Task[StepResult]) -> None:
        del self._in_hand[call]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.debug("A delivery in hand failed.", exc_info=error)


def _called(held: Held, key: str) -> CallContext | None:
    """The journey at a block that speaks to the outside itself; None where the block makes a delivery."""
    journey, unit = held.journey, held.unit
    campaign = held.catalog.campaigns[journey.campaign_id]
    block, person = campaign.definition.workflow.blocks[key], unit.people[journey.person_id]
    if not isinstance(block, DataBlock):
        return None
    at = Position(held.now, person.last_seq)
    variables = variables_of(unit.catalog, campaign, person, journey)
    return CallContext(unit, person, journey, campaign, key, block, at, variables)


def _block_of(held: Held, action_id: int) -> str | None:
    """The block in which the journey stands, if it is the one of this action; a block may get another key meanwhile."""
    journey, campaign = held.journey, held.catalog.campaigns.get(held.journey.campaign_id)
    if not journey.active or journey.block is None or campaign is None:
        return None
    return journey.block if campaign.actions.get(journey.block) == action_id else None


__all__ = ["MessageActivities"]
