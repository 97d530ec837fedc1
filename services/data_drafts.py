"""Actions that are drafted: a delivery that names its block and waits for somebody to have it carried out (ACT-02)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.blocks import DataBlock
from domain.deliveries import microseconds
from ingest.catalog import Campaign
from ingest.unit import Unit
from services.delivery_rows import keeping, new_row
from store import deliveries as store
from store.journeys import JourneyRow

_NOT_SHOWN = frozenset({"type", "next", "conditions", "sending_state", "renamed_from", "name", "note"})
COUNTED = ("created", "drafted")


async def draft_action(
    unit: Unit, campaign: Campaign, journey: JourneyRow, key: str, block: DataBlock, *, now: datetime
) -> str:
    """Keep an action as a draft of its journey instead of carrying it out; returns the delivery's id."""
    action_id = campaign.actions[key]
    row = replace(
        new_row(unit.catalog, campaign, key, journey, now),
        channel=block.type,
        status="drafted",
        subject=block.label(key),
        metrics=dict.fromkeys(COUNTED, microseconds(now)),
        draft=True,
    )
    document = keeping(document_of(block, key), journey)
    if await store.insert(unit.conn, row, document):
        for metric in COUNTED:
            unit.count("campaign", campaign.id, metric)
            unit.count("action", action_id, metric)
    return row.delivery_id


def document_of(block: DataBlock, key: str) -> dict[str, Any]:
    """What a draft of the block shows: its name, and what it is to do."""
    asked = {name: value for name, value in block.model_dump(mode="json").items() if name not in _NOT_SHOWN}
    return {
        "channel": block.type,
        "fields": {"block": key, "name": block.label(key)},
        "headers": [],
        "errors": [],
        "payload": asked,
    }


__all__ = ["document_of", "draft_action"]
