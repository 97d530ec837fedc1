"""What became of journeys by when they were created, in the App API's words (APP-06)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.deps import Db, Definitions, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer
from api.paths import reference
from domain.increments import Resolution
from services.looking import journey_metrics

router = APIRouter(tags=["Journeys"])

_Instant = Annotated[int, Query(ge=0, le=99_999_999_999, description="Unix seconds.")]


class JourneyMetric(Answer):
    """One number for each increment, oldest first: journeys created in it, by what they have reached by now."""

    started: list[int] = Field(description="Triggered: all of them.")
    activated: list[int] = Field(description="A message or a data block had its turn.")
    messaged: list[int] = Field(description="A message was made, drafts, webhooks and Slack included.")
    finished: list[int] = Field(description="Came to the end or to an exit block.")
    exited_early: list[int] = Field(description="Left before that, those of `never_activated` apart.")
    converted: list[int] = Field(description="Met the goal.")
    never_activated: list[int] = Field(description="Left, matching no more, before anything but delays and branches.")


class JourneyMetrics(Answer):
    """The figures of a campaign's journeys."""

    journey_metric: JourneyMetric


@router.get(
    "/v1/campaigns/{campaign}/journey_metrics",
    operation_id="getJourneyMetrics",
    summary="What became of a campaign's journeys, by when they were created",
    response_model=JourneyMetrics,
    responses=errors(404),
)
async def of_campaign(
    db: Db,
    catalogs: Definitions,
    inside: Reading,
    campaign: str,
    *,
    start: _Instant,
    end: _Instant,
    resolution: Annotated[Resolution, Query(description="Hours, days, months of UTC; weeks count from `start`.")],
) -> Response:
    """From `start` up to, and without, `end`, at most ten years. All three parameters are required."""
    answer = await journey_metrics.of_campaign(
        db, catalogs, inside.workspace_id, reference(campaign), start=start, end=end, resolution=resolution
    )
    return json_response(answer)


__all__ = ["router"]
