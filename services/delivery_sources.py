"""What a delivery comes of, found again from its row: the automation as it is now, the block, and the way to it."""

from __future__ import annotations

from typing import NamedTuple

from ingest.catalog import Campaign, Catalog
from services.passages import of_broadcast, of_send
from services.transactional.automation import automation_of
from store import broadcasts, journeys, requests
from store.database import Connection
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow


class Source(NamedTuple):
    """Where a delivery comes from; what is None is gone. `key` is what the block is called now."""

    campaign: Campaign | None = None
    key: str | None = None
    journey: JourneyRow | None = None


async def source_of(
    conn: Connection, catalog: Catalog, row: DeliveryRow, *, journey: JourneyRow | None = None
) -> Source:
    """The source of a delivery; `journey` is its journey where the caller has it already."""
    if row.transactional_id is not None:
        return await _of_send(conn, catalog, row)
    campaign = catalog.automations.get(row.campaign_id or 0)
    key = None if campaign is None else key_of(campaign, row.action_id)
    if row.trigger_no is not None:
        return await _of_broadcast(conn, catalog, row, campaign, key)
    if journey is None and row.journey_id is not None:
        journey = await journeys.get(conn, row.workspace_id, row.journey_id)
    return Source(campaign, key, journey)


def key_of(campaign: Campaign, action_id: int | None) -> str | None:
    """The key that an action's block has now, None where it is gone."""
    blocks = campaign.definition.workflow.blocks
    return next((key for key, number in campaign.actions.items() if number == action_id and key in blocks), None)


async def _of_broadcast(
    conn: Connection, catalog: Catalog, row: DeliveryRow, campaign: Campaign | None, key: str | None
) -> Source:
    assert row.campaign_id is not None, "a trigger is one of a broadcast"
    assert row.trigger_no is not None, "it is one of a broadcast"
    found = await broadcasts.recipient_data(
        conn, row.workspace_id, row.campaign_id, row.trigger_no, row.recipient_no or 0
    )
    if campaign is None or found is None:
        return Source(campaign, key, None)
    passage = of_broadcast(
        catalog,
        campaign,
        trigger_no=row.trigger_no,
        recipient_no=row.recipient_no or 0,
        person_id=row.person_id or journeys.NOBODY,
        data=found,
        at=row.created_at,
    )
    return Source(campaign, key, passage)


async def _of_send(conn: Connection, catalog: Catalog, row: DeliveryRow) -> Source:
    assert row.transactional_id is not None, "it is a transactional send"
    request = await requests.get(conn, row)
    if request is None:
        return Source()
    campaign = automation_of(catalog, row, request)
    passage = of_send(
        row.workspace_id,
        row.delivery_id,
        transactional_id=row.transactional_id,
        person_id=row.person_id or journeys.NOBODY,
        data=request.get("message_data") or {},
        languages=(request["language"],) if request.get("language") else (),
        at=row.created_at,
    )
    return Source(campaign, None if campaign is None else next(iter(campaign.actions)), passage)


__all__ = ["Source", "key_of", "source_of"]
