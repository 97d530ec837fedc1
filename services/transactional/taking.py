"""One transactional call from its body to its answer: everything that can be wrong is found before anything is stored (CHN-13)."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import ValidationError

from domain.definitions.provider import ProviderDefinition
from domain.definitions.sender import SenderDefinition
from domain.definitions.transactional import UNCATEGORIZED, TransactionalDefinition
from domain.deliveries import microseconds
from domain.errors import DomainError
from domain.operations import AddDevice, Identifier, SendTransactional
from domain.problems import from_validation_error
from domain.sending import refusals
from domain.sending.attachments import size_written
from domain.sending.call import INLINE, NAMED, Call, read_call, template_of
from domain.sending.email import REQUIRED
from domain.sending.recipients import person_of
from domain.sending.refusals import SendRefused, malformed, missing
from domain.sending.values import Said, flag, is_liquid
from domain.values import to_unix
from ingest.catalog import Catalog, Catalogs
from ingest.parse import parse_json
from services.sender_checks import may_send_from
from services.transactional import templates
from services.transactional.accepting import Send, SendAcceptor, answer_before
from services.transactional.automation import checked_content, is_hidden
from store import idempotency, log, names
from store.database import Database
from store.deliveries import DeliveryRow
from store.idempotency import Keyed
from store.requests import Asked
from telemetry import tracing

MOST_BYTES: Final = 2048 * 1024
"""How large a call may be beside what its attachments hold."""
KEPT: Final = timedelta(hours=24)
"""How long the answer of a call is given again to whoever repeats it with its key."""
LONGEST_KEY: Final = 255
SCOPE: Final = "send"
_ID_BYTES: Final = 18
_NEEDS_PROVIDER: Final[Mapping[str, str]] = {"push": "Push", "sms": "SMS", "whatsapp": "WhatsApp"}


@dataclass(frozen=True, slots=True)
class Asking:
    """Who calls what: `source` is what the Data In log calls the caller, `key` the idempotency key, where there is one."""

    workspace_id: int
    channel: str
    source: str
    key: str | None = None


class Taking:
    """Takes transactional calls."""

    def __init__(self, db: Database, catalogs: Catalogs, acceptor: SendAcceptor) -> None:
        self._db = db
        self._catalogs = catalogs
        self._acceptor = acceptor

    async def ready(self, workspace_id: int) -> Catalog:
        """The workspace that a call is about; raises NotFound, and SendRefused where nothing is sent."""
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, workspace_id)
        if catalog.settings.sending == "never":
            raise SendRefused(refusals.DO_NOT_SEND, code="sending_off")
        return catalog

    async def take(self, catalog: Catalog, asking: Asking, body: bytes, real_now: datetime) -> dict[str, Any]:
        """What is answered with 200, the send being stored; raises SendRefused, and nothing is stored then."""
        said = _said(body)
        keyed = _keyed(asking, said, real_now)
        if keyed is not None:
            async with self._db.connection() as conn:
                before = await idempotency.find(conn, *keyed[:3], real_now)
            if before is not None:
                again = answer_before(before, keyed.request_hash)
                if isinstance(again, SendRefused):
                    raise again
                return again
        _check_channel(catalog, asking.channel)
        subject = await self._person(catalog, said)
        named = template_of(said)
        entry = None if named is None else templates.find(catalog, named)
        makes = (
            entry is None and isinstance(named, str) and asking.channel in NAMED and flag(said, "auto_create") is True
        )
        if named is not None and entry is None and not makes:
            raise SendRefused(refusals.TEMPLATE_UNKNOWN, templates.FIELD)
        template = None if entry is None else templates.checked(entry, asking.channel)
        if named is None and asking.channel not in INLINE:
            raise missing(templates.FIELD)
        if makes:
            templates.check_new(said[templates.FIELD].strip())
        now = catalog.now(real_now)
        call = read_call(asking.channel, said, now)
        _check_content(catalog, asking.channel, call, template, named=named is not None)
        number = entry.id if entry is not None else UNCATEGORIZED
        if makes:
            number = await self._made(asking, said[templates.FIELD].strip(), real_now)
        send = _send(asking, subject, call, keyed, number=number, template=template, now=now)
        return await self._acceptor.take(send, real_now)

    async def _person(self, catalog: Catalog, said: Said) -> Identifier:
        """Whom the call is about; nobody is created for a cio_id, so that it has to be somebody's."""
        subject = person_of(said, by_email=catalog.settings.identifiers == "email_or_id")
        if subject.kind == "cio_id":
            async with self._db.connection() as conn:
                if not await names.resolve(conn, catalog.workspace_id, [subject.name]):
                    raise malformed("identifiers", "nobody has this cio_id.")
        return subject

    async def _made(self, asking: Asking, written: str, real_now: datetime) -> int:
        """The number of a template that the call makes."""
        await templates.create(self._db, asking.workspace_id, asking.channel, written, now=real_now)
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, asking.workspace_id)
        entry = templates.find(catalog, written.casefold())
        if entry is None:
            raise SendRefused(refusals.TEMPLATE_UNKNOWN, templates.FIELD)
        templates.checked(entry, asking.channel)
        return entry.id


def _said(body: bytes) -> Said:
    """The object that the body holds, its attachments aside no larger than calls may be."""
    try:
        said = parse_json(body)
    except DomainError:
        raise SendRefused(refusals.ENTITY) from None
    if not isinstance(said, dict) or len(body) - size_written(said) > MOST_BYTES:
        raise SendRefused(refusals.ENTITY)
    return said


def _keyed(asking: Asking, said: Said, real_now: datetime) -> Keyed | None:
    """What is remembered of a call with a key; its answer is not known yet."""
    if asking.key is None or not asking.key.strip():
        return None
    if len(asking.key) > LONGEST_KEY:
        raise SendRefused(f"The Idempotency-Key has more than {LONGEST_KEY} characters.")
    request = asking.channel.encode() + b"\n" + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    key_hash, request_hash = (hashlib.sha256(text).digest() for text in (asking.key.strip().encode(), request))
    return Keyed(asking.workspace_id, SCOPE, key_hash, request_hash, {}, real_now + KEPT)


def _check_channel(catalog: Catalog, channel: str) -> None:
    """Raise SendRefused where nothing takes the channel's messages (APP-02)."""
    word = _NEEDS_PROVIDER.get(channel)
    if word is None or catalog.workspace.sandbox:
        return
    providers = [entry.definition for entry in catalog.providers if isinstance(entry.definition, ProviderDefinition)]
    if not any(one.channel == channel and (one.serves("transactional") or one.serves("all")) for one in providers):
        raise SendRefused(f"{word} messaging is not enabled for your workspace.", code="channel_off")


def _check_content(
    catalog: Catalog, channel: str, call: Call, template: TransactionalDefinition | None, *, named: bool
) -> None:
    """Raise SendRefused where the call and its template make no message together."""
    content = call.content
    sender = content.get("from")
    if sender is not None and not is_liquid(sender):
        if channel == "email" and not may_send_from(catalog, sender):
            raise SendRefused(refusals.FROM_NOT_OURS, "from")
        if channel in ("sms", "whatsapp") and sender not in _numbers(catalog):
            raise malformed("from", "no sender has this number.")
    if channel not in INLINE:
        # What a call cannot say may be missing in its template, which shows when it is rendered.
        return
    if template is None or template.content is None:
        if channel == "push" and "message" not in content and "custom_payload" not in content:
            raise missing("message" if named else templates.FIELD)
        lacking = [field for field in REQUIRED if channel == "email" and field not in content]
        if lacking:
            raise missing(lacking[0])
    try:
        checked_content(template, channel, content)
    except ValidationError as error:
        problem = from_validation_error(error, dict(content))[0]
        raise malformed(problem.pointer.strip("/").partition("/")[0] or "message", problem.message) from None


def _numbers(catalog: Catalog) -> set[str]:
    senders = (entry.definition for entry in catalog.senders)
    return {one.phone for one in senders if isinstance(one, SenderDefinition) and one.phone is not None}


def _send(
    asking: Asking,
    subject: Identifier,
    call: Call,
    keyed: Keyed | None,
    *,
    number: int,
    template: TransactionalDefinition | None,
    now: datetime,
) -> Send:
    """Everything that is stored of a good call."""
    delivery_id = base64.urlsafe_b64encode(os.urandom(_ID_BYTES)).decode()
    request = call.request()
    to = call.content.get("to")
    row = DeliveryRow(
        workspace_id=asking.workspace_id,
        delivery_id=delivery_id,
        channel=asking.channel,
        status="queued",
        created_at=now,
        recipient=to if to is not None and asking.channel != "push" and not is_liquid(to) else None,
        metrics={"created": microseconds(now)},
        held_until=call.send_at,
        transactional_id=number,
        forgotten=is_hidden(template, request),
        traceparent=tracing.current(),
    )
    device = None if call.device is None else AddDevice(subject=subject, **call.device)
    operation = SendTransactional(subject=subject, delivery_id=delivery_id, transactional_id=number, device=device)
    answer: dict[str, Any] = {"delivery_id": delivery_id, "queued_at": to_unix(now)}
    if call.send_at is not None:
        answer["send_at"] = to_unix(call.send_at)
    entry = log.entry_of(asking.workspace_id, operation, asking.source)
    return Send(Asked(row, request), entry, answer, None if keyed is None else keyed._replace(answer=answer))


__all__ = ["Asking", "Taking"]
