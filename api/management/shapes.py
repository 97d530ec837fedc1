"""What looking answers, for the API description."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.management.schemas import Answer


class Identifiers(Answer):
    """The names of a person."""

    id: str | None
    email: str | None
    cio_id: str


class Position(Answer):
    """Where somebody stands."""

    block: str
    action_id: int | None = None
    arrived_at: int | None
    due_at: int | None
    stuck: bool = Field(description="Waits on paths none of which can come true.")


class Step(Answer):
    """What happened at one block."""

    seq_num: int
    output_id: str
    output_type: str
    block: str
    action_id: int
    outcome: Literal["waiting", "done", "skipped", "drafted", "failed", "branched", "exited"]
    explanation: str | None
    delivery_id: str | None
    draft: bool | None
    link_tracked: bool | None
    split_test_index: int | None
    delay_ends_at: int | None
    branch_index: int | None
    path: str | None
    manual_segment_id: int | None
    add_to_manual_segment: bool | None
    created_at: int
    left_at: int | None


class Journey(Answer):
    """One person's pass through a campaign; `steps` only where one journey is asked for."""

    id: str
    campaign: str | None = Field(None, description="Absent where the campaign is deleted.")
    campaign_id: int
    customer_identifiers: Identifiers | None
    state: Literal["in_progress", "finished", "exited_early"]
    reason: str | None
    explanation: str | None
    started_at: int
    ended_at: int | None
    converted_at: int | None
    version: int
    trigger: dict[str, Any]
    position: Position | None
    attributes: dict[str, Any]
    steps: list[Step] | None = None


class JourneyAnswer(Answer):
    """One journey with its steps."""

    journey: Journey


class Journeys(Answer):
    """One page, newest first."""

    journeys: list[Journey]
    next: str


class BlockPath(Answer):
    """One path of a branch, and how many took it."""

    key: str
    name: str
    next: str | None
    taken: int


class BlockFigures(Answer):
    """One block: how many stand at it now, and what became of those who were there."""

    key: str
    name: str
    type: str
    action_id: int
    branch: str | None = Field(description="The branch in one of whose paths it stands; null at the top.")
    path: str | None
    depth: int
    standing: int
    passed: int
    skipped: int
    failed: int
    drafted: int
    left: int = Field(description="How many were ended while they waited here.")
    paths: list[BlockPath]
    messages: dict[str, int] | None = Field(
        None, description="What became of its deliveries; only of blocks that make some."
    )


class CampaignName(Answer):
    """A campaign in short."""

    id: int
    key: str
    name: str
    state: str


class JourneyFigures(Answer):
    """How many journeys a campaign has; `starting` are those of `in_progress` that have reached no block yet."""

    started: int
    in_progress: int
    starting: int
    finished: int
    exited_early: int


class RemovedBlock(Answer):
    """A block that the workflow has lost while people stood at it."""

    key: str
    standing: int


class Blocks(Answer):
    """The blocks of a campaign in the order of its workflow, paths before what follows them."""

    campaign: CampaignName
    journeys: JourneyFigures
    blocks: list[BlockFigures]
    removed: list[RemovedBlock]


class TimelineEntry(Answer):
    """One thing that happened to a person."""

    at: int
    processed_at: int | None
    type: Literal["activity", "segment", "journey", "step", "delivery"]
    name: str
    data: dict[str, Any]


class Timeline(Answer):
    """One page, newest first."""

    timeline: list[TimelineEntry]
    next: str


class TrackedResponse(Answer):
    """A named button of a message: the first report that it was clicked."""

    id: int
    ts: int


class Message(Answer):
    """A delivery in the vendor's shape, with ours added."""

    id: str
    deduplicate_id: str
    type: str
    recipient: str
    subject: str | None
    created: int
    customer_id: str | None
    customer_identifiers: Identifiers | None = None
    identifiers: Identifiers | None = Field(None, description="The same as `customer_identifiers`.")
    campaign_id: int | None = None
    broadcast_id: int | None = None
    transactional_message_id: int | None = None
    action_id: int | None
    content_id: int | None
    parent_action_id: int | None
    msg_template_id: int | None = Field(description="The block, or the content of the transactional message.")
    message_template_id: int | None = Field(description="The same.")
    trigger_event_id: str | None
    failure_message: str | None
    forgotten: bool
    metrics: dict[str, int]
    tracked_responses: dict[str, TrackedResponse] | None = Field(
        None, description="The named buttons that were clicked, where they are asked for."
    )
    journey_id: str | None
    block: str | None
    language: str | None
    variant: str | None = Field(description="The arm of an A/B test, `a` or `b`.")
    draft: bool
    holdout: bool = Field(description="Counted and never sent; its `status` is then `holdout`.")
    held_until: int | None
    status: str
    ambiguous: bool = Field(description="Handed over, and nobody knows whether the provider took it.")


class MessageAnswer(Answer):
    """One delivery."""

    message: Message


class Messages(Answer):
    """One page, newest first."""

    messages: list[Message]
    next: str


class ArchivedMessage(Answer):
    """What was rendered for a delivery."""

    id: str
    body: str
    body_plain: str
    body_amp: str
    subject: str | None
    preheader_text: str | None
    from_: str | None = Field(alias="from")
    reply_to: str | None
    recipient: str
    bcc: str | None
    cc: str | None
    fake_bcc: bool
    headers: str = Field(description="JSON text.")
    language: str = Field(description="Empty: the default.")
    forgotten: bool = Field(description="Nothing of the content is kept.")
    request_method: str | None = Field(None, description="Of webhooks.")
    url: str | None = Field(None, description="Of webhooks.")
    payload: Any = Field(None, description="What channels take as JSON; absent in others.")


class ArchivedAnswer(Answer):
    """The content of one delivery."""

    archived_message: ArchivedMessage


class Attempt(Answer):
    """One hand-over and what came back."""

    at: int
    outcome: Literal["accepted", "retry", "rejected", "suppressed", "held"]
    provider: str
    status: str
    detail: str
    next_attempt_at: int | None


class Attempts(Answer):
    """Hand-overs, oldest first."""

    attempts: list[Attempt]


class Captured(Answer):
    """One message of the mailbox."""

    id: str
    delivery_id: str | None
    channel: str
    outcome: str
    purpose: Literal["delivery", "fake_bcc", "test"]
    to: list[str]
    from_: str | None = Field(alias="from")
    at: int
    customer_identifiers: Identifiers | None
    campaign: str | None
    broadcast: str | None
    newsletter: str | None
    transactional: str | None
    block: str | None
    language: str | None
    rendered: dict[str, Any]
    attachments: list[dict[str, Any]]


class Mailbox(Answer):
    """One page, oldest first."""

    messages: list[Captured]
    next: str


class Person(Answer):
    """A person; every attribute value is text."""

    id: str
    identifiers: Identifiers
    attributes: dict[str, str]
    timestamps: dict[str, int]
    unsubscribed: bool
    devices: list[dict[str, Any]]


class PersonAnswer(Answer):
    """One person."""

    customer: Person


class People(Answer):
    """People with one email address."""

    results: list[Identifiers]


class PeopleAnswer(Answer):
    """Several people."""

    customers: list[PersonAnswer]


class ObjectIdentifiers(Answer):
    """The names of an object."""

    object_id: str
    cio_object_id: str


class RelatedObject(Answer):
    """Something a person belongs to; `timestamps` say since when."""

    object_type_id: str
    identifiers: ObjectIdentifiers
    attributes: dict[str, str]
    timestamps: dict[str, int]


class RelatedObjects(Answer):
    """One page."""

    cio_relationships: list[RelatedObject]
    next: str


class PersonSegment(Answer):
    """A segment somebody is in."""

    id: int
    key: str
    name: str
    description: str


class PersonSegments(Answer):
    """The segments somebody is in."""

    segments: list[PersonSegment]
