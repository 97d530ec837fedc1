"""What an action gets and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from domain.blocks import Block
from domain.facts import Facts, Position
from ingest.catalog import Campaign
from ingest.unit import Person, Unit
from rendering.values import compute
from store.journeys import JourneyRow

SOURCE = "workflow"
"""What the log calls the source of what blocks tell it."""


@dataclass(frozen=True)
class ActionContext:
    """Who stands where: the person is locked, the transaction is the caller's; `variables` are a template's."""

    unit: Unit
    person: Person
    journey: JourneyRow
    campaign: Campaign
    block: Block
    at: Position
    variables: dict[str, Any]
    key: str

    @property
    def action_id(self) -> int:
        """The number of the block."""
        return self.campaign.actions[self.key]

    @property
    def traveller(self) -> Person | None:
        """The journey's person; None where nobody travels."""
        return self.person if self.journey.travelled else None

    @property
    def facts(self) -> Facts:
        """What conditions see from where the journey stands."""
        return self.unit.journey_facts(self.person, self.journey)

    async def computed(self) -> dict[tuple[str | int, ...], Any]:
        """The block's values by their paths, all from the state before it; raises RenderError where one fails."""
        return await compute(dict(self.block.values()), self.variables, self.at.at)


@dataclass(frozen=True)
class Done:
    """How it went; a failure writes nothing and stops nobody (ACT-21). What is `noted` the step keeps beside its effect."""

    outcome: Literal["done", "skipped", "failed"] = "done"
    explanation: str | None = None
    noted: Mapping[str, Any] = field(default_factory=dict)


class CannotAct(Exception):
    """Why an action cannot be carried out, in a sentence for the log."""


Action = Callable[[ActionContext], Awaitable[Done]]

__all__ = ["SOURCE", "Action", "ActionContext", "CannotAct", "Done"]
