"""Sending what somebody asked for by a call (CHN-02): rendered as things stand now, handed over, written down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from domain.errors import DomainError
from domain.sends import SendRef
from services.deliveries import Deliverer
from services.precedence import Precedence
from telemetry import tracing

logger = logging.getLogger("sojourn.sends")

AT_ONCE = 20


class Sender:
    """Tries deliveries that were asked for; any number of processes may."""

    def __init__(self, deliverer: Deliverer, precedence: Precedence | None = None) -> None:
        """Bulk work of the process that shares `precedence` stands aside meanwhile."""
        self._deliverer = deliverer
        self._precedence = precedence or Precedence()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def send(self, sends: Sequence[SendRef], clock: Callable[[], datetime], *, again: bool = False) -> None:
        """Try each; raises what the first failure of our own was, so that all are tried again and none is sent twice.

        They may have been asked for twice: unless it is known (`again`) that whoever had them before is gone, what somebody
        is handing over is left to them.
        """
        with self._precedence.urgent():
            trying = (self._one(send, clock, again=again) for send in sends)
            results = await asyncio.gather(*trying, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            raise failed[0]

    async def _one(self, send: SendRef, clock: Callable[[], datetime], *, again: bool) -> None:
        async with self._places:
            try:
                with tracing.part_of(
                    send.traceparent, "send", "consumer", workspace=send.workspace_id, delivery=send.delivery_id
                ):
                    await self._deliverer.retry(send.workspace_id, send.delivery_id, clock, elsewhere=not again)
            except DomainError as error:
                if error.code != "delivery_in_hand":
                    raise
                logger.info("Somebody else is handing a delivery over.", extra={"delivery": send.delivery_id})


__all__ = ["Sender"]
