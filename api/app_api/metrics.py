"""Figures of messages over time: of campaigns, broadcasts, their blocks and transactional messages (SUB-25, APP-04)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.app_api.references import named
from api.deps import Db, Definitions, Now, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer
from domain.errors import DomainError
from domain.increments import Resolution
from domain.periods import Period
from services.looking.delivery_metrics import METRICS, Between, DeliveryMetrics, LastSteps, Of, Question
from services.looking.message_lists import MessageType

router = APIRouter(tags=["Deliveries"])
_UNKNOWN: Final = errors(404)

_Period = Annotated[Period, Query(description="Days break four hours behind UTC, weeks begin on Sunday.")]
_Steps = Annotated[
    int | None,
    Query(
        ge=0, description="Two at least, 24 hours, 45 days, 12 weeks or 121 months at most; 0 is the most there can be."
    ),
]
_Instant = Annotated[int | None, Query(ge=0, le=99_999_999_999, description="Unix seconds; of version 2.")]
_Unique = Annotated[bool, Query(description="Count messages in which a link was clicked, not clicks.")]
Channel = Annotated[MessageType | None, Query(description="The vendor's channel names.")]


class Metric(Answer):
    """One series of each metric; the last three stand in answers of version 2."""

    series: dict[str, list[int]] = Field(description=f"One number for each step, oldest first: {', '.join(METRICS)}.")
    start: str | None = None
    end: str | None = None
    res: str | None = None


class LanguageVariant(Answer):
    """The figures of what was sent in one language."""

    default: bool
    language: str
    series: dict[str, list[int]]


class Metrics(Answer):
    """Figures of messages by when these were made."""

    metric: Metric
    language_variants: dict[str, LanguageVariant] | None = Field(
        None, description="Of blocks that speak several languages: by language."
    )


class Link(Answer):
    """An address in messages."""

    id: int
    href: str


class LinkSeries(Answer):
    """How often it was clicked."""

    series: dict[str, list[int]] = Field(description="`clicked`, `human_clicked` and `machine_clicked`.")


class LinkMetric(Answer):
    """One link with its figures."""

    link: Link
    metric: LinkSeries


class LinkMetrics(Answer):
    """The links that were clicked, the most clicked first."""

    links: list[LinkMetric]


def figures(db: Db, catalogs: Definitions, inside: Reading, now: Now) -> DeliveryMetrics:
    """The figures of the key's workspace."""
    return DeliveryMetrics(db, catalogs, inside.workspace_id, now)


def last_steps(*, period: _Period = "days", steps: _Steps = None) -> LastSteps:
    """The question of the first version."""
    return LastSteps(period, steps)


def question(
    last: Annotated[LastSteps, Depends(last_steps)],
    *,
    version: Annotated[Literal["1", "2"], Query()] = "1",
    res: Annotated[Resolution | None, Query(description="Of version 2.")] = None,
    start: _Instant = None,
    end: _Instant = None,
    tz: Annotated[str, Query(max_length=64, description="The zone of the days of version 2.")] = "UTC",
) -> Question:
    """The question of either version; the second needs `res`, `start` and `end`."""
    if version == "1":
        return last
    for name, value in (("res", res), ("start", start), ("end", end)):
        if value is None:
            raise DomainError("invalid_parameter", f"Version 2 needs `{name}`.", f"/{name}")
    assert res is not None, "it was looked at just now"
    assert start is not None, "it was looked at just now"
    assert end is not None, "it was looked at just now"
    return Between(start, end, res, tz)


Figures = Annotated[DeliveryMetrics, Depends(figures)]
Last = Annotated[LastSteps, Depends(last_steps)]
Asked = Annotated[Question, Depends(question)]


@router.get(
    "/v1/campaigns/{campaign}/metrics",
    operation_id="campaignMetrics",
    summary="What became of a campaign's messages",
    response_model=Metrics,
    responses=_UNKNOWN,
)
async def of_campaign(found: Figures, campaign: str, asked: Asked, *, type: Channel = None) -> Response:  # noqa: A002 - the wire name
    """By when they were made. `version=2` tells of `start` to `end` in steps of `res`, in the days of `tz`."""
    return json_response(await found.series(Of("campaign", named(campaign), type=type), asked))


@router.get(
    "/v1/campaigns/{campaign}/metrics/links",
    operation_id="campaignLinkMetrics",
    summary="The links clicked in a campaign's messages",
    response_model=LinkMetrics,
    responses=_UNKNOWN,
)
async def links_of_campaign(found: Figures, campaign: str, last: Last, *, unique: _Unique = False) -> Response:
    """By when the messages were made."""
    return json_response(await found.links(Of("campaign", named(campaign)), last, unique=unique))


@router.get(
    "/v1/campaigns/{campaign}/actions/{action}/metrics",
    operation_id="campaignActionMetrics",
    summary="What became of the messages of one block of a campaign",
    response_model=Metrics,
    responses=_UNKNOWN,
)
async def of_campaign_action(
    found: Figures,
    campaign: str,
    action: str,
    asked: Asked,
    *,
    type: Channel = None,  # noqa: A002 - the wire name
) -> Response:
    """By when they were made, holdouts included; by language besides, where the block speaks several."""
    return json_response(await found.series(Of("campaign", named(campaign), named(action), type), asked))


@router.get(
    "/v1/campaigns/{campaign}/actions/{action}/metrics/links",
    operation_id="campaignActionLinkMetrics",
    summary="The links clicked in the messages of one block of a campaign",
    response_model=LinkMetrics,
    responses=_UNKNOWN,
)
async def links_of_campaign_action(
    found: Figures,
    campaign: str,
    action: str,
    last: Last,
    *,
    type: Channel = None,  # noqa: A002 - the wire name
    unique: _Unique = False,
) -> Response:
    """By when the messages were made."""
    return json_response(await found.links(Of("campaign", named(campaign), named(action), type), last, unique=unique))


@router.get(
    "/v1/broadcasts/{broadcast}/metrics",
    operation_id="broadcastMetrics",
    summary="What became of a broadcast's messages",
    response_model=Metrics,
    responses=_UNKNOWN,
)
async def of_broadcast(found: Figures, broadcast: str, asked: Asked, *, type: Channel = None) -> Response:  # noqa: A002 - the wire name
    """Of all its triggers, by when the messages were made."""
    return json_response(await found.series(Of("broadcast", named(broadcast), type=type), asked))


@router.get(
    "/v1/broadcasts/{broadcast}/metrics/links",
    operation_id="broadcastLinkMetrics",
    summary="The links clicked in a broadcast's messages",
    response_model=LinkMetrics,
    responses=_UNKNOWN,
)
async def links_of_broadcast(found: Figures, broadcast: str, last: Last, *, unique: _Unique = False) -> Response:
    """By when the messages were made."""
    return json_response(await found.links(Of("broadcast", named(broadcast)), last, unique=unique))


@router.get("/v1/broadcast/{broadcast}/actions/{action}/metrics", include_in_schema=False)
@router.get(
    "/v1/broadcasts/{broadcast}/actions/{action}/metrics",
    operation_id="broadcastActionMetrics",
    summary="What became of the messages of one block of a broadcast",
    response_model=Metrics,
    responses=_UNKNOWN,
)
async def of_broadcast_action(
    found: Figures,
    broadcast: str,
    action: str,
    asked: Asked,
    *,
    type: Channel = None,  # noqa: A002 - the wire name
) -> Response:
    """By when they were made, by language besides, where the block speaks several. `/v1/broadcast/...` is the same."""
    return json_response(await found.series(Of("broadcast", named(broadcast), named(action), type), asked))


@router.get("/v1/broadcast/{broadcast}/actions/{action}/metrics/links", include_in_schema=False)
@router.get(
    "/v1/broadcasts/{broadcast}/actions/{action}/metrics/links",
    operation_id="broadcastActionLinkMetrics",
    summary="The links clicked in the messages of one block of a broadcast",
    response_model=LinkMetrics,
    responses=_UNKNOWN,
)
async def links_of_broadcast_action(
    found: Figures,
    broadcast: str,
    action: str,
    last: Last,
    *,
    type: Channel = None,  # noqa: A002 - the wire name
    unique: _Unique = False,
) -> Response:
    """By when the messages were made."""
    return json_response(await found.links(Of("broadcast", named(broadcast), named(action), type), last, unique=unique))


@router.get(
    "/v1/transactional/{transactional}/metrics",
    operation_id="transactionalMetrics",
    summary="What became of what was sent of a transactional message",
    response_model=Metrics,
    responses=_UNKNOWN,
)
async def of_transactional(found: Figures, transactional: str, last: Last) -> Response:
    """By when the calls came; 1 is what was sent without a template."""
    return json_response(await found.series(Of("transactional", named(transactional)), last))


@router.get(
    "/v1/transactional/{transactional}/metrics/links",
    operation_id="transactionalLinkMetrics",
    summary="The links clicked in what was sent of a transactional message",
    response_model=LinkMetrics,
    responses=_UNKNOWN,
)
async def links_of_transactional(
    found: Figures, transactional: str, last: Last, *, unique: _Unique = False
) -> Response:
    """By when the calls came."""
    return json_response(await found.links(Of("transactional", named(transactional)), last, unique=unique))


__all__ = ["router"]
