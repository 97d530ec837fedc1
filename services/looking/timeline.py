"""Everything that happened to a person, in one order (CMP-30, PPL-18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.values import from_unix, to_unix
from ingest.catalog import Catalog, Catalogs
from services.looking import people
from services.looking.journeys import seconds
from services.looking.people import IdType
from store.database import Database
from store.reads import timeline as reads
from store.reads.cursor import decode, encode, instant, micros
from store.reads.timeline import ENTRY_TYPES, EntryType, Place, TimelineFilter, TimelineRow

_EVENTS = frozenset({"event", "page", "screen"})
_CONTENT = dict.fromkeys(_EVENTS, "data") | {"attribute_change": "attributes"}
"""Where the log keeps what the caller sent."""


@dataclass(frozen=True, slots=True)
class TimelineQuery:
    """Whose timeline, and its filters, as a caller gives them; both times are included."""

    customer: str
    id_type: IdType = "id"
    types: Sequence[EntryType] = ENTRY_TYPES
    since: int | None = None
    until: int | None = None


async def page(
    db: Database, catalogs: Catalogs, workspace_id: int, query: TimelineQuery, *, start: str | None, limit: int
) -> dict[str, Any]:
    """One page of a person's timeline, newest first; `next` is empty after the last page. Raises NotFound."""
    before = _before(start)
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        person = await people.named(conn, workspace_id, query.customer, query.id_type)
        which = TimelineFilter(
            types=query.types or ENTRY_TYPES,
            since=None if query.since is None else from_unix(query.since),
            until=None if query.until is None else from_unix(query.until + 1),
        )
        found = await reads.page(conn, workspace_id, person.person_id, which, before=before, limit=limit + 1)
    kept = found[:limit]
    last = kept[-1].place if len(found) > limit else None
    return {
        "timeline": [shown(catalog, row) for row in kept],
        "next": "" if last is None else encode(micros(last.at), last.rank, last.key),
    }


def shown(catalog: Catalog, row: TimelineRow) -> dict[str, Any]:
    """One entry in the contract's shape."""
    name, data = _SHAPES[row.type](catalog, row.values)
    return {
        "at": to_unix(row.place.at),
        "processed_at": seconds(row.values.get("processed_at")),
        "type": row.type,
        "name": name,
        "data": data,
    }


def _activity(_catalog: Catalog, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    kind, kept = values["type"], values["data"]
    data: dict[str, Any] = {"id": str(values["activity_id"]), "type": kind, "name": values["name"]}
    if kind in _EVENTS:
        data["event_id"] = kept.get("event_id")
    return values["name"] or kind, data | {"data": kept.get(_CONTENT.get(kind, ""), kept)}


def _segment(_catalog: Catalog, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    kept = values["data"]
    data = {
        "id": str(values["activity_id"]),
        "change": "entered" if values["type"] == "segment_enter" else "left",
        "segment": kept.get("segment"),
        "segment_id": kept.get("segment_id"),
        "segment_name": values["name"],
        "reason": kept.get("reason"),
    }
    return kept.get("segment") or values["name"] or "", data


def _journey(catalog: Catalog, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    what = values["what"] if values["what"] != "ended" else values["state"]
    data = _campaign(catalog, values) | {"journey_id": values["journey_id"]}
    if values["what"] == "ended":
        data |= {"state": values["state"], "reason": values["reason"], "explanation": values["explanation"]}
    return what, data


def _step(catalog: Catalog, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    plain = ("journey_id", "seq_num", "action_id", "block", "output_type", "outcome", "explanation")
    more = ("delivery_id", "draft", "branch_index", "path")
    times = {name: seconds(values[name]) for name in ("delay_ends_at", "left_at")}
    return values["block"], _campaign(catalog, values) | {name: values[name] for name in (*plain, *more)} | times


def _delivery(catalog: Catalog, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    plain = ("delivery_id", "channel", "status", "recipient", "subject", "failure_message", "journey_id", "block")
    data = _source(catalog, values) | {name: values[name] for name in plain}
    more = ("metric", "draft", "holdout")
    return values["metric"], data | {name: values[name] for name in more}


def _campaign(catalog: Catalog, values: Mapping[str, Any]) -> dict[str, Any]:
    campaign = catalog.campaigns.get(values["campaign_id"])
    return {"campaign_id": values["campaign_id"], "campaign": None if campaign is None else campaign.key}


def _source(catalog: Catalog, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a message comes of: a campaign, a trigger of a broadcast, or a transactional message."""
    if (number := values["transactional_id"]) is not None:
        entry = catalog.find("transactional", number)
        key = None if entry is None else entry.key
        return {"campaign_id": None, "campaign": None, "transactional_message_id": number, "transactional": key}
    if values["trigger_no"] is None:
        return _campaign(catalog, values)
    broadcast = catalog.broadcasts.get(values["campaign_id"])
    key = None if broadcast is None else broadcast.key
    named = {"broadcast_id": values["campaign_id"], "broadcast": key, "trigger_id": values["trigger_no"]}
    return {"campaign_id": None, "campaign": None, **named}


_SHAPES = {
    "activity": _activity,
    "segment": _segment,
    "journey": _journey,
    "step": _step,
    "delivery": _delivery,
}


def _before(start: str | None) -> Place | None:
    parts = decode(start, int, int, str)
    return None if parts is None else Place(instant(parts[0]), parts[1], parts[2])


__all__ = ["EntryType", "TimelineQuery", "page", "shown"]
