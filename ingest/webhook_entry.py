"""A call to a webhook campaign's URL becomes a journey in which nobody travels (CMP-09)."""

from __future__ import annotations

from domain.facts import Position
from domain.operations import StartByPayload
from domain.outcomes import Done
from ingest.unit import Unit

STOPPED = Done("ignored", note="The campaign was stopped before the call was processed.")


async def start_by_payload(unit: Unit, operation: StartByPayload, at: Position) -> Done:
    """Begin the journey that the caller was told of; there is no frequency and no filter to ask.

    A campaign that has been stopped since lets nobody in, and no payload either.
    """
    campaign = unit.catalog.campaigns.get(operation.campaign_id)
    if campaign is None or campaign.definition.trigger.has_person or not campaign.enters:
        return STOPPED
    unit.start_journey(
        unit.seat_nobody(),
        campaign,
        entry=operation.journey_id,
        started=at,
        trigger={"data": operation.payload},
        journey_id=operation.journey_id,
    )
    return Done("applied")


__all__ = ["start_by_payload"]
