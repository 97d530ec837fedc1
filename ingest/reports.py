"""What became of a message, as devices, relays and others report it (API-10, SUB-20, SUB-22)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from domain.condition_keys import messages_that
from domain.deliveries import Event, apply
from domain.facts import Position
from domain.operations import ReportDelivery
from domain.outcomes import Done
from domain.reports import MONTHS, activity_type, by_machine, event_of, is_too_old, screened
from domain.sending_domains import domain_of
from domain.suppressed import EVERY_DOMAIN, code_in, reported_category
from domain.track.metrics import allowed
from domain.values import from_unix, to_unix
from ingest.events import instant_of
from ingest.record_changes import settle_records
from ingest.unit import Person, Unit
from store import conversions, deliveries, log, suppressed_addresses
from store.deliveries import DeliveryRow
from store.message_events import MessageEvent
from store.suppressed_addresses import SuppressedRow
from telemetry import figures, tracing

REPEATS = "report"
REPEATS_KEPT = timedelta(days=400)
"""For how long after the message was made a report is known again."""
_ARRIVED = frozenset({"opened", "clicked"})
_TELLS_WHY = frozenset({"bounced", "suppressed"})
REPORTED = "Reported by the recipient's mail system"
_SECOND = timedelta(seconds=1)


async def report_delivery(unit: Unit, operation: ReportDelivery, at: Position) -> Done:
    """Apply a report: metrics count the first time, every report is a line of the activity log.

    The delivery's row is locked first, after its person: an answer to the hand-over that comes at the same time waits.
    """
    workspace_id, event = unit.catalog.workspace_id, event_of(operation.metric)
    row = await deliveries.get(unit.conn, workspace_id, operation.delivery_id, for_update=True)
    if row is None or row.holdout:
        # A holdout has never left, so that nothing can be said of it.
        return Done("ignored", note="There is no such delivery.")
    if event is None or not allowed(row.channel, operation.metric):
        return Done("ignored", row.person_id, f"A delivery of the channel {row.channel} has no such metric.")
    sent = row.metrics.get("sent")
    if is_too_old(row.created_at if sent is None else from_unix(0) + timedelta(microseconds=sent), at.at):
        return Done("ignored", row.person_id, f"Nothing is counted of a message that is older than {MONTHS} months.")
    happened = instant_of(operation.timestamp, at.at)
    if await _is_repeat(unit, operation, row, happened):
        return Done("duplicate", row.person_id, "The very same was reported before.")
    person = unit.people.get(row.person_id) if row.person_id is not None else None
    before = None if person is None else unit.facts_of(person)
    reached, retracted = await _change(unit, person, row, operation, event=event, happened=happened)
    position = Position(happened, at.seq)
    # Of somebody who is gone nothing is written down that names them.
    details = dict(operation.details) if person is not None else {}
    data = {**details, "delivery_id": row.delivery_id}
    unit.record(person, activity_type(operation.metric, row.channel), None, data, position)
    if person is None or before is None:
        # Nor does the log keep whom the report names, where the delivery itself has forgotten it.
        return Done("erased" if row.recipient is None else "applied")
    kept = _kept(operation, event, reached, position)
    for happening in kept:
        unit.happened(happening)
    words = {*(happening.metric for happening in kept), *reached, *retracted}
    await settle_records(unit, {person.person_id: before}, at, *map(messages_that, words))
    return Done("applied", person.person_id)


async def _change(
    unit: Unit, person: Person | None, row: DeliveryRow, operation: ReportDelivery, *, event: Event, happened: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Bring the row, the figures and the journey up to date; returns the metrics that are new, and those true no more."""
    change = apply(row.status, row.metrics, event, happened, row.channel)  # type: ignore[arg-type]
    metrics, reached = change.metrics, change.reached
    retracted: tuple[str, ...] = ()
    if row.channel == "email":
        metrics, more, retracted = screened(event, metrics, happened, machine=by_machine(operation.details))
        reached += more
    reason = operation.details.get("reason")
    tells = person is not None and event in _TELLS_WHY and event in reached and isinstance(reason, str)
    tracing.link(row.traceparent)
    changed = replace(row, status=change.status, metrics=metrics)
    if tells:
        changed.failure_message = reason
    if changed != row:
        await deliveries.save(unit.conn, changed)
    for word in reached:
        figures.DELIVERIES.labels(row.channel, word).inc()
    for amount, words in ((1, reached), (-1, retracted)):
        sources = (("campaign", row.campaign_id), ("action", row.action_id), ("transactional", row.transactional_id))
        for kind, ref in sources:
            if ref is not None:
                for word in words:
                    unit.count(kind, ref, word, amount)
    await _suppress(unit, row, operation, happened)
    if "converted" in reached and person is not None and row.journey_id is not None:
        await _convert(unit, person, row.journey_id, happened)
    return reached, retracted


async def _suppress(unit: Unit, row: DeliveryRow, operation: ReportDelivery, happened: datetime) -> None:
    """Put the address on the suppression list that bounced for good or complained (SUB-16)."""
    reason = operation.details.get("reason")
    category = reported_category(operation.metric, reason if isinstance(reason, str) else None)
    if category is None or row.channel != "email" or row.recipient is None:
        return
    document = await deliveries.content_of(unit.conn, row)
    sender = (document or {}).get("fields", {}).get("from")
    # What the message was from is not known any more where its content is forgotten.
    domain = domain_of(sender) if isinstance(sender, str) else EVERY_DOMAIN
    why = reason if isinstance(reason, str) else REPORTED
    recipients = [address.strip() for address in row.recipient.split(",")]
    said = operation.details.get("recipient")
    email = said if isinstance(said, str) and said in recipients else recipients[0]
    entry = SuppressedRow(email, category, domain, why, code_in(why), happened, row.delivery_id)
    await suppressed_addresses.add(unit.conn, unit.catalog.workspace_id, [entry])


def _kept(operation: ReportDelivery, event: Event, reached: Collection[str], at: Position) -> list[MessageEvent]:
    """What happened, each time it does, and what it means besides for the first time: by a click, the open and delivery."""
    details, human = operation.details, not by_machine(operation.details)
    href, button = (details.get(name) if event == "clicked" else None for name in ("href", "action_name"))
    kept = [MessageEvent(operation.delivery_id, at.seq, event, at.at, human, href, button)]
    if event == "clicked" and not {"opened", "human_opened"}.isdisjoint(reached):
        kept.append(MessageEvent(operation.delivery_id, at.seq, "opened", at.at, human))
    if event in _ARRIVED and "delivered" in reached:
        kept.append(MessageEvent(operation.delivery_id, at.seq, "delivered", at.at, human=True))
    return kept


async def _convert(unit: Unit, person: Person, journey_id: str, happened: datetime) -> None:
    """The journey converts with its message, once."""
    journey = next((journey for journey in person.journeys if journey.journey_id == journey_id), None)
    if journey is None:
        journey = await conversions.journey_of(unit.conn, unit.catalog.workspace_id, journey_id)
    if journey is not None and journey.converted_at is None:
        journey.converted_at = happened
        unit.changed_journey(journey)


async def _is_repeat(unit: Unit, operation: ReportDelivery, row: DeliveryRow, happened: datetime) -> bool:
    """Whether delivery, metric, recipient or device, time and link are those of an earlier report."""
    details = operation.details
    who = details.get("recipient") or details.get("device_id") or ""
    parts = (operation.delivery_id, operation.metric, str(who), str(to_unix(happened)), str(details.get("href") or ""))
    key = hashlib.sha256("\n".join(parts).encode()).digest()
    expires = row.created_at + REPEATS_KEPT
    fresh = await log.claim_ids(unit.conn, unit.catalog.workspace_id, [(REPEATS, key, expires)], _SECOND)
    return not fresh


__all__ = ["report_delivery"]
