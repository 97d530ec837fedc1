"""Keeping the suppression list: what bounces and complaints put on it, and whom it keeps mail from (SUB-16)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from domain.deliveries import apply
from domain.suppressed import EVERY_DOMAIN, REASONS, Category, category_of, code_in
from ingest.catalog import Catalog
from ingest.unit import Unit
from rendering.rendered_email import RenderedEmail
from services.delivery_making import Made
from services.delivery_outcomes import Applied, Outcome
from services.messages import Rendered
from store import suppressed_addresses as store
from store.database import Connection
from store.deliveries import DeliveryRow
from store.suppressed_addresses import SuppressedRow

COMPLAINT = "The recipient marked the message as spam"


async def suppressed(
    conn: Connection, catalog: Catalog, pairs: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], str]:
    """Of addresses, each with the domain mail to it would be from, those that get none, with the reason a delivery gives."""
    found = await store.matching(conn, catalog.workspace_id, list(pairs))
    return {pair: REASONS[row.category] for pair, row in found.items()}


def pair_of(message: Rendered | None) -> tuple[str, str] | None:
    """The recipient of a rendered email and the domain it is from; None for what is no email."""
    if not isinstance(message, RenderedEmail):
        return None
    return message.recipient.mailbox, message.sender.domain.lower()


async def withheld(
    conn: Connection, catalog: Catalog, row: DeliveryRow, message: Rendered | None, now: datetime
) -> tuple[DeliveryRow, tuple[str, ...]] | None:
    """The delivery as one that is kept back, and the metrics that reaches; None where it may go out.

    What may be with the provider already, or waits for somebody to send it, is left as it is.
    """
    pair = pair_of(message)
    if pair is None or row.status not in ("queued", "attempted") or row.handed_over_at is not None:
        return None
    reasons = await suppressed(conn, catalog, [pair])
    return None if pair not in reasons else kept_back(row, reasons[pair], now)


def kept_back(row: DeliveryRow, reason: str, now: datetime) -> tuple[DeliveryRow, tuple[str, ...]]:
    """The delivery as one to an address on the list, and the metrics that reaches."""
    change = apply(row.status, row.metrics, "suppressed", now, row.channel)  # type: ignore[arg-type]
    after = replace(row, status=change.status, metrics=change.metrics, failure_message=reason, held_until=None)
    return after, change.reached


async def looked_up(conn: Connection, catalog: Catalog, made: Made, now: datetime) -> Made:
    """A delivery that was just made, kept back where its address is on the list."""
    kept = await withheld(conn, catalog, made.row, made.message, now)
    return made if kept is None else Made(kept[0], made.rendered, None)


async def kept_from(conn: Connection, catalog: Catalog, made: Sequence[Made], now: datetime) -> list[Made]:
    """The same of many, by one question."""
    asked = {one.row.delivery_id: pair_of(one.message) for one in made if one.row.status == "queued"}
    reasons = await suppressed(conn, catalog, list({pair for pair in asked.values() if pair is not None}))
    if not reasons:
        return list(made)
    found: list[Made] = []
    for one in made:
        pair = asked.get(one.row.delivery_id)
        kept = pair is not None and pair in reasons
        found.append(Made(kept_back(one.row, reasons[pair], now)[0], one.rendered, None) if kept else one)  # type: ignore[index]
    return found


async def learn(unit: Unit, change: Applied, outcome: Outcome, message: Rendered | None, now: datetime) -> None:
    """Put the address of a hard bounce or a complaint on the list, for the domain the message was from.

    `change` is what the outcome made of the delivery. A soft bounce is none, not even when it is given up.
    """
    pair = pair_of(message)
    if pair is None:
        return
    found: list[tuple[Category, str]] = []
    category = category_of(outcome.answer) if outcome.result == "bounced" else None
    if category is not None:
        found.append((category, outcome.answer))
    if "spammed" in change.reached:
        found.append(("spam_reports", COMPLAINT))
    delivery_id = change.row.delivery_id
    rows = [SuppressedRow(pair[0], to, pair[1], why, code_in(why), now, delivery_id) for to, why in found]
    await store.add(unit.conn, unit.catalog.workspace_id, rows)


async def by_hand(conn: Connection, workspace_id: int, category: Category, email: str, now: datetime) -> None:
    """Put an address on a list for all domains."""
    row = SuppressedRow(email, category, EVERY_DOMAIN, "Added by hand", "", now)
    await store.add(conn, workspace_id, [row])


__all__ = [
    "by_hand",
    "kept_back",
    "kept_from",
    "learn",
    "looked_up",
    "pair_of",
    "suppressed",
    "withheld",
]
