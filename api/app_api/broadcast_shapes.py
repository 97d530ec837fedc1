"""What calls about broadcasts say and are answered, for the API description (APP-03, APP-05)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.management.schemas import Answer, Body

State = Literal["queued", "processing", "sending", "finished", "failed", "cancelled"]
Named = Annotated[list[str], Field(min_length=1, max_length=10_000)]


class Entry(Body):
    """One recipient, by id or by email, with data that goes over the data for all."""

    id: str | None = None
    email: str | None = None
    data: dict[str, Any] | None = None


class TriggerBody(Body):
    """Data for all, and at most one audience: `recipients`, `ids`, `emails`, `per_user_data` or `data_file_url`."""

    data: dict[str, Any] | None = Field(None, description="What templates call `trigger`.")
    recipients: dict[str, Any] | None = Field(
        None, description="A filter of `and`, `or`, `not`, `segment`, `attribute`; an empty object is none."
    )
    ids: Named | None = None
    emails: Named | None = None
    per_user_data: Annotated[list[Entry], Field(min_length=1, max_length=10_000)] | None = None
    data_file_url: str | None = Field(None, description="JSON lines of what `per_user_data` would list.")
    id_ignore_missing: bool | None = Field(None, description="Pass over ids that nobody has.")
    email_ignore_missing: bool | None = Field(None, description="Pass over addresses that nobody has.")
    email_add_duplicates: bool | None = Field(None, description="Send to everybody who has the address.")


class Triggered(Answer):
    """The number of the trigger, counted for each broadcast."""

    id: int


class SendRate(Answer):
    """How many recipients in a period."""

    limit: int
    per: Literal["second", "minute", "hour", "day"]


class Trigger(Answer):
    """A trigger as it is listed."""

    id: int
    broadcast_id: int
    created_at: int
    processed_at: int = Field(description="When the audience was known; 0 until then.")
    ended_at: int | None
    state: State
    paused: bool
    recipients_count: int
    position: int = Field(description="How many recipients were seen to.")
    error_count: int
    send_rate: SendRate | None
    next_at: int | None = Field(description="What it waits for, where it waits for an instant.")


class Triggers(Answer):
    """One page, newest first."""

    triggers: list[Trigger]
    next: str


class TriggerStatus(Answer):
    """How a trigger stands; `per_user_data_*` only where the call brought data for each."""

    id: str = Field(description="`<broadcast>-<number>`")
    broadcast_id: int
    campaign_id: int
    created_at: int
    processed_at: int
    ended_at: int | None
    state: State
    paused: bool
    recipients_count: int
    position: int
    recipients_filter: str | None = Field(description="The filter as JSON text, where the call had one.")
    data: str = Field(description="The data for all as JSON text.")
    workflow_action_ids: list[int]
    audience: str | None = Field(description="What the call named; null for the broadcast's own recipients.")
    deliveries: dict[str, int] = Field(description="How many messages have come how far.")
    error_count: int
    send_rate: SendRate | None
    next_at: int | None = Field(description="What it waits for, where it waits for an instant.")
    per_user_data_position: int | None = Field(None, description="How many bytes were read.")
    found_per_user_data: bool | None = None
    per_user_data_error_count: int | None = None


class TriggerErrors(Answer):
    """One page of an error report."""

    errors: list[str]
    next: int = Field(description="0 after the last line.")


class Action(Answer):
    """A block that sends."""

    id: int
    type: str


class Broadcast(Answer):
    """A broadcast as the vendor shows it; `lifecycle`, `key`, `version` and `revision` are ours."""

    id: int
    key: str
    name: str
    type: Literal["triggered_broadcast"]
    state: Literal["running", "draft"]
    active: bool
    lifecycle: Literal["draft", "running", "stopped", "archived"]
    version: int
    revision: int
    actions: list[Action]
    msg_template_ids: list[Action]
    tags: list[str] | None
    created: int
    updated: int
    first_started: int = Field(description="0 when it was never started.")
    deduplicate_id: str


class Broadcasts(Answer):
    """All of them, oldest first."""

    broadcasts: list[Broadcast]


class OneBroadcast(Answer):
    """One of them."""

    broadcast: Broadcast


class TriggerAnswer(Answer):
    """A trigger as it stands after a verb."""

    trigger: Trigger


class Rate(Body):
    """How many recipients in a period, at most."""

    limit: Annotated[int, Field(ge=1, le=10_000_000)]
    per: Literal["second", "minute", "hour", "day"]


class RateBody(Body):
    """A new send rate of a trigger; null for none."""

    send_rate: Rate | None


__all__ = [
    "Broadcasts",
    "OneBroadcast",
    "RateBody",
    "SendRate",
    "Trigger",
    "TriggerAnswer",
    "TriggerBody",
    "TriggerErrors",
    "TriggerStatus",
    "Triggered",
    "Triggers",
]
