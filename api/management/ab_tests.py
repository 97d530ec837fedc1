"""A/B tests of messages: their figures, and choosing the winner."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api import bodies
from api.deps import Db, Now, ProcessParts, Reading, WritingLive
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors
from api.paths import reference
from services import ab_tests

router = APIRouter(tags=["Lifecycle"])


class WinnerBody(schemas.Body):
    """The arm that stays: `a` is the original, `b` the variation."""

    variant: Literal["a", "b"]


class ArmFigures(schemas.Answer):
    """How many got an arm, and how many of them did what is measured."""

    total: int
    count: int


class MetricResult(schemas.Answer):
    """Both arms by one metric."""

    metric: Literal["opened", "clicked", "converted"]
    original: ArmFigures
    variation: ArmFigures
    chance_to_beat_original: float | None = Field(description="Null while an arm has nobody.")
    verdict: Literal["variation", "original", "not_significant"]


class AbTestResult(schemas.Answer):
    """The figures of a running test; with a holdout, which nobody can open, conversions only."""

    metrics: list[MetricResult]


@router.get(
    "/v1/campaigns/{campaign}/blocks/{block}/ab_test",
    operation_id="getAbTest",
    summary="Figures of a running A/B test",
    response_model=AbTestResult,
    responses=errors(404),
)
async def get(
    db: Db,
    inside: Reading,
    campaign: str,
    block: str,
    *,
    human_only: Annotated[
        bool, Query(description="Leave out opens and clicks of machines, where they are known.")
    ] = True,
) -> Response:
    """Per metric, each arm and the chance that the variation beats the original. Counted since the test began."""
    answer = await ab_tests.figures(
        db, inside.workspace_id, reference(campaign), reference(block), human_only=human_only
    )
    return json_response(answer)


@router.post(
    "/v1/campaigns/{campaign}/blocks/{block}/winner",
    operation_id="selectAbWinner",
    summary="End an A/B test",
    response_model=schemas.Status,
    responses=errors(404, 409, 413, 422),
    openapi_extra=bodies.schema(WinnerBody),
)
async def winner(
    request: Request, db: Db, inside: WritingLive, *, now: Now, parts: ProcessParts, campaign: str, block: str
) -> Response:
    """Keeps the winning content and drops the other arm. A winning holdout removes the block."""
    body = await bodies.model(request, WinnerBody)
    answer = await ab_tests.decide(
        db, inside.workspace_id, reference(campaign), reference(block), variant=body.variant, real_now=now
    )
    parts.notifier.send("tasks")
    return json_response(answer)


__all__ = ["router"]
