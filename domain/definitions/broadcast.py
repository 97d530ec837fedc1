"""Broadcast: a workflow without waits, walked at once by everybody whom a call names (CHN-15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from domain.conditions import Condition
from domain.definitions import campaign_rules
from domain.definitions.automation import AutomationDefinition
from domain.definitions.base import Surroundings, Use
from domain.definitions.condition_uses import uses_of
from domain.definitions.triggers.asked import BROADCAST, AskedTrigger
from domain.documents import Document
from domain.errors import Problem
from domain.journeys import ExitRule, Frequency, FrequencyEvery

State = Literal["draft", "running", "stopped", "archived"]
EVERYONE = "everyone"
_PERIODS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


def _read_recipients(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return value if value == EVERYONE else handler(value)


class SendRate(Document):
    """How many recipients are seen to in a period at most, spread evenly over it (CHN-27's rule for broadcasts)."""

    limit: Annotated[int, Field(ge=1, le=10_000_000, strict=True)]
    per: Literal["second", "minute", "hour", "day"]

    @property
    def per_second(self) -> float:
        """Recipients a second."""
        return self.limit / _PERIODS[self.per]


class BroadcastDefinition(AutomationDefinition):
    """A broadcast; `recipients` are replaced by an audience in the call, `sample_data` serves previews.

    Whether it runs is not part of the document; its numbers are those of campaigns.
    """

    trigger: ClassVar[AskedTrigger] = BROADCAST
    filters: ClassVar[Condition | None] = None
    frequency: ClassVar[Frequency | None] = None
    often: ClassVar[Frequency] = FrequencyEvery(mode="every")
    exit: ClassVar[ExitRule] = "never"
    start_audience: ClassVar[Literal["future"]] = "future"
    schedule: ClassVar[None] = None

    kind: Literal["broadcast"]
    recipients: Annotated[Literal["everyone"] | Condition | None, WrapValidator(_read_recipients)] = None
    send_rate: SendRate | None = None
    sample_data: dict[str, Any] | None = None

    @property
    def audience(self) -> Condition | None:
        """The condition on recipients, None for everybody and where nobody is named."""
        return self.recipients if isinstance(self.recipients, Condition) else None

    def uses(self) -> Iterator[Use]:
        """What its recipients and its workflow refer to."""
        if self.audience is not None:
            yield from uses_of(self.audience, "/recipients", self.key)
        yield from super().uses()

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """How recipients, goal and workflow fit together."""
        yield from campaign_rules.check_broadcast(self, around)

    def warnings(self, around: Surroundings, /) -> Iterator[Problem]:
        """Emails that have nobody to come from."""
        if not around.others("sender", ""):
            yield from campaign_rules.senderless(self)


__all__ = ["EVERYONE", "BroadcastDefinition", "SendRate", "State"]
