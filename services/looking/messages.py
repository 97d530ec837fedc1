"""Deliveries in the vendor's message shape, with their content and their attempts (APP-04, APP-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from domain.errors import NotFound
from domain.values import to_unix
from services.looking.journeys import seconds
from services.looking.people import MICROS
from store.database import Connection, Database
from store.reads import messages as reads
from store.reads import people as people_reads
from store.reads.messages import AttemptRead, MessageRead
from store.reads.people import PersonRead

_TYPE_OF: Mapping[str, str] = {"sms": "twilio"}
_SHOWN_METRIC: Mapping[str, str] = {"suppressed": "dropped"}
_UNSHOWN = frozenset({"queued"})
_TELLS_WHY = frozenset({"drafted", "failed", "undeliverable", "suppressed", "bounced"})
HOLDOUT = "holdout"
"""What the status of a message is called that was counted and never sent (ACT-19)."""
_OUTCOMES = frozenset({"accepted", "retry", "rejected", "suppressed", "held"})


async def one(db: Database, workspace_id: int, delivery_id: str, *, responses: bool = False) -> dict[str, Any]:
    """One delivery, with `responses` also the named buttons that were clicked in it; raises NotFound."""
    async with db.connection() as conn:
        message = await stored(conn, workspace_id, delivery_id)
        person = (await people_reads.by_numbers(conn, workspace_id, [message.person_id])).get(message.person_id or 0)
        clicked = await reads.responses(conn, workspace_id, [delivery_id]) if responses else {}
    return {"message": shown(message, person, clicked.get(delivery_id, {}) if responses else None)}


async def archived(db: Database, workspace_id: int, delivery_id: str) -> dict[str, Any]:
    """What was rendered for a delivery; `forgotten` where nothing is kept. Raises NotFound."""
    async with db.connection() as conn:
        message = await stored(conn, workspace_id, delivery_id)
        content = await reads.content(conn, workspace_id, message)
    rendered = {} if content is None or message.forgotten else content.rendered
    fields = _mapping(rendered.get("fields"))
    answer = {
        "id": message.delivery_id,
        "body": _text(rendered.get("html", rendered.get("text"))),
        "body_plain": _text(rendered.get("text")),
        "body_amp": _text(rendered.get("amp")),
        "subject": fields.get("subject", None if message.forgotten else message.subject),
        "preheader_text": fields.get("preheader"),
        "from": fields.get("from"),
        "reply_to": fields.get("reply_to"),
        "recipient": message.recipient or _text(fields.get("to")),
        "bcc": fields.get("bcc"),
        "cc": fields.get("cc"),
        "fake_bcc": bool(fields.get("fake_bcc", False)),
        "headers": _text_of(rendered.get("headers") or []),
        "language": message.language or "",
        # What waits to be made has not been forgotten.
        "forgotten": message.forgotten or (content is None and message.status != "queued"),
    }
    if message.channel == "webhook":
        payload = _mapping(rendered.get("payload"))
        answer |= {"body": _text(payload.get("body")), "headers": _text_of(payload.get("headers") or {})}
        answer |= {"request_method": _text(fields.get("method")).lower(), "url": _text(fields.get("url"))}
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


def shown(
    message: MessageRead, person: PersonRead | None, responses: Mapping[str, tuple[int, datetime]] | None = None
) -> dict[str, Any]:
    """A delivery in the vendor's shape with ours added; one whose person is not known, or not yet, has no customer."""
    template = message.action_id or message.content_id or message.transactional_id
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
        "content_id": message.content_id,
        "parent_action_id": None,
        "msg_template_id": template,
        "message_template_id": template,
        "trigger_event_id": message.trigger_event_id,
        "failure_message": message.failure_message if message.status in _TELLS_WHY else None,
        "forgotten": message.forgotten or (not message.kept and message.status != "queued"),
        "metrics": {"created": to_unix(message.created_at), **metrics},
        "journey_id": message.journey_id,
        "block": message.block,
        "language": message.language,
        "variant": message.variant,
        "draft": message.draft,
        "holdout": message.holdout,
        "held_until": seconds(message.held_until),
        "status": HOLDOUT if message.holdout and "sent" in message.metrics else message.status,
        "ambiguous": message.ambiguous,
    }
    if message.campaign_id is not None:
        answer["campaign_id" if message.trigger_no is None else "broadcast_id"] = message.campaign_id
    if message.transactional_id is not None:
        answer["transactional_message_id"] = message.transactional_id
    if responses is not None:
        answer["tracked_responses"] = {name: {"id": seq, "ts": to_unix(at)} for name, (seq, at) in responses.items()}
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


def _code(answer: str | None) -> str:
    """The number an answer begins with, as SMTP replies and HTTP statuses do."""
    first = (answer or "").partition(" ")[0]
    return first if first.isascii() and first.isdecimal() else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text_of(value: Any) -> str:
    return orjson.dumps(value).decode()


__all__ = [
    "archived",
    "attempts",
    "attempts_shown",
    "one",
    "shown",
    "stored",
]
