"""What the pages of an operator's desk show: the same answers as the API's, with the names people know things by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.errors import NotFound
from domain.values import to_unix
from ingest.catalog import Campaign, Catalog, Catalogs
from services.looking import journeys, mailbox, messages, people, timeline
from services.looking.journeys import JourneyQuery
from services.looking.mailbox import MailboxQuery
from services.looking.timeline import TimelineQuery
from store import workspaces
from store.database import Database
from store.reads import journeys as journey_reads
from store.reads import messages as message_reads
from store.reads import people as people_reads
from store.reads.messages import MessageFilter
from store.workspaces import WorkspaceRow

PERSON_JOURNEYS = 20
OVERDUE = 60
MICROS = 1_000_000


class Desk:
    """Reads for the pages of one process."""

    def __init__(self, db: Database, catalogs: Catalogs) -> None:
        self._db = db
        self._catalogs = catalogs

    async def workspaces(self) -> list[WorkspaceRow]:
        """Every workspace, oldest first."""
        async with self._db.connection() as conn:
            return await workspaces.all_workspaces(conn)

    async def campaigns(self, workspace_id: int) -> list[dict[str, Any]]:
        """The campaigns of a workspace with the blocks somebody may stand at, newest first."""
        catalog = await self._catalog(workspace_id)
        return [_campaign(campaign) for campaign in sorted(catalog.campaigns.values(), key=lambda c: -c.id)]

    async def journeys(
        self, workspace_id: int, query: JourneyQuery, *, start: str | None, limit: int, now: datetime
    ) -> dict[str, Any]:
        """One page of journeys with names; `now` is the workspace's instant."""
        answer = await journeys.page(self._db, self._catalogs, workspace_id, query, start=start, limit=limit)
        catalog = await self._catalog(workspace_id)
        found = [_with_names(catalog, journey, now) for journey in answer["journeys"]]
        person = None
        if query.customer is not None:
            person = await self.find_person(workspace_id, query.customer, query.id_type)
        return {"journeys": found, "next": answer["next"], "person": person}

    async def journey(self, workspace_id: int, journey_id: str, now: datetime) -> dict[str, Any]:
        """One journey with its steps, its deliveries by id and the name of its workflow; raises NotFound."""
        answer = await journeys.one(self._db, self._catalogs, workspace_id, journey_id)
        catalog = await self._catalog(workspace_id)
        async with self._db.connection() as conn:
            row = await journeys.stored(conn, workspace_id, journey_id)
            which = MessageFilter(journey_id=journey_id)
            sent = await message_reads.page(conn, workspace_id, which, before=None, limit=1000)
        journey = _with_names(catalog, answer["journey"], now)
        campaign = catalog.campaigns.get(row.campaign_id)
        for step in journey["steps"]:
            step.update(_block(campaign, step["block"]))
        return {
            "journey": journey,
            "workflow_id": row.workflow_id,
            "parked": row.parked,
            "behind": row.active and row.seen < row.wanted,
            "deliveries": {message.delivery_id: message for message in sent},
        }

    async def find_person(self, workspace_id: int, name: str, id_type: people.IdType) -> dict[str, Any] | None:
        """The identifiers of the person with this name, or None."""
        async with self._db.connection() as conn:
            person = await people.find(conn, workspace_id, name, id_type)
        return None if person is None else dict(person.identifiers)

    async def person(
        self, workspace_id: int, query: TimelineQuery, *, start: str | None, limit: int, now: datetime
    ) -> dict[str, Any]:
        """A person: attributes, segments, latest journeys and one page of the timeline; raises NotFound."""
        catalog = await self._catalog(workspace_id)
        async with self._db.connection() as conn:
            person = await people.named(conn, workspace_id, query.customer, query.id_type)
            segments = await people_reads.segments_of(conn, workspace_id, person.person_id)
            which = journey_reads.JourneyFilter(person_id=person.person_id)
            rows = await journey_reads.page(conn, workspace_id, which, before=None, limit=PERSON_JOURNEYS + 1)
        page = await timeline.page(self._db, self._catalogs, workspace_id, query, start=start, limit=limit)
        found = [_with_names(catalog, journeys.shown(catalog, row, person), now) for row in rows]
        return {
            "person": dict(person.identifiers),
            "created_at": to_unix(person.created_at),
            "attributes": [
                {"name": name, "value": value, "at": _seconds(person.attribute_times, name)}
                for name, value in sorted(person.attributes.items())
            ],
            "unsubscribed": people.shown(person)["unsubscribed"],
            "segments": segments,
            "journeys": found[:PERSON_JOURNEYS],
            "more_journeys": len(found) > PERSON_JOURNEYS,
            "timeline": [_named_entry(catalog, entry) for entry in page["timeline"]],
            "next": page["next"],
        }

    async def mailbox(self, workspace_id: int, query: MailboxQuery, *, start: str | None, limit: int) -> dict[str, Any]:
        """One page of the mailbox, newest first."""
        return await mailbox.page(self._db, workspace_id, query, start=start, limit=limit, newest_first=True)

    async def captured(self, workspace_id: int, captured_id: str) -> dict[str, Any]:
        """One captured message, and whether its source is kept; raises NotFound."""
        return await mailbox.one(self._db, workspace_id, captured_id)

    async def captured_source(self, workspace_id: int, captured_id: str) -> tuple[bytes, str]:
        """The source of a captured message with its media type; raises NotFound."""
        return await mailbox.raw(self._db, workspace_id, captured_id)

    async def delivery(self, workspace_id: int, delivery_id: str) -> dict[str, Any]:
        """One delivery with content and attempts; raises NotFound."""
        answer = await messages.one(self._db, workspace_id, delivery_id)
        content = await messages.archived(self._db, workspace_id, delivery_id)
        attempts = await messages.attempts(self._db, workspace_id, delivery_id)
        catalog = await self._catalog(workspace_id)
        message = answer["message"]
        campaign = catalog.automations.get(message.get("campaign_id") or message.get("broadcast_id") or 0)
        names: dict[str, Any] = {"campaign": None if campaign is None else _campaign(campaign)}
        names["sent_by"] = _sent_by(catalog, message)
        if message["block"] is not None:
            names |= _block(campaign, message["block"])
        return {**answer, **content, **attempts, **names}

    async def _catalog(self, workspace_id: int) -> Catalog:
        async with self._db.connection() as conn:
            return await self._catalogs.get(conn, workspace_id)


def workspace_of(found: list[WorkspaceRow], workspace_id: int) -> WorkspaceRow:
    """The workspace with this id; raises NotFound."""
    for workspace in found:
        if workspace.workspace_id == workspace_id:
            return workspace
    raise NotFound("workspace", workspace_id)


def _campaign(campaign: Campaign) -> dict[str, Any]:
    blocks = campaign.definition.workflow.blocks
    return {
        "id": campaign.id,
        "key": campaign.key,
        "name": campaign.name,
        "state": campaign.state,
        "blocks": [{"key": key, "label": block.label(key), "type": block.type} for key, block in blocks.items()],
    }


def _sent_by(catalog: Catalog, message: Mapping[str, Any]) -> dict[str, Any] | None:
    """The campaign, broadcast or transactional message behind a message, None where it is gone."""
    if (number := message.get("transactional_message_id")) is not None:
        entry = catalog.find("transactional", number)
        name = "Without a template" if entry is None else getattr(entry.definition, "name", entry.key)
        return {"kind": "transactional", "key": None if entry is None else entry.key, "name": name}
    automation = catalog.automations.get(message.get("campaign_id") or message.get("broadcast_id") or 0)
    if automation is None:
        return None
    return {"kind": automation.kind, "key": automation.key, "name": automation.name}


def _block(campaign: Campaign | None, key: str) -> dict[str, Any]:
    block = None if campaign is None else campaign.definition.workflow.blocks.get(key)
    return {"label": key if block is None else block.label(key), "block_type": None if block is None else block.type}


def _with_names(catalog: Catalog, journey: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    campaign = catalog.campaigns.get(journey["campaign_id"])
    position = journey["position"]
    if position is not None:
        due = position["due_at"]
        late = due is not None and due < to_unix(now) - OVERDUE
        position = {**position, **_block(campaign, position["block"]), "overdue": late}
    return {
        **journey,
        "position": position,
        "campaign": None if campaign is None else campaign.key,
        "campaign_name": f"Campaign {journey['campaign_id']}" if campaign is None else campaign.name,
        "campaign_gone": campaign is None,
    }


def _named_entry(catalog: Catalog, entry: Mapping[str, Any]) -> dict[str, Any]:
    data = entry["data"]
    campaign = catalog.automations.get(data.get("campaign_id") or data.get("broadcast_id") or 0)
    names: dict[str, Any] = {"campaign_name": None if campaign is None else campaign.name}
    if data.get("block"):
        names |= _block(campaign, data["block"])
    return {**entry, **names}


def _seconds(times: Mapping[str, int], name: str) -> int | None:
    return times[name] // MICROS if name in times else None


__all__ = ["Desk", "workspace_of"]
