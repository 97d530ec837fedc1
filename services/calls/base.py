"""What a data block does that speaks to the outside: asked under the lock, carried out without it, recorded under it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.blocks import DataBlock
from domain.facts import Position
from ingest.catalog import Campaign
from ingest.unit import Person, Unit
from services.actions.base import Done
from store.journeys import JourneyRow

Clock = Callable[[], datetime]
"""Gives the real present instant."""


@dataclass(frozen=True)
class CallContext:
    """Who stands where; the person is locked, the transaction is the caller's."""

    unit: Unit
    person: Person
    journey: JourneyRow
    campaign: Campaign
    key: str
    block: DataBlock
    at: Position
    variables: dict[str, Any]


class Call(Protocol):
    """One kind of block that calls out. What `prepare` returns is handed to `perform`, and both to `record`.

    `perform` holds no transaction and is repeated where a worker was lost on the way; `record` happens once.
    """

    async def prepare(self, context: CallContext) -> Any:
        """What is to be asked, or a `Done` where nothing is."""

    async def perform(self, prepared: Any, clock: Clock) -> Any:
        """What came of asking; never raises for what the other side does."""

    async def record(self, context: CallContext, prepared: Any, outcome: Any) -> Done:
        """Write down what came of it."""


__all__ = ["Call", "CallContext", "Clock"]
