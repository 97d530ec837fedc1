"""Campaign: who enters, what happens, when it ends (CMP-01)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StrictBool,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_serializer,
    model_validator,
)

from domain.conditions import Condition
from domain.definitions import campaign_parts, campaign_rules
from domain.definitions.base import Definition, Name, Surroundings, Template, Use
from domain.definitions.schedule import Schedule
from domain.definitions.triggers import TRIGGERS, Trigger
from domain.documents import Document, Refusal, refused
from domain.errors import Problem
from domain.goals import Goal
from domain.journeys import ExitRule, Frequency, FrequencyEvery
from domain.workflow_graph import Workflow

State = Literal["draft", "starting", "running", "stopping", "stopped", "archived"]
LIVE_STATES = frozenset({"starting", "running", "stopping"})
"""States in which people may be inside, so that a save must not break the campaign."""


def _read_subscription(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, dict) and set(value) == {"topic"}:
        message = f"There is no topic {value['topic']!r}."
        raise refused(Refusal("unknown_reference", message, ("topic",), value["topic"]))
    if not isinstance(value, str):
        raise refused(Refusal("type", "Write subscribed or everyone.", (), value))
    return handler(value)


class MessageLimit(Document):
    """Whether messages count toward a limit of the workspace, of which this version has none."""

    nullable: ClassVar[frozenset[str]] = frozenset({"retry"})

    observe: StrictBool = False
    retry: Any = None

    @field_validator("observe")
    @classmethod
    def _nothing_to_observe(cls, observe: bool) -> bool:
        if observe:
            raise refused(Refusal("not_applicable", "Message limits are not in this version.", (), observe))
        return observe

    @field_validator("retry")
    @classmethod
    def _nothing_to_retry(cls, retry: Any) -> Any:
        if retry is not None:
            raise refused(Refusal("not_applicable", "Message limits are not in this version.", (), retry))
        return retry


class CampaignDefinition(Definition):
    """A campaign; whether it runs is not part of the document."""

    initial_state: ClassVar[str | None] = "draft"

    kind: Literal["campaign"]
    name: Name
    trigger: Trigger
    filters: Condition | None = None
    frequency: Frequency | None = None
    exit: ExitRule = "filters"
    goal: Goal | None = None
    subscription: Annotated[Literal["subscribed", "everyone"], WrapValidator(_read_subscription)] = "subscribed"
    message_limit: MessageLimit = Field(default_factory=MessageLimit)
    start_audience: Literal["future", "current_and_future"] = "future"
    schedule: Schedule | None = None
    workflow: Workflow

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

    def uses(self) -> Iterator[Use]:
        """Segments, senders, layouts, object types and collections."""
        yield from campaign_parts.uses(self)

    def templates(self) -> Iterator[Template]:
        """What its messages and Liquid values say."""
        yield from campaign_parts.templates(self)

    def addresses(self) -> Iterator[tuple[str, str]]:
        """The addresses that its blocks call."""
        yield from campaign_parts.addresses(self)

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """How trigger, filters, frequency, exit, goal and workflow fit together."""
        yield from campaign_rules.check(self, around)

    def warnings(self, around: Surroundings, /) -> Iterator[Problem]:
        """Emails that have nobody to come from."""
        if not around.others("sender", ""):
            yield from campaign_rules.senderless(self)
