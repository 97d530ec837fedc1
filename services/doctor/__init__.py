"""`sojourn doctor`: what is looked at, in the order of the report."""

from typing import Final

from services.doctor import (
    database,
    flow,
    journeys,
    partitions,
    place,
    processes,
    sending,
    sessions,
    temporal,
    upkeep,
)
from services.doctor.finding import ANCHORS, PAGE, Finding, Level, ok, status
from services.doctor.running import examine
from services.doctor.sight import Check, Cluster, Deployment, Namespace, QueueState

CHECKS: Final[tuple[Check, ...]] = (
    *database.CHECKS,
    *sessions.CHECKS,
    *upkeep.CHECKS,
    *temporal.CHECKS,
    *processes.CHECKS,
    *partitions.CHECKS,
    *flow.CHECKS,
    *journeys.CHECKS,
    *sending.CHECKS,
    *place.CHECKS,
)

__all__ = [
    "ANCHORS",
    "CHECKS",
    "PAGE",
    "Check",
    "Cluster",
    "Deployment",
    "Finding",
    "Level",
    "Namespace",
    "QueueState",
    "examine",
    "ok",
    "status",
]
