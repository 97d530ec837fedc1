"""Figures for Prometheus: what this process counts of itself."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import ProcessParts
from telemetry import figures

router = APIRouter(tags=["Health"])


@router.get("/metrics", operation_id="metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(parts: ProcessParts) -> Response:
    """Calls, accepted facts, connections: figures of this process. What waits in the database stands in those of the `tasks` worker."""
    parts.db.report()
    return Response(figures.text(), media_type=figures.CONTENT_TYPE_LATEST)


__all__ = ["router"]
