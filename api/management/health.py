"""Whether the process answers, and whether calls can be accepted."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response

from api.deps import Now, ProcessParts
from api.errors import json_response
from api.management import schemas

router = APIRouter(tags=["Health"])


@router.get("/v1/health/live", operation_id="live", summary="The process answers", response_model=schemas.Live)
async def live() -> Response:
    """Alive."""
    return json_response({"status": "live"})


@router.get(
    "/v1/health/ready",
    operation_id="ready",
    summary="Calls can be accepted; what processes them stands in `checks`",
    response_model=schemas.Ready,
    responses={503: {"model": schemas.Ready, "description": "Calls cannot be accepted."}},
)
async def ready(parts: ProcessParts, now: Now) -> Response:
    """200 while database and schema are there; Temporal and workers only turn the status to `degraded`."""
    found = await parts.health.check(now)
    checks = {name: asdict(check) for name, check in found.checks.items()}
    answer = {"status": found.status, "version": parts.version, "checks": checks}
    return json_response(answer, 503 if found.status == "not_ready" else 200)


__all__ = ["router"]
