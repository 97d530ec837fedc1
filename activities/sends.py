"""Handing over what somebody asked for by a call: every delivery of a batch, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.beating import beating
from domain.sends import SendBatch

if TYPE_CHECKING:  # workers that only plan load no rendering and no channels
    from services.sending import Sender


class SendActivities:
    """The sending activity with what it needs; `clock` gives the real present instant."""

    def __init__(self, sender: Sender, clock: Callable[[], datetime]) -> None:
        self._sender = sender
        self._clock = clock

    @activity.defn(name="send_transactional")
    async def send_transactional(self, batch: SendBatch) -> None:
        """Try every delivery of the batch; one that is over already stays as it is."""
        async with beating():
            # Temporal asks again once the worker that had the batch is gone.
            await self._sender.send(batch.sends, self._clock, again=activity.info().attempt > 1)


__all__ = ["SendActivities"]
