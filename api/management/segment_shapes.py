"""What segments answer with, for the API description."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr

from api.management.schemas import Answer, Body
from api.management.shapes import Identifiers
from domain.documents import KEY_PATTERN


class SegmentBuild(Answer):
    """The task in which everybody is looked at: how many were, and of how many."""

    task_id: str = Field(description="What `/v1/tasks/{task_id}` and its `cancel` take.")
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    done: int
    total: int | None
    error: str | None = Field(description="Why it failed.")


class Segment(Answer):
    """A segment in the vendor's shape, with ours added."""

    id: int
    deduplicate_id: str
    key: str
    name: str
    description: str
    state: Literal["events", "build", "events_queued", "build_queued", "finished"] = Field(
        description="`build` while everybody is looked at, `build_queued` where that was broken off, else `finished`."
    )
    lifecycle: Literal["building", "ready", "unbuilt", "archived"] = Field(description="Our own word for its state.")
    archived: bool
    progress: int | None = Field(description="Percent, while the segment is built.")
    build: SegmentBuild | None = Field(description="The build under way, or the one that was broken off.")
    type: Literal["dynamic", "manual"]
    conditions: dict[str, Any] | None = Field(description="The canonical conditions; null for a manual segment.")
    members: int = Field(description="How many are in it now; of one being built, as far as it is.")
    tags: list[str] | None
    created_at: int
    updated_at: int


class SegmentAnswer(Answer):
    """One segment."""

    segment: Segment


class Segments(Answer):
    """Every segment, oldest first."""

    segments: list[Segment]


class ClearBody(Body):
    """How a segment is emptied."""

    update_campaign_journeys: bool = Field(
        default=False, description="True also releases waits and fires triggers on not being in the segment."
    )


class CopyBody(Body):
    """How a copy is called; what is left out is made up."""

    key: Annotated[StrictStr, Field(pattern=KEY_PATTERN)] | None = None
    name: Annotated[StrictStr, Field(min_length=1, max_length=190)] | None = None


class SegmentReferent(Answer):
    """One reference to a segment: whose it is, and where it stands there."""

    kind: str
    key: str
    id: int
    name: str
    pointer: str
    state: str | None = Field(description="The state of what refers to it, where that kind has one.")


class Users(Answer):
    """What refers to a segment: numbers by kind, and every reference."""

    campaigns: list[int]
    broadcasts: list[int]
    sent_newsletters: list[int]
    draft_newsletters: list[int]
    segments: list[int]
    forms: list[int]
    referents: list[SegmentReferent]


class UsedBy(Answer):
    """What refers to a segment."""

    segment_id: int
    used_by: Users


class CustomerCount(Answer):
    """How many are in a segment."""

    count: int


class MemberIdentifiers(Identifiers):
    """The names of a member, and since when they are one."""

    since: int


class Membership(Answer):
    """One page of the people in a segment; `ids` holds an empty text for those without an id."""

    segment_id: int
    ids: list[str]
    identifiers: list[MemberIdentifiers]
    next: str


class SegmentChange(Answer):
    """Somebody came in or left; `customer_identifiers` is null where the person is gone."""

    id: str
    change: Literal["entered", "left"]
    at: int
    processed_at: int
    customer_identifiers: Identifiers | None
    reason: str | None


class SegmentChanges(Answer):
    """One page, the latest recorded first."""

    segment_id: int
    changes: list[SegmentChange]
    next: str


class SegmentDay(Answer):
    """How often people came in and left on one day."""

    date: str
    start: int = Field(description="When the day began, in Unix seconds.")
    entered: int
    left: int


class SegmentHistory(Answer):
    """A segment's size now and its last days, oldest first."""

    segment_id: int
    timezone: str
    members: int
    subscribed: int | None = Field(description="Members who are not unsubscribed; null where counting takes too long.")
    subscribed_percent: float | None = Field(description="Null also where nobody is in it.")
    days: list[SegmentDay]
