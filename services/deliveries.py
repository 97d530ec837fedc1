"""Delivering: the row first, then the provider, then the receipt; a message leaves once (design of a message, SUB-20)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import faults
from channels import Channels, WayOut
from channels.base import Outside, SendFailure
from domain import consent
from domain.blocks import MessageBlock
from domain.definitions.provider import UseFor
from domain.definitions.settings import Redirect
from domain.deliveries import apply
from domain.drafts import ATTRIBUTES
from domain.errors import DomainError
from ingest.catalog import Catalog, Catalogs
from ingest.key_needs import need_of
from ingest.records import RECIPIENT
from ingest.unit import Person, Unit
from rendering.errors import RenderError
from services import endpoint_pace, suppressions
from services.answers import conclude
from services.captures import CaptureMailbox
from services.delivery_claims import Claiming
from services.delivery_figures import count, reached
from services.delivery_making import make_message
from services.delivery_outcomes import (
    AWAY,
    HELD,
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
from services.delivery_rows import derived_id
from services.delivery_sources import Source, source_of
from services.hand_over_figures import asked_again, watched
from services.messages import MESSAGE_KINDS, Handing, Rendered
from services.provider_turns import ProviderTurns
from services.providers import provider_for, use_of
from services.signing_keys import WEBHOOKS, keys_of
from services.transactional import attempts
from services.variables import variables_of
from store import deliveries as store
from store import journeys, tasks
from store.database import Connection, Database
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow
from store.people import NOTHING
from telemetry import figures

logger = logging.getLogger("sojourn.deliveries")

Clock = Callable[[], datetime]
"""Gives the real present instant."""

StepOutcome = Literal["done", "failed", "skipped", "drafted"]
OPEN = frozenset({"queued", "attempted"})
FORGOTTEN = "The rendered message is no longer kept"
IN_HAND = timedelta(minutes=5)
"""How long somebody may be handing a message over before they count as dead, where nobody knows better."""
_STEPS: Mapping[str, StepOutcome] = {
    "drafted": "drafted",
    "undeliverable": "skipped",
    "suppressed": "skipped",
    "failed": "failed",
    "bounced": "failed",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery as it was stored, and all that handing it over takes; `message` is None where there is nothing to send."""

    catalog: Catalog
    row: DeliveryRow
    message: Rendered | None
    use: UseFor = "all"
    campaign: str | None = None
    variables: Mapping[str, Any] | None = None
    """What templates can read that are looked up at the attempt (ACT-33)."""
    attachments: tuple[tuple[str, bytes], ...] = ()
    devices: tuple[str, ...] = ()
    elsewhere: bool = False
    """Whether somebody else may be at it, who finishes what they have begun or has it done again."""

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
        self.turns = ProviderTurns(db, catalogs, channels, self._outside)

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
        person = unit.people.get(journey.person_id)
        if existing is not None:
            return await self._again(conn, catalog, existing, person, Source(campaign, key, journey))
        made = make_message(catalog, campaign, key, person, journey, now=now, link_base_url=self._link_base_url)
        made = await suppressions.looked_up(conn, catalog, made, now)
        await store.insert(conn, made.row, made.rendered)
        await reached(unit, made.row, tuple(made.row.metrics), RECIPIENT)
        return Prepared(catalog, made.row, made.message, use_of(campaign), campaign.key)

    async def pick_up(self, conn: Connection, unit: Unit, journey: JourneyRow, action_id: int) -> None:
        """Leave a delivery to the clock that was made and then lost its worker, its journey having ended or moved meanwhile."""
        catalog = unit.catalog
        row = await store.get(conn, catalog.workspace_id, derived_id(catalog, journey, action_id))
        if row is not None and row.status in OPEN:
            await store.schedule(conn, row, unit.now, anew=False)

    async def hand_over(self, prepared: Prepared, clock: Clock, claims: Claiming | None = None) -> Outcome:
        """Give the message to its provider, once; no transaction is held meanwhile.

        `claims` notes that beside many others. Raises DomainError `delivery_in_hand` where somebody else is doing so: ask again later.
        """
        if not prepared.open:
            return SETTLED
        if prepared.message is None:
            begun = prepared.row.handed_over_at is not None
            return interrupted(prepared.row.provider or "") if begun else Outcome("failed", FORGOTTEN, asked=False)
        provider = provider_for(prepared.catalog, prepared.row.channel, prepared.use, prepared.message)
        if provider is None:
            nobody = f"There is no enabled provider for {prepared.row.channel} in this workspace"
            return Outcome("failed", nobody, asked=False)
        way = self._channels.open(prepared.row.workspace_id, provider, self._outside)
        if self._was_interrupted(prepared, way):
            if prepared.elsewhere and _is_recent(prepared, clock):
                raise DomainError("delivery_in_hand", "Somebody else is handing this message over.")
            return interrupted(prepared.row.provider or way.key)
        held = await self.turns.held_until(prepared.row.workspace_id, way, prepared.catalog.now(clock()))
        if held is not None:
            figures.HELD.labels(prepared.row.channel, "provider_away").inc()
            return Outcome("held", AWAY, way.key, until=held, asked=False)
        return await self._sent(prepared, prepared.message, way, clock, claims)

    async def _sent(
        self, prepared: Prepared, message: Rendered, way: WayOut, clock: Clock, claims: Claiming | None
    ) -> Outcome:
        kind = MESSAGE_KINDS[prepared.row.channel]
        handing = await self._handing(prepared, way, clock)
        try:
            outgoing = kind.outgoing(message, handing)
        except RenderError as error:
            return Outcome("failed", str(error), way.key, asked=False)
        turn = await endpoint_pace.turn_of(self._db, prepared.row, outgoing, handing.at)
        if turn is not None:
            figures.HELD.labels(prepared.row.channel, "endpoint_pace").inc()
            return Outcome("held", HELD, until=turn, asked=False)
        try:
            sending = way.sender.send(outgoing, lambda: self._claim(prepared, way, clock, claims))
            receipt = await watched(prepared.row, way, sending, alone=claims is None)
        except SendFailure as failure:
            outcome = refused(failure, way.key, resend=self._ambiguous_resend)
            await self.turns.note(prepared.row.workspace_id, way, failure, handing.at)
        else:
            outcome = accepted(receipt, way.key)
        await endpoint_pace.note_answer(self._db, outgoing, outcome)
        faults.point("deliver.after_provider")
        if outcome.result == "sent" and not outcome.ambiguous:
            for copy in kind.copies(message, handing):
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
        told, was_open = None, row.status in OPEN
        if outcome.result != "settled":
            silent = isinstance(unit.catalog.settings.sending, Redirect) and row.channel == "email"
            row = await self._apply(unit, prepared, row, outcome, now=now, silent=silent)
        if was_open and row.status not in OPEN:
            told = await conclude(unit, row, outcome.response if outcome.result == "sent" else None, now)
            await attempts.over(unit, row)
        return _recorded(row, told)

    async def retry(self, workspace_id: int, delivery_id: str, clock: Clock, *, elsewhere: bool = False) -> None:
        """The next attempt at a delivery whose `due` row has come; the caller sees to it that nobody else does it too.

        Who cannot says `elsewhere`: what is in somebody's hands is left to them, and DomainError `delivery_in_hand` raised.
        """
        async with self._db.transaction() as conn:
            unit = await self._unit(conn, workspace_id, clock)
            prepared = await self._for_retry(conn, unit, delivery_id)
            await unit.flush()
        if prepared is None:
            return
        faults.point("deliver.after_making")
        with asked_again(prepared.row):
            outcome = await self.hand_over(replace(prepared, elsewhere=elsewhere), clock)
        async with self._db.transaction() as conn:
            unit = await self._unit(conn, workspace_id, clock)
            await _held(unit, delivery_id)
            recorded = await self.record(conn, unit, prepared, outcome, unit.now)
            if not recorded.pending:
                await store.unschedule(conn, workspace_id, delivery_id)
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
        # Who waits for a server is told when it is back.
        if row.held_until is not None and row.held_until > now and row.failure_message != AWAY:
            await store.schedule(conn, row, row.held_until)
            return None
        source = await source_of(conn, catalog, row, journey=_journey_of(person, row))
        nobody: dict[str, Any] | None = {} if row.person_id is None and row.transactional_id is None else None
        attributes = person.profile if person is not None and row.person_id is not None else nobody
        refusal = consent.refusal(row.channel, _preference(source), attributes, catalog.settings.sending)
        # What may be with the provider already is not called undeliverable.
        if refusal is not None and row.handed_over_at is None:
            change = apply(row.status, row.metrics, "undeliverable", now, row.channel)  # type: ignore[arg-type]
            row = replace(row, status=change.status, metrics=change.metrics, failure_message=refusal, held_until=None)
            await _over(unit, row, change.reached)
            return None
        if row.transactional_id is not None:
            return await self._of_send(unit, row, person, source)
        prepared = await self._again(conn, catalog, row, person, source)
        kept = await suppressions.withheld(conn, catalog, prepared.row, prepared.message, now)
        if kept is None:
            return prepared
        await _over(unit, *kept)
        return None

    async def _of_send(self, unit: Unit, row: DeliveryRow, person: Person | None, source: Source) -> Prepared | None:
        """A send that was asked for by a call, at any of its attempts (CHN-09)."""
        found = await attempts.attempt(unit, row, person, source, link_base_url=self._link_base_url)
        if found is None:
            return None
        files = await attempts.attachments(unit.conn, found.row) if found.message is not None else ()
        key = source.campaign.key if source.campaign is not None else None
        return Prepared(
            unit.catalog, found.row, found.message, "transactional", key, attachments=files, devices=found.devices
        )

    async def _again(
        self, conn: Connection, catalog: Catalog, row: DeliveryRow, person: Person | None, source: Source
    ) -> Prepared:
        message, variables = None, None
        campaign = source.campaign
        if row.status in OPEN:
            document = await store.content_of(conn, row)
            message = MESSAGE_KINDS[row.channel].restored(document) if document is not None else None
            if document is not None and row.channel == "webhook":
                variables = _variables(catalog, row, person, source, document)
        key = campaign.key if campaign is not None else None
        return Prepared(catalog, row, message, use_of(campaign), key, variables)

    def _was_interrupted(self, prepared: Prepared, way: WayOut) -> bool:
        """Whether an earlier hand-over of this attempt was cut off and must not be repeated."""
        if prepared.row.handed_over_at is None or self._ambiguous_resend:
            return False
        return not way.idempotent or prepared.row.provider != way.key

    async def _claim(self, prepared: Prepared, way: WayOut, clock: Clock, claims: Claiming | None) -> None:
        now = prepared.catalog.now(clock())
        if claims is not None:
            claimed = await claims.claim(prepared.row, way.key, now)
        else:
            async with self._db.connection() as conn:
                claimed = await store.claim(conn, prepared.row, way.key, now)
        if not claimed:
            raise DomainError("delivery_in_hand", "Somebody else is handing this message over.")

    async def _handing(self, prepared: Prepared, way: WayOut, clock: Clock) -> Handing:
        """All that writing the message out takes, the keys of its signature included."""
        row, at = prepared.row, prepared.catalog.now(clock())
        keys: tuple[str, ...] = ()
        if row.channel == "webhook":
            async with self._db.transaction() as conn:
                keys = await keys_of(conn, row.workspace_id, WEBHOOKS, at)
        return Handing(
            prepared.catalog,
            row,
            way,
            at,
            campaign=prepared.campaign,
            secrets=self._outside.secrets,
            keys=keys,
            variables=prepared.variables,
            attachments=prepared.attachments,
            devices=prepared.devices,
        )

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
            await count(conn, change.row, [("ambiguous", ambiguity)])
        await reached(unit, change.row, change.reached)
        await suppressions.learn(unit, change, outcome, prepared.message, now)
        return change.row


async def _over(unit: Unit, row: DeliveryRow, metrics: Sequence[str]) -> None:
    """Write down that a delivery ends without being handed over."""
    await store.save(unit.conn, row)
    await store.unschedule(unit.conn, row.workspace_id, row.delivery_id)
    await reached(unit, row, metrics)
    await conclude(unit, row, None, unit.now)
    await attempts.over(unit, row)


async def _held(unit: Unit, delivery_id: str) -> tuple[DeliveryRow | None, Person | None]:
    """A delivery with its person, both locked: the person first, and whom they were merged into meanwhile."""
    conn, workspace_id = unit.conn, unit.catalog.workspace_id
    row = await store.get(conn, workspace_id, delivery_id)
    person = None
    if row is not None and row.person_id is None and row.journey_id is not None:
        # Nobody travels such a journey: its own row is the lock.
        journey = await journeys.hold_payload(conn, workspace_id, row.journey_id)
        if journey is not None:
            person = unit.seat_nobody()
            person.journeys += [journey] if journey.active else []
    need = need_of(unit.catalog.compiled.keys) if row is not None and row.channel == "webhook" else NOTHING
    while person is None and row is not None and (owner := row.person_id) is not None:
        await unit.add([owner], need)
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


def _is_recent(prepared: Prepared, clock: Clock) -> bool:
    """Whether its hand-over began so lately that whoever began it may live; a sandbox, whose clock stands, cannot tell."""
    begun, catalog = prepared.row.handed_over_at, prepared.catalog
    return begun is not None and not catalog.workspace.sandbox and catalog.now(clock()) - begun < IN_HAND


def _journey_of(person: Person | None, row: DeliveryRow) -> JourneyRow | None:
    journeys = person.journeys if person is not None else []
    return next((journey for journey in journeys if journey.journey_id == row.journey_id), None)


def _preference(source: Source) -> consent.Preference:
    campaign = source.campaign
    if campaign is None:
        return "subscribed"
    block = campaign.definition.workflow.blocks.get(source.key or "")
    own = block.subscription if isinstance(block, MessageBlock) else "inherit"
    return consent.effective(own, campaign.definition.subscription)


def _variables(
    catalog: Catalog, row: DeliveryRow, person: Person | None, source: Source, document: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What templates can read at a later attempt; of a journey that is over, what its message kept."""
    campaign, journey = source.campaign, source.journey
    if campaign is None or journey is None:
        return None
    kept = journey.attributes or document.get(ATTRIBUTES) or {}
    travelled = replace(journey, attributes=kept)
    return variables_of(catalog, campaign, person, travelled, delivery=row.delivery_id)


def _recorded(row: DeliveryRow, told: str | None = None) -> Recorded:
    return Recorded(
        outcome=_STEPS.get(row.status, "done"),
        explanation=row.failure_message or told,
        delivery_id=row.delivery_id,
        draft=row.draft,
        status=row.status,
        pending=row.status in OPEN,
        variant=row.variant,
    )


__all__ = ["Clock", "Deliverer", "Outcome", "Prepared", "Recorded", "use_of"]
