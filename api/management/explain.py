"""Why somebody did, or did not, begin a campaign."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.deps import Db, Definitions, Now, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.parameters import NamedBy
from api.paths import reference
from services.looking.explain import explained

router = APIRouter(tags=["Journeys"])


class Check(BaseModel):
    """One check that an occurrence has to pass, and what it saw."""

    check: Literal[
        "running", "trigger", "age", "audience", "fan_out", "frequency", "filters", "concurrency", "exit_at_entry"
    ]
    passed: bool
    evidence: dict[str, Any]
    message: str


class MessageOutcome(BaseModel):
    """What became of one message of the workflow in one journey, and why."""

    block: str
    action_id: int
    outcome: Literal["waiting", "done", "skipped", "drafted", "failed", "branched", "exited", "not_reached"]
    explanation: str | None
    delivery_id: str | None
    status: str | None


class ExplainedJourney(BaseModel):
    """One journey of the person in the campaign, with its messages in the order in which they had their turn."""

    id: str
    state: Literal["in_progress", "finished", "exited_early"]
    reason: str | None
    explanation: str | None
    started_at: int
    ended_at: int | None
    messages: list[MessageOutcome]


class Explanation(BaseModel):
    """The checks in order, up to the first that failed; `journeys` are the person's latest in the campaign."""

    entered: bool
    journey_id: str | None
    checks: list[Check]
    journeys: list[ExplainedJourney]


@router.get(
    "/v1/campaigns/{campaign}/explain",
    operation_id="explainEntry",
    summary="Why did this person enter, or not",
    response_model=Explanation,
    responses=errors(404, 422),
)
async def explain_entry(
    db: Db,
    catalogs: Definitions,
    inside: Reading,
    now: Now,
    campaign: str,
    *,
    customer: Annotated[str, Query(description="A person, named as `id_type` says.")],
    id_type: NamedBy = "id",
    occurrence: Annotated[
        str | None, Query(description="Event, submission or object change to explain; default the latest.")
    ] = None,
) -> Response:
    """The checks of the latest occurrence, or of one, and why each message of the journeys was or was not sent."""
    answer = await explained(
        db,
        catalogs,
        inside.workspace_id,
        reference(campaign),
        (customer, id_type),
        occurrence=occurrence,
        real_now=now,
    )
    return json_response(answer)


__all__ = ["router"]
