"""Trying conditions: on one person, leaf by leaf, and on everybody."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api import bodies
from api.deps import Db, Definitions, Now, Reading
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer
from api.management.shapes import Identifiers
from domain.samples import Estimate, Trial
from services.looking import conditions

router = APIRouter(tags=["Preview"])
_DEFINITIONS: Final = "#/components/schemas/"


class LeafVerdict(Answer):
    """What one leaf says, and what it saw."""

    pointer: str = Field(description="Where the leaf stands in the request.")
    result: bool
    actual: Any = Field(None, description="The value, the count, the membership; null where there is nothing.")
    note: str
    next_check_at: int | None = Field(description="The next instant at which the clock alone can turn this leaf.")


class Verdict(Answer):
    """Whether a condition holds for somebody, and why."""

    result: bool
    reason: str
    at: int = Field(description="The instant as of which it was evaluated.")
    next_check_at: int | None = Field(description="The next instant at which the clock alone can turn the result.")
    leaves: list[LeafVerdict]


class Estimated(Answer):
    """How many people match now, and some of them."""

    count: int
    total: int = Field(description="How many people there are.")
    percent: float = Field(description="Of those looked at.")
    sample: list[Identifiers]
    complete: bool = Field(description="False where the time was up before everybody was looked at.")
    looked_at: int = Field(description="Among how many people was counted, the oldest first.")


def _schema(kind: type[BaseModel]) -> dict[str, Any]:
    """What the API description says of a body, its parts written out where they stand."""
    described = bodies.schema(kind)
    content = described["requestBody"]["content"]["application/json"]
    parts = content["schema"].pop("$defs", {})

    def written_out(value: Any) -> Any:
        if isinstance(value, list):
            return [written_out(item) for item in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref", "")
        if reference.startswith(_DEFINITIONS):
            others = {name: part for name, part in value.items() if name != "$ref"}
            return written_out(parts[reference.removeprefix(_DEFINITIONS)] | others)
        return {name: written_out(part) for name, part in value.items()}

    content["schema"] = written_out(content["schema"])
    return described


@router.post(
    "/v1/conditions/evaluate",
    operation_id="evaluateCondition",
    summary="Evaluate a condition for one person, with the value of every leaf",
    response_model=Verdict,
    responses=errors(404, 413, 415, 422),
    openapi_extra=_schema(Trial),
)
async def evaluate(request: Request, db: Db, definitions: Definitions, inside: Reading, now: Now) -> Response:
    """For a person as they are, with some attributes changed, or for nobody but attributes; as of now or of `at`."""
    trial = await bodies.model(request, Trial)
    return json_response(await conditions.tried(db, definitions, inside.workspace_id, trial, real_now=now))


@router.post(
    "/v1/conditions/estimate",
    operation_id="estimateCondition",
    summary="Count the people a condition matches now",
    response_model=Estimated,
    responses=errors(413, 415, 422),
    openapi_extra=_schema(Estimate),
)
async def estimate(request: Request, db: Db, definitions: Definitions, inside: Reading, now: Now) -> Response:
    """Exactly, over everybody; or as far as twenty seconds reach, as `complete` says."""
    wanted = await bodies.model(request, Estimate)
    return json_response(await conditions.estimated(db, definitions, inside.workspace_id, wanted, real_now=now))


__all__ = ["router"]
