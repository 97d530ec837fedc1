"""Seeing to the recipients of a broadcast: pages for some seconds, then word of how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.beating import beating
from domain.sends import BroadcastRef, BroadcastTurn

if TYPE_CHECKING:  # workers that only plan load no rendering and no channels
    from services.broadcasts.running import BroadcastRunner


class BroadcastActivities:
    """The activity with what it needs."""

    def __init__(self, runner: BroadcastRunner) -> None:
        self._runner = runner

    @activity.defn(name="run_broadcast")
    async def run_broadcast(self, trigger: BroadcastRef) -> BroadcastTurn:
        """See to recipients until the trigger is over, has to wait, some seconds have passed, or the worker is to end."""
        async with beating():
            return await self._runner.run(trigger, activity.is_worker_shutdown)


__all__ = ["BroadcastActivities"]
