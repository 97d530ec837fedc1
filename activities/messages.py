"""Handing over a journey's message: row first, then the provider, then the receipt and the plan of what follows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.beating import beating
from activities.holding import GONE, Held, holding
from activities.journeys import plan
from domain.steps import DeliverMessageInput, StepResult
from ingest.catalog import Catalogs
from services.advance import Delivered
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
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._deliverer = deliverer
        self._clock = clock
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
                return await plan(held, "delivered before")
            unit = held.unit
            prepared = await self._deliverer.prepare(held.conn, unit, held.journey, block, held.now)
            await unit.flush()
        unit.tell(self._notifier)
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
            )
            step = await plan(held, "delivered", delivered)
        held.unit.tell(self._notifier)
        return step

    def _done(self, call: DeliverMessageInput, task: asyncio.Task[StepResult]) -> None:
        del self._in_hand[call]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.debug("A delivery in hand failed.", exc_info=error)


def _block_of(held: Held, action_id: int) -> str | None:
    """The block in which the journey stands, if it is the one of this action; a block may get another key meanwhile."""
    journey, campaign = held.journey, held.catalog.campaigns.get(held.journey.campaign_id)
    if not journey.active or journey.block is None or campaign is None:
        return None
    return journey.block if campaign.actions.get(journey.block) == action_id else None


__all__ = ["MessageActivities"]
