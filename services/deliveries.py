"""Delivering: the row first, then the provider, then the receipt; a message leaves once (design of a message, SUB-20)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import faults
from channels import CAPTURE, Channels, WayOut
from channels.base import Outside, SendFailure
from domain import consent
from domain.blocks import MessageBlock
from domain.condition_keys import messages_that
from domain.definitions.provider import ProviderDefinition, UseFor
from domain.definitions.settings import Redirect
from domain.deliveries import apply
from domain.errors import DomainError
from ingest.catalog import Catalog, Catalogs
from ingest.records import RECIPIENT
from ingest.unit import Person, Unit
from services.captures import CaptureMailbox
from services.delivery_making import derived_id, make_message
from services.delivery_outcomes import (
    SETTLED,
    Applied,
    Outcome,
    accepted,
    applied,
    corrected,
    interrupted,
    refused,
    reported_ahead,
)
from services.messages import MESSAGE_KINDS, Handing, Rendered
from store import deliveries as store
from store import deltas, tasks
from store.database import Connection, Database
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow

logger = logging.getLogger("sojourn.deliveries")

Clock = Callable[[], datetime]
"""Gives the real present instant."""

StepOutcome = Literal["done", "failed", "skipped", "drafted"]
OPEN = frozenset({"queued", "attempted"})
FORGOTTEN = "The rendered message is no longer kept"
_STEPS: Mapping[str, StepOutcome] = {
    "drafted": "drafted",
    "undeliverable": "skipped",
    "suppressed": "skipped",
    "failed": "failed",
    "bounced": "failed",
}
_USES: Mapping[str, UseFor] = {"segment": "segment_triggered", "event": "event_triggered"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery as it was stored, and all that handing it over takes; `message` is None where there is nothing to send."""

    catalog: Catalog
    row: DeliveryRow
    message: Rendered | None
    use: UseFor = "all"
    campaign: str | None = None

    @property
    def open(self) -> bool:
        """Whether a hand-over is still to come."""
        return self.row.status in OPEN


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the step log says of the message: it is `done` once it was tried, whatever retries come to."""

    outcome: StepOutcome
    explanation: str | None
    delivery_id: str
    draft: bool
    status: str
    pending: bool = False
    """Whether a further attempt is to come."""
    variant: str | None = None


class Deliverer:
    """Delivers messages of journeys; `prepare` and `record` work under the person's lock, `hand_over` outside of it.

    `link_base_url` begins the links of messages; `ambiguous_resend` says whether a message is sent again whose hand-over
    was cut off at a provider that could not tell the two apart.
    """

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        channels: Channels,
        *,
        link_base_url: str,
        secrets: Mapping[str, str] | None = None,
        ambiguous_resend: bool = False,
        outside: Outside | None = None,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._channels = channels
        self._link_base_url = link_base_url
        self._ambiguous_resend = ambiguous_resend
        self._outside = outside or Outside(CaptureMailbox(db), dict(secrets or {}))

    async def close(self) -> None:
        """Close the ways out."""
        await self._channels.close()

    async def prepare(
        self, conn: Connection, unit: Unit, journey: JourneyRow, block_key: str, now: datetime
    ) -> Prepared:
        """The delivery of a block of a journey, made and stored unless it is there already.

        The caller holds the person's lock; `now` is the workspace's instant.
        """
        catalog = unit.catalog
        campaign = catalog.campaigns[journey.campaign_id]
        # A block may have been renamed since the journey was told to deliver it: the journey stands at its new key.
        key = block_key if block_key in campaign.actions else journey.block or block_key
        action_id = campaign.actions[key]
        existing = await store.get(conn, catalog.workspace_id, derived_id(catalog, journey, action_id))
        if existing is not None:
            return await self._again(conn, catalog, existing)
        person = unit.people.get(journey.person_id)
        made = make_message(catalog, campaign, key, person, journey, now=now, link_base_url=self._link_base_url)
        await store.insert(conn, made.row, made.rendered)
        await _reached(unit, made.row, tuple(made.row.metrics), RECIPIENT)
        return Prepared(catalog, made.row, made.message, self._use(catalog, made.row), campaign.key)

    async def hand_over(self, prepared: Prepared, clock: Clock) -> Outcome:
        """Give the message to its provider, once; no transaction is held meanwhile.

        Raises DomainError `delivery_in_hand` where somebody else is doing so: ask again later.
        """
        if not prepared.open:
            return SETTLED
        if prepared.message is None:
            return Outcome("failed", FORGOTTEN, asked=False)
        provider = _provider_for(prepared)
        if provider is None:
            nobody = f"There is no enabled provider for {prepared.row.channel} in this workspace"
            return Outcome("failed", nobody, asked=False)
        way = self._channels.open(prepared.row.workspace_id, provider, self._outside)
        if self._was_interrupted(prepared, way):
            return interrupted(prepared.row.provider or way.key)
        kind = MESSAGE_KINDS[prepared.row.channel]
        handing = Handing(
            prepared.catalog, prepared.row, way, prepared.catalog.now(clock()), campaign=prepared.campaign
        )
        try:
            outgoing = kind.outgoing(prepared.message, handing)
            receipt = await way.sender.send(outgoing, lambda: self._claim(prepared, way, clock))
        except SendFailure as failure:
            outcome = refused(failure, way.key, resend=self._ambiguous_resend)
        else:
            outcome = accepted(receipt, way.key)
        faults.point("deliver.after_provider")
        if outcome.result == "sent" and not outcome.ambiguous:
            for copy in kind.copies(prepared.message, handing):
                try:
                    await way.sender.send(copy, _nothing)
                except SendFailure as failure:
                    logger.warning("The copy of a delivery was not taken (%s).", type(failure).__name__)
        return outcome

    async def record(
        self, conn: Connection, unit: Unit, prepared: Prepared, outcome: Outcome, now: datetime
    ) -> Recorded:
        """Write down what a hand-over came to: status, attempt, figures, and the row that asks for the next attempt.

        The caller holds the person's lock and writes the unit. An outcome that was recorded before changes nothing.
        """
        row = await store.get(conn, prepared.row.workspace_id, prepared.row.delivery_id, for_update=True)
        if row is None:
            return Recorded("skipped", consent.GONE, prepared.row.delivery_id, draft=False, status="undeliverable")
        if outcome.result != "settled":
            silent = isinstance(unit.catalog.settings.sending, Redirect)
            row = await self._apply(unit, prepared, row, outcome, now=now, silent=silent)
        return _recorded(row)

    async def retry(self, workspace_id: int, delivery_id: str, clock: Clock) -> None:
        """The next attempt at a delivery whose `due` row has come; the caller sees to it that nobody else does it too."""
        async with self._db.transaction() as conn:
            unit = await self._unit(conn, workspace_id, clock)
            prepared = await self._for_retry(conn, unit, delivery_id)
            await unit.flush()
        if prepared is None:
            return
        outcome = await self.hand_over(prepared, clock)
        async with self._db.transaction() as conn:
            unit = await self._unit(conn, workspace_id, clock)
            await _held(unit, delivery_id)
            await self.record(conn, unit, prepared, outcome, unit.now)
            await unit.flush()

    async def _unit(self, conn: Connection, workspace_id: int, clock: Clock) -> Unit:
        """A unit of work at the workspace's present instant, over nobody yet."""
        # With a number of its own before it reads them, so that builds by later definitions wait for it.
        await tasks.own_number(conn)
        catalog = await self._catalogs.get(conn, workspace_id)
        real_now = clock()
        return Unit(conn, catalog, catalog.now(real_now), real_now)

    async def _for_retry(self, conn: Connection, unit: Unit, delivery_id: str) -> Prepared | None:
        """The delivery as it is to be tried again, None where it is over: the person may have unsubscribed meanwhile."""
        catalog, now = unit.catalog, unit.now
        row, person = await _held(unit, delivery_id)
        if row is None or row.status not in OPEN:
            await store.unschedule(conn, catalog.workspace_id, delivery_id)
            return None
        if row.held_until is not None and row.held_until > now:
            await store.schedule(conn, row, row.held_until)
            return None
        preference = _preference(catalog, row)
        attributes = person.profile if person is not None else None
        refusal = consent.refusal(row.channel, preference, attributes, catalog.settings.sending)
        # What may be with the provider already is not called undeliverable.
        if refusal is not None and row.handed_over_at is None:
            change = apply(row.status, row.metrics, "undeliverable", now, row.channel)  # type: ignore[arg-type]
            await store.save(
                conn,
                replace(row, status=change.status, metrics=change.metrics, failure_message=refusal, held_until=None),
            )
            await store.unschedule(conn, catalog.workspace_id, delivery_id)
            await _reached(unit, row, change.reached)
            return None
        return await self._again(conn, catalog, row)

    async def _again(self, conn: Connection, catalog: Catalog, row: DeliveryRow) -> Prepared:
        message = None
        if row.status in OPEN:
            document = await store.content_of(conn, row)
            message = MESSAGE_KINDS[row.channel].restored(document) if document is not None else None
        campaign = catalog.campaigns.get(row.campaign_id or 0)
        return Prepared(catalog, row, message, self._use(catalog, row), campaign.key if campaign is not None else None)

    def _use(self, catalog: Catalog, row: DeliveryRow) -> UseFor:
        campaign = catalog.campaigns.get(row.campaign_id or 0)
        return _USES.get(campaign.definition.trigger.type, "all") if campaign is not None else "all"

    def _was_interrupted(self, prepared: Prepared, way: WayOut) -> bool:
        """Whether an earlier hand-over of this attempt was cut off and must not be repeated."""
        if prepared.row.handed_over_at is None or self._ambiguous_resend:
            return False
        return not way.idempotent or prepared.row.provider != way.key

    async def _claim(self, prepared: Prepared, way: WayOut, clock: Clock) -> None:
        now = prepared.catalog.now(clock())
        async with self._db.connection() as conn:
            claimed = await store.claim(conn, prepared.row, way.key, now)
        if not claimed:
            raise DomainError("delivery_in_hand", "Somebody else is handing this message over.")

    async def _apply(
        self,
        unit: Unit,
        prepared: Prepared,
        row: DeliveryRow,
        outcome: Outcome,
        *,
        now: datetime,
        silent: bool,
    ) -> DeliveryRow:
        """The row after the outcome of the attempt that `prepared` began, unless that attempt has one already."""
        if row.attempts == prepared.row.attempts and (row.status in OPEN or reported_ahead(row)):
            change = applied(row, outcome, now, silent=silent)
            ambiguity = 1 if change.row.ambiguous else 0
        elif row.ambiguous and row.attempts == prepared.row.attempts + 1:
            known = corrected(row, outcome, now)
            if known is None:
                return row
            change, ambiguity = known, -1
        else:
            return row
        conn = unit.conn
        await store.save(conn, change.row)
        if outcome.asked:
            await _note_attempt(conn, change, outcome, now)
        if change.due_at is not None:
            await store.schedule(conn, change.row, change.due_at)
        elif row.attempts or row.held_until is not None:
            await store.unschedule(conn, row.workspace_id, row.delivery_id)
        if ambiguity:
            await _count(conn, change.row, [("ambiguous", ambiguity)])
        await _reached(unit, change.row, change.reached)
        return change.row


async def _held(unit: Unit, delivery_id: str) -> tuple[DeliveryRow | None, Person | None]:
    """A delivery with its person, both locked: the person first, and whom they were merged into meanwhile."""
    conn, workspace_id = unit.conn, unit.catalog.workspace_id
    row = await store.get(conn, workspace_id, delivery_id)
    person = None
    while person is None and row is not None and (owner := row.person_id) is not None:
        await unit.add([owner])
        person = unit.people.get(owner)
        row = await store.get(conn, workspace_id, delivery_id)
        if row is not None and row.person_id == owner:
            break
    return await store.get(conn, workspace_id, delivery_id, for_update=True), person


async def _nothing() -> None:
    """What is noted before a copy is handed over."""


async def _note_attempt(conn: Connection, change: Applied, outcome: Outcome, now: datetime) -> None:
    await store.add_attempt(
        conn,
        change.row,
        now,
        provider=outcome.provider or "",
        outcome=change.attempt,
        answer=outcome.answer,
    )


async def _reached(unit: Unit, row: DeliveryRow, metrics: Sequence[str], *others: str) -> None:
    """Count metrics that a message has reached, and have its person looked at again, for whom they are news (PPL-41)."""
    await _count(unit.conn, row, [(metric, 1) for metric in metrics])
    if row.person_id is not None and not row.draft:
        await unit.changed([row.person_id], *map(messages_that, (*metrics, *others)))


async def _count(conn: Connection, row: DeliveryRow, amounts: Sequence[tuple[str, int]]) -> None:
    """Change metrics of the campaign and of the action."""
    await deltas.insert(
        conn,
        [
            deltas.Delta(row.workspace_id, kind, ref, metric, amount)
            for kind, ref in (("campaign", row.campaign_id), ("action", row.action_id))
            if ref is not None
            for metric, amount in amounts
        ],
    )


def _provider_for(prepared: Prepared) -> ProviderDefinition | None:
    """The way out for a type of message; in a sandbox always `capture` (MSG-27)."""
    if prepared.catalog.workspace.sandbox:
        return CAPTURE
    providers = [
        entry.definition for entry in prepared.catalog.providers if isinstance(entry.definition, ProviderDefinition)
    ]
    mine = [provider for provider in providers if provider.channel == prepared.row.channel]
    uses: tuple[UseFor, ...] = (prepared.use, "all")
    return next((provider for use in uses for provider in mine if provider.serves(use)), None)


def _preference(catalog: Catalog, row: DeliveryRow) -> consent.Preference:
    campaign = catalog.campaigns.get(row.campaign_id or 0)
    if campaign is None:
        return "subscribed"
    block = campaign.definition.workflow.blocks.get(row.block or "")
    own = block.subscription if isinstance(block, MessageBlock) else "inherit"
    return consent.effective(own, campaign.definition.subscription)


def _recorded(row: DeliveryRow) -> Recorded:
    return Recorded(
        outcome=_STEPS.get(row.status, "done"),
        explanation=row.failure_message,
        delivery_id=row.delivery_id,
        draft=row.draft,
        status=row.status,
        pending=row.status in OPEN,
        variant=row.variant,
    )


__all__ = ["Clock", "Deliverer", "Outcome", "Prepared", "Recorded"]
