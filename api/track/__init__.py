"""The Track API: facts about people and objects, in the shapes its client libraries send."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from api.track import accounts, customers, devices, entities, events, metrics, segments

ROUTERS: Final[tuple[APIRouter, ...]] = (
    customers.router,
    events.router,
    devices.router,
    metrics.router,
    segments.router,
    accounts.router,
    entities.router,
)

__all__ = ["ROUTERS"]
