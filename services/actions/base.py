"""What an action gets and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from domain.blocks import Block
from domain.facts import Position
from ingest.catalog import Campaign
from ingest.unit import Person, Unit
from store.journeys import JourneyRow


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


@dataclass(frozen=True)
class Done:
    """How it went; a failure writes nothing and stops nobody (ACT-21). What is `noted` the step keeps beside its effect."""

    outcome: Literal["done", "skipped", "failed"] = "done"
    explanation: str | None = None
    noted: Mapping[str, Any] = field(default_factory=dict)


Action = Callable[[ActionContext], Awaitable[Done]]

__all__ = ["Action", "ActionContext", "Done"]
