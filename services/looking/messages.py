"""Deliveries in the vendor's message shape, with their content and their attempts (APP-04, APP-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from domain.errors import NotFound
from domain.message_metrics import MessageMetric
from domain.values import from_unix, to_unix
from services.looking import people
from services.looking.journeys import seconds
from services.looking.people import MICROS, IdType
from store import workspaces
from store.database import Connection, Database
from store.reads import messages as reads
from store.reads import people as people_reads
from store.reads.cursor import decode, encode, instant, micros
from store.reads.messages import AttemptRead, MessageFilter, MessageRead
from store.reads.people import PersonRead

MessageType = Literal["email", "webhook", "twilio", "push", "in_app", "slack", "whatsapp", "inbox", "line"]
MessageState = Literal["failed", "sent", "drafted", "attempted"]
WINDOW = timedelta(days=183)
_CHANNEL_OF: Mapping[str, str] = {"twilio": "sms"}
_TYPE_OF: Mapping[str, str] = {"sms": "twilio"}
_METRIC_OF: Mapping[str, str] = {"dropped": "suppressed"}
_SHOWN_METRIC: Mapping[str, str] = {"suppressed": "dropped"}
_UNSHOWN = frozenset({"queued"})
_TELLS_WHY = frozenset({"drafted", "failed", "undeliverable", "suppressed", "bounced"})
HOLDOUT = "holdout"
"""What the status of a message is called that was counted and never sent (ACT-19)."""
_OUTCOMES = frozenset({"accepted", "retry", "rejected", "suppressed", "held"})


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """The filters of a list as a caller gives them."""

    customer: str | None = None
    id_type: IdType = "id"
    journey_id: str | None = None
    block: str | None = None
    transactional_message_id: int | None = None
    drafts: bool = False
    type: MessageType | None = None
    metric: MessageMetric | None = None
    state: MessageState | None = None
    campaign_id: int | None = None
    newsletter_id: int | None = None
    action_id: int | None = None
    start_ts: int | None = None
    end_ts: int | None = None

    @property
    def empty(self) -> bool:
        """Whether it asks for messages of a kind that this version does not send."""
        return self.newsletter_id is not None or self.transactional_message_id is not None


async def page(
    db: Database, workspace_id: int, query: MessageQuery, *, start: str | None, limit: int, now: datetime
) -> dict[str, Any]:
    """One page, newest first; without times, of the last six months. An unknown person has no messages."""
    before = _before(start)
    async with db.connection() as conn:
        workspace = await workspaces.get(conn, workspace_id)
        if workspace is None:
            raise NotFound("workspace", workspace_id)
        person_id = None
        if query.customer is not None:
            person = await people.find(conn, workspace_id, query.customer, query.id_type)
            if person is None:
                return {"messages": [], "next": ""}
            person_id = person.person_id
        if query.empty:
            return {"messages": [], "next": ""}
        which = _filter(query, person_id, workspace.now(now))
        return await _page(conn, workspace_id, which, before, limit)


async def one(db: Database, workspace_id: int, delivery_id: str) -> dict[str, Any]:
    """One delivery; raises NotFound."""
    async with db.connection() as conn:
        message = await stored(conn, workspace_id, delivery_id)
        person = (await people_reads.by_numbers(conn, workspace_id, [message.person_id])).get(message.person_id or 0)
    return {"message": shown(message, person)}


async def archived(db: Database, workspace_id: int, delivery_id: str) -> dict[str, Any]:
    """What was rendered for a delivery; `forgotten` where nothing is kept. Raises NotFound."""
    async with db.connection() as conn:
        message = await stored(conn, workspace_id, delivery_id)
        content = await reads.content(conn, workspace_id, message)
    rendered = {} if content is None else content.rendered
    fields = _mapping(rendered.get("fields"))
    answer = {
        "id": message.delivery_id,
        "body": _text(rendered.get("html", rendered.get("text"))),
        "body_plain": _text(rendered.get("text")),
        "body_amp": _text(rendered.get("amp")),
        "subject": fields.get("subject", message.subject),
        "preheader_text": fields.get("preheader"),
        "from": fields.get("from"),
        "reply_to": fields.get("reply_to"),
        "recipient": message.recipient or _text(fields.get("to")),
        "bcc": fields.get("bcc"),
        "cc": fields.get("cc"),
        "fake_bcc": bool(fields.get("fake_bcc", False)),
        "headers": orjson.dumps(rendered.get("headers") or []).decode(),
        "forgotten": content is None,
    }
    if rendered.get("payload") is not None:
        answer["payload"] = rendered["payload"]
    return {"archived_message": answer}


async def attempts(db: Database, workspace_id: int, delivery_id: str) -> dict[str, Any]:
    """The hand-overs of a delivery, oldest first; raises NotFound."""
    async with db.connection() as conn:
        message = await stored(conn, workspace_id, delivery_id)
        found = await reads.attempts(conn, workspace_id, delivery_id)
    return {"attempts": attempts_shown(message, found)}


async def stored(conn: Connection, workspace_id: int, delivery_id: str) -> MessageRead:
    """The row of a delivery; raises NotFound."""
    message = None if "\x00" in delivery_id else await reads.get(conn, workspace_id, delivery_id)
    if message is None:
        raise NotFound("message", delivery_id)
    return message


def shown(message: MessageRead, person: PersonRead | None) -> dict[str, Any]:
    """A delivery in the vendor's shape with ours added."""
    metrics = {
        _SHOWN_METRIC.get(name, name): at // MICROS for name, at in message.metrics.items() if name not in _UNSHOWN
    }
    answer: dict[str, Any] = {
        "id": message.delivery_id,
        "deduplicate_id": f"{message.delivery_id}:{max(metrics.values(), default=to_unix(message.created_at))}",
        "type": _TYPE_OF.get(message.channel, message.channel),
        "recipient": message.recipient or "",
        "subject": message.subject,
        "created": to_unix(message.created_at),
        "customer_id": None if person is None else person.id,
        "action_id": message.action_id,
        "content_id": None,
        "parent_action_id": None,
        "trigger_event_id": message.trigger_event_id,
        "failure_message": message.failure_message if message.status in _TELLS_WHY else None,
        "forgotten": not message.kept,
        "metrics": {"created": to_unix(message.created_at), **metrics},
        "journey_id": message.journey_id,
        "block": message.block,
        "language": None,
        "variant": message.variant,
        "draft": message.draft,
        "holdout": message.holdout,
        "held_until": seconds(message.held_until),
        "status": HOLDOUT if message.holdout and "sent" in message.metrics else message.status,
        "ambiguous": message.ambiguous,
    }
    if message.campaign_id is not None:
        answer["campaign_id"] = message.campaign_id
    if person is not None:
        answer["customer_identifiers"] = answer["identifiers"] = person.identifiers
    return answer


def attempts_shown(message: MessageRead, found: Sequence[AttemptRead]) -> list[dict[str, Any]]:
    """Hand-overs in the contract's shape; the last one says when the next comes."""
    last = found[-1].attempt if found else 0
    return [
        {
            "at": to_unix(attempt.at),
            "outcome": attempt.outcome if attempt.outcome in _OUTCOMES else "rejected",
            "provider": attempt.provider,
            "status": _code(attempt.answer),
            "detail": attempt.answer or "",
            "next_attempt_at": seconds(message.held_until) if attempt.attempt == last else None,
        }
        for attempt in found
    ]


async def _page(
    conn: Connection, workspace_id: int, which: MessageFilter, before: tuple[datetime, str] | None, limit: int
) -> dict[str, Any]:
    found = await reads.page(conn, workspace_id, which, before=before, limit=limit + 1)
    kept = found[:limit]
    persons = await people_reads.by_numbers(conn, workspace_id, [message.person_id for message in kept])
    return {
        "messages": [shown(message, persons.get(message.person_id or 0)) for message in kept],
        "next": encode(micros(kept[-1].created_at), kept[-1].delivery_id) if len(found) > limit else "",
    }


def _before(start: str | None) -> tuple[datetime, str] | None:
    parts = decode(start, int, str)
    return None if parts is None else (instant(parts[0]), parts[1])


def _filter(query: MessageQuery, person_id: int | None, here: datetime) -> MessageFilter:
    since = None if query.start_ts is None else from_unix(query.start_ts)
    until = None if query.end_ts is None else from_unix(query.end_ts + 1)
    if since is None and until is None:
        since = here - WINDOW
    return MessageFilter(
        person_id=person_id,
        journey_id=query.journey_id,
        campaign_id=query.campaign_id,
        action_id=query.action_id,
        block=query.block,
        channel=None if query.type is None else _CHANNEL_OF.get(query.type, query.type),
        state=query.state,
        metric=None if query.metric is None else _METRIC_OF.get(query.metric, query.metric),
        draft=query.drafts or query.state == "drafted",
        since=since,
        until=until,
    )


def _code(answer: str | None) -> str:
    """The number an answer begins with, as SMTP replies and HTTP statuses do."""
    first = (answer or "").partition(" ")[0]
    return first if first.isascii() and first.isdecimal() else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


__all__ = [
    "MessageQuery",
    "MessageState",
    "MessageType",
    "archived",
    "attempts",
    "attempts_shown",
    "one",
    "page",
    "shown",
    "stored",
]
