"""The campaigns of a workspace with what becomes of the people in them, for whoever looks after them (CMP-35)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.values import to_unix
from ingest.catalog import Campaign, Catalogs
from store import definitions, drafts, metrics
from store.database import Database

ORDER: Final = ("running", "starting", "stopping", "draft", "stopped", "archived")
FIGURES: Final[Mapping[str, str]] = {
    "started": "triggered",
    "finished": "completed",
    "exited_early": "exited_early",
    "sent": "sent",
    "converted": "converted",
}
"""What is told of a campaign, with the total that it is."""


async def listed(db: Database, catalogs: Catalogs, workspace_id: int) -> list[dict[str, Any]]:
    """Every campaign with its figures: those under way first, archived ones last, by name."""
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        numbers = list(catalog.campaigns)
        active = await definitions.active_journeys(conn, workspace_id, numbers)
        waiting = await drafts.by_campaign(conn, workspace_id, numbers)
        totals = await metrics.totals(conn, workspace_id, "campaign", numbers)
    found = [
        shown(campaign)
        | {"in_progress": active.get(campaign.id, 0), "drafts": waiting.get(campaign.id, 0)}
        | {name: totals.get(campaign.id, {}).get(metric, 0) for name, metric in FIGURES.items()}
        for campaign in catalog.campaigns.values()
    ]
    return sorted(found, key=lambda one: (_place(one["state"]), one["name"].casefold(), one["id"]))


def shown(campaign: Campaign) -> dict[str, Any]:
    """What a campaign is, in short."""
    definition = campaign.definition
    return {
        "id": campaign.id,
        "key": campaign.key,
        "name": campaign.name,
        "description": getattr(definition, "description", None),
        "state": campaign.state,
        "trigger": definition.trigger.type,
        "version": campaign.version,
        "started_at": None if campaign.started_at is None else to_unix(campaign.started_at),
    }


def _place(state: str) -> int:
    return ORDER.index(state) if state in ORDER else len(ORDER)


__all__ = ["listed", "shown"]
