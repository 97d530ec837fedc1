"""What everything that is walked block by block answers to, whatever its document looks like (MSG-01)."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from domain.conditions import Condition
from domain.definitions.triggers.base import TriggerBase
from domain.goals import Goal
from domain.journeys import ExitRule, Frequency
from domain.workflow_graph import Workflow


class Automation(Protocol):
    """A campaign, a broadcast, or the one message of a transactional send."""

    @property
    def kind(self) -> str:
        """The kind of definition that it is, or stands for."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def name(self) -> Any:
        """Its name."""

    @property
    def trigger(self) -> TriggerBase | Any:
        """What begins it."""

    @property
    def filters(self) -> Condition | None:
        """Who may be in it besides."""

    @property
    def often(self) -> Frequency:
        """How often the same person may begin it."""

    @property
    def exit(self) -> ExitRule:
        """When somebody leaves it early."""

    @property
    def goal(self) -> Goal | None:
        """What it hopes for."""

    @property
    def subscription(self) -> Literal["subscribed", "everyone"]:
        """Who may get its messages."""

    @property
    def workflow(self) -> Workflow:
        """What happens in it."""


__all__ = ["Automation"]
