"""Campaign: who enters, what happens, when it ends (CMP-01)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import SerializationInfo, SerializerFunctionWrapHandler, model_serializer, model_validator

from domain.conditions import Condition
from domain.definitions import campaign_rules
from domain.definitions.automation import AutomationDefinition, MessageLimit
from domain.definitions.base import Surroundings
from domain.definitions.schedule import Schedule
from domain.definitions.triggers import TRIGGERS, Trigger
from domain.errors import Problem
from domain.journeys import ExitRule, Frequency, FrequencyEvery

State = Literal["draft", "starting", "running", "stopping", "stopped", "archived"]
LIVE_STATES = frozenset({"starting", "running", "stopping"})
"""States in which people may be inside, so that a save must not break the campaign."""


class CampaignDefinition(AutomationDefinition):
    """A campaign; whether it runs is not part of the document."""

    kind: Literal["campaign"]
    trigger: Trigger
    filters: Condition | None = None
    frequency: Frequency | None = None
    exit: ExitRule = "filters"
    start_audience: Literal["future", "current_and_future"] = "future"
    schedule: Schedule | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_frequency(cls, value: Any) -> Any:
        """Where nothing is said: what the trigger's kind is used to (CMP-14)."""
        if not isinstance(value, dict) or "frequency" in value:
            return value
        trigger = value.get("trigger")
        word = trigger.get("type") if isinstance(trigger, dict) else None
        kind = TRIGGERS.get(word) if isinstance(word, str) else None
        return {**value, "frequency": {"mode": kind.modes[0]}} if kind is not None and kind.modes else value

    @model_serializer(mode="wrap")
    def _omit_absent(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        usual = self.trigger.modes[:1]
        if (
            info.exclude_defaults
            and self.frequency is not None
            and dumped["frequency"] == {"mode": next(iter(usual), None)}
        ):
            dumped.pop("frequency", None)
        return {name: value for name, value in dumped.items() if value is not None or name in self.nullable}

    @property
    def often(self) -> Frequency:
        """How often the same person may begin; where the trigger itself says so, at every occurrence."""
        return self.frequency or FrequencyEvery(mode="every")

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """How trigger, filters, frequency, exit, goal and workflow fit together."""
        yield from campaign_rules.check(self, around)

    def warnings(self, around: Surroundings, /) -> Iterator[Problem]:
        """Emails that have nobody to come from."""
        if not around.others("sender", ""):
            yield from campaign_rules.senderless(self)


__all__ = ["LIVE_STATES", "CampaignDefinition", "MessageLimit", "State"]
