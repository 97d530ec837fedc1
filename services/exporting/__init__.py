"""What can be exported: a walk per type, page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from services.exporting import customers, deliveries, journeys, lists, objects, one
from services.exporting.job import ExportFailed, Job

Walk = Callable[[Job], Awaitable[bool]]
"""Does a page; False when there is none left."""
WALKS: Final[Mapping[str, Walk]] = {
    "customers": customers.page,
    "deliveries": deliveries.page,
    "devices": lists.devices,
    "duplicates": lists.duplicates,
    "segment_changes": lists.segment_changes,
    "journeys": journeys.page,
    "person": one.person,
    "objects": objects.page,
    "object": one.one_object,
}

__all__ = ["WALKS", "ExportFailed", "Job", "Walk"]
