"""Lists of deliveries: of the workspace, of a campaign, a broadcast or a transactional message, of a person (APP-04, APP-12)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from domain.message_metrics import MessageMetric
from domain.months import months_after
from domain.values import from_unix
from ingest.catalog import Catalog, Catalogs
from services.looking import people
from services.looking.messages import shown
from services.looking.people import IdType
from services.looking.sources import automation_named, transactional_id_of
from store.database import Connection, Database
from store.reads import messages as reads
from store.reads import people as people_reads
from store.reads.cursor import decode, encode, instant, micros
from store.reads.messages import MessageFilter

MessageType = Literal[
    "email", "webhook", "twilio", "push", "in_app", "slack", "whatsapp", "live_notification", "inbox", "line"
]
MessageState = Literal["failed", "sent", "drafted", "attempted"]
USUAL: Final = 6
"""How many months back a list goes that was asked for no times."""
LONGEST: Final = 12
"""How many months the list of one source may span; of a longer span it is the last ones."""
CHANNEL_OF: Final[Mapping[str, str]] = {"twilio": "sms"}
"""Our names of channels where the vendor has others."""
_METRIC_OF: Final[Mapping[str, str]] = {"dropped": "suppressed"}
_STATUSES_OF: Final[Mapping[str, Sequence[str]]] = {
    "failed": ("failed",),
    "sent": ("sent", "delivered", "opened", "clicked", "converted"),
    "drafted": ("drafted",),
    "attempted": ("attempted",),
}
"""What a delivery may have become by now that is in one of these states: whatever follows a hand-over has been sent."""


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """The filters of a list as a caller gives them."""

    customer: str | None = None
    id_type: IdType = "id"
    journey_id: str | None = None
    block: str | None = None
    transactional_message_id: int | None = None
    trigger_no: int | None = None
    content_id: int | None = None
    template_id: int | None = None
    drafts: bool = False
    type: MessageType | None = None
    metric: MessageMetric | None = None
    state: MessageState | None = None
    campaign_id: int | None = None
    newsletter_id: int | None = None
    action_id: int | None = None
    start_ts: int | None = None
    end_ts: int | None = None
    responses: bool = False
    """Whether the named buttons that were clicked are told as well."""


class Span(NamedTuple):
    """From when until when; the second instant is excluded, and None is open."""

    since: datetime | None
    until: datetime | None


class Paging(NamedTuple):
    """Which page of a list."""

    start: str | None
    limit: int


class MessageLists:
    """The lists of one workspace as they are at an instant of real time; all are newest first and raise NotFound."""

    def __init__(self, db: Database, catalogs: Catalogs, workspace_id: int, now: datetime) -> None:
        self._db = db
        self._catalogs = catalogs
        self._workspace_id = workspace_id
        self._now = now

    async def of_workspace(self, query: MessageQuery, paging: Paging) -> dict[str, Any]:
        """Without times, of the last six months. An unknown person has no messages."""
        async with self._reading() as (conn, catalog):
            person_id = None
            if query.customer is not None:
                person = await people.find(conn, self._workspace_id, query.customer, query.id_type)
                if person is None:
                    return _none(paging)
                person_id = person.person_id
            if query.newsletter_id is not None:
                # There are no newsletters in this version.
                return _none(paging)
            span = _asked(query)
            if span == (None, None):
                span = Span(months_after(catalog.now(self._now), -USUAL), None)
            return await self._page(conn, query, _filter(query, span, person_id), paging)

    async def of_campaign(self, ref: str | int, query: MessageQuery, paging: Paging) -> dict[str, Any]:
        """Without times, of the last six months, and never of more than the last twelve."""
        async with self._reading() as (conn, catalog):
            campaign = automation_named(catalog.campaigns, "campaign", ref)
            span = limited(_asked(query), catalog.now(self._now), LONGEST)
            return await self._page(conn, query, _filter(replace(query, campaign_id=campaign.id), span), paging)

    async def of_broadcast(self, ref: str | int, query: MessageQuery, paging: Paging) -> dict[str, Any]:
        """Without times, of the month after the first trigger, and never of more than the last twelve."""
        async with self._reading() as (conn, catalog):
            broadcast = automation_named(catalog.broadcasts, "broadcast", ref)
            span = limited(_asked(query), catalog.now(self._now), LONGEST)
            if _asked(query) == (None, None):
                first = await reads.first_triggered(conn, self._workspace_id, broadcast.id)
                if first is None:
                    return _none(paging)
                span = Span(first, months_after(first, 1))
            return await self._page(conn, query, _filter(replace(query, campaign_id=broadcast.id), span), paging)

    async def of_transactional(self, ref: str | int, query: MessageQuery, paging: Paging) -> dict[str, Any]:
        """Without times, of the last six months, and never of more than the last twelve."""
        async with self._reading() as (conn, catalog):
            number = transactional_id_of(catalog, ref)
            span = limited(_asked(query), catalog.now(self._now), LONGEST)
            which = _filter(replace(query, transactional_message_id=number), span)
            return await self._page(conn, query, which, paging)

    async def of_person(self, query: MessageQuery, paging: Paging) -> dict[str, Any]:
        """Six months at most, without times the last ones."""
        assert query.customer is not None, "it is somebody's"
        async with self._reading() as (conn, catalog):
            person = await people.named(conn, self._workspace_id, query.customer, query.id_type)
            span = limited(_asked(query), catalog.now(self._now), USUAL)
            return await self._page(conn, query, _filter(query, span, person.person_id), paging)

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[tuple[Connection, Catalog]]:
        async with self._db.connection() as conn:
            yield conn, await self._catalogs.get(conn, self._workspace_id)

    async def _page(
        self, conn: Connection, query: MessageQuery, which: MessageFilter, paging: Paging
    ) -> dict[str, Any]:
        limit = paging.limit
        found = await reads.page(conn, self._workspace_id, which, before=_before(paging.start), limit=limit + 1)
        kept = found[:limit]
        persons = await people_reads.by_numbers(conn, self._workspace_id, [message.person_id for message in kept])
        clicked: Mapping[str, Mapping[str, tuple[int, datetime]]] = {}
        if query.responses:
            clicked = await reads.responses(conn, self._workspace_id, [message.delivery_id for message in kept])
        return {
            "messages": [
                shown(
                    message,
                    persons.get(message.person_id or 0),
                    clicked.get(message.delivery_id, {}) if query.responses else None,
                )
                for message in kept
            ],
            "next": encode(micros(kept[-1].created_at), kept[-1].delivery_id) if len(found) > limit else "",
        }


def limited(asked: Span, here: datetime, longest: int) -> Span:
    """The span of a list that may not be longer than so many months: its last ones. Without any, the usual last months.

    Nothing is younger than `here`, so that what was asked for beyond it takes nothing away from what came before.
    """
    if asked == (None, None):
        return Span(months_after(here, -USUAL), None)
    earliest = months_after(here if asked.until is None else min(asked.until, here), -longest)
    return Span(earliest if asked.since is None else max(asked.since, earliest), asked.until)


def _none(paging: Paging) -> dict[str, Any]:
    """A page of nothing; raises for a cursor that is not ours, as any other does."""
    _before(paging.start)
    return {"messages": [], "next": ""}


def _before(start: str | None) -> tuple[datetime, str] | None:
    parts = decode(start, int, str)
    return None if parts is None else (instant(parts[0]), parts[1])


def _asked(query: MessageQuery) -> Span:
    since = None if query.start_ts is None else from_unix(query.start_ts)
    return Span(since, None if query.end_ts is None else from_unix(query.end_ts + 1))


def _filter(query: MessageQuery, span: Span, person_id: int | None = None) -> MessageFilter:
    return MessageFilter(
        person_id=person_id,
        journey_id=query.journey_id,
        campaign_id=query.campaign_id,
        transactional_id=query.transactional_message_id,
        trigger_no=query.trigger_no,
        content_id=query.content_id,
        template_id=query.template_id,
        action_id=query.action_id,
        block=query.block,
        channel=None if query.type is None else CHANNEL_OF.get(query.type, query.type),
        states=None if query.state is None else _STATUSES_OF[query.state],
        metric=None if query.metric is None else _METRIC_OF.get(query.metric, query.metric),
        draft=query.drafts or query.state == "drafted",
        since=span.since,
        until=span.until,
    )


__all__ = [
    "CHANNEL_OF",
    "LONGEST",
    "USUAL",
    "MessageLists",
    "MessageQuery",
    "MessageState",
    "MessageType",
    "Paging",
    "Span",
    "limited",
]
