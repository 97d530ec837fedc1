"""The blocks of a campaign or a broadcast with how many stand at each, and how many have passed, skipped or failed it (CMP-30)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.blocks import ExitBlock
from domain.blocks.base import DeliveringBlock
from domain.workflow_walk import Place, paths, walk
from ingest.catalog import Campaign, Catalogs
from services.looking.sources import automation_named
from store import metrics
from store.database import Database
from store.reads import journeys as reads

BRANCHED: Final = "branched"
MESSAGE_METRICS: Final = (
    *("created", "sent", "delivered", "opened", "clicked", "converted", "bounced", "failed", "undeliverable"),
)
_WHOLE: Final = {"started": "triggered", "finished": "completed", "exited_early": "exited_early"}
Totals = Mapping[str, int]


async def of_campaign(db: Database, catalogs: Catalogs, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """Every block in the order of the workflow; raises NotFound.

    Blocks that the workflow has lost are listed for as long as people stand at them.
    """
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        campaign = named(catalog.campaigns, ref)
        actions = list(campaign.actions.values())
        standing = await reads.standing(conn, workspace_id, campaign.id)
        passed = await metrics.totals(conn, workspace_id, "block", actions)
        sent = await metrics.totals(conn, workspace_id, "action", actions)
        whole = (await metrics.totals(conn, workspace_id, "campaign", [campaign.id])).get(campaign.id, {})
    blocks = _blocks(campaign, passed, sent, standing)
    about_to_start = standing.pop(None, 0)
    return {
        "campaign": {"id": campaign.id, "key": campaign.key, "name": campaign.name, "state": campaign.state},
        "journeys": {
            "in_progress": about_to_start + sum(standing.values()) + sum(block["standing"] for block in blocks),
            "starting": about_to_start,
            **{word: whole.get(metric, 0) for word, metric in _WHOLE.items()},
        },
        "blocks": blocks,
        "removed": [{"key": key, "standing": count} for key, count in sorted(standing.items(), key=str)],
    }


async def of_broadcast(db: Database, catalogs: Catalogs, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """Every block of a broadcast in the order of its workflow, over all triggers; nobody stands at any. Raises NotFound."""
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        broadcast = automation_named(catalog.broadcasts, "broadcast", ref)
        actions = list(broadcast.actions.values())
        passed = await metrics.totals(conn, workspace_id, "block", actions)
        sent = await metrics.totals(conn, workspace_id, "action", actions)
    return {
        "broadcast": {"id": broadcast.id, "key": broadcast.key, "name": broadcast.name, "state": broadcast.state},
        "blocks": _blocks(broadcast, passed, sent, {}),
    }


def named(campaigns: Mapping[int, Campaign], ref: str | int) -> Campaign:
    """The campaign with this key or id; raises NotFound."""
    return automation_named(campaigns, "campaign", ref)


def _blocks(
    campaign: Campaign, passed: Mapping[int, Totals], sent: Mapping[int, Totals], standing: dict[str | None, int]
) -> list[dict[str, Any]]:
    """Each block with its figures; who stands at one is taken out of `standing`."""
    blocks = []
    for place in walk(campaign.definition.workflow):
        action_id = campaign.actions.get(place.key, 0)
        figures = passed.get(action_id, {})
        shown = _block(place, figures) | {"action_id": action_id, "standing": standing.pop(place.key, 0)}
        if isinstance(place.block, DeliveringBlock):
            shown["messages"] = {name: sent.get(action_id, {}).get(name, 0) for name in MESSAGE_METRICS}
        blocks.append(shown)
    return blocks


def _block(place: Place, figures: Totals) -> dict[str, Any]:
    taken = {name.partition("/")[2]: count for name, count in figures.items() if name.startswith(f"{BRANCHED}/")}
    known = [
        {"key": path.key, "name": path.name, "next": path.next, "taken": taken.pop(path.key, 0)}
        for path in paths(place.block)
    ]
    branched = sum(count for name, count in figures.items() if name.partition("/")[0] == BRANCHED)
    left = figures.get("exited", 0)
    done = figures.get("done", 0) + branched
    is_end = isinstance(place.block, ExitBlock)
    return {
        "key": place.key,
        "name": place.block.label(place.key),
        "type": place.block.type,
        "branch": place.branch,
        "path": place.path,
        "depth": place.depth,
        "passed": done + left if is_end else done,
        "skipped": figures.get("skipped", 0),
        "failed": figures.get("failed", 0),
        "drafted": figures.get("drafted", 0),
        "left": 0 if is_end else left,
        "paths": known,
    }


__all__ = ["named", "of_broadcast", "of_campaign"]
