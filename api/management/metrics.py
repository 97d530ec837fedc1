"""Figures for Prometheus: this process's calls, and what waits in the database."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import Now, ProcessParts
from observability import CONTENT_TYPE_LATEST, INGEST_LAG, INGEST_PENDING, OUTBOX_DEPTH, PROVIDERS_AWAY, metrics_text
from services.health import waiting

router = APIRouter(tags=["Health"])


@router.get("/metrics", operation_id="metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(parts: ProcessParts, now: Now) -> Response:
    """Ingest lag, outbox depth by lane, providers that are away, calls answered by this process; a worker adds the failures of activities."""
    found = await waiting(parts.db, now)
    INGEST_PENDING.set(found.rows)
    INGEST_LAG.set(found.lag)
    PROVIDERS_AWAY.set(found.providers)
    for lane, rows in found.outbox.items():
        OUTBOX_DEPTH.labels(lane).set(rows)
    return Response(metrics_text(), media_type=CONTENT_TYPE_LATEST)


__all__ = ["router"]
