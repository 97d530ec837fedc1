"""Carrying out actions that were drafted, and letting go of deliveries whose turn has come (ACT-02, CMP-28)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain import consent
from domain.blocks import DataBlock
from domain.deliveries import Event, apply
from domain.effects import Act
from domain.errors import DomainError
from domain.facts import Position
from ingest.catalog import Catalogs
from services.actions import ACTIONS, ActionContext, Done
from services.calls import Call, CallContext
from services.delivery_figures import count
from services.draft_releasing import BLOCK_GONE, can_be_retried, is_draft, let_go
from services.draft_rendering import HeldDelivery, hold
from services.drafts import unit_of
from services.variables import variables_of
from store import deliveries as store
from store import drafts
from store.database import Connection, Database
from store.journeys import JourneyRow
from store.notify import Notifier

JOURNEY_OVER = "The journey is over, so that its attributes were not set."


class Releaser:
    """Works on deliveries whose release is due; `calls` are those that data blocks make to the outside, by block type."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        link_base_url: str,
        *,
        calls: Mapping[str, Call] | None = None,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._link_base_url = link_base_url
        self._calls = dict(calls or {})

    async def release(self, workspace_id: int, delivery_id: str, clock: Callable[[], datetime]) -> None:
        """Send a draft, try again what did not come about, or carry an action out; whatever is over stays as it is."""
        async with self._db.transaction() as conn:
            held = await self._hold(conn, workspace_id, delivery_id, clock())
            if held is None:
                await drafts.ask_no_more(conn, workspace_id, delivery_id)
                return
            unit, asked = held.unit, None
            if held.to_be_delivered:
                await self._let_go(held)
            elif _is_open(held):
                asked = await self._act(held)
            else:
                await drafts.ask_no_more(conn, workspace_id, delivery_id)
            await unit.flush()
        unit.tell(self._notifier)
        self._notifier.send("due")
        if asked is not None:
            await self._call(workspace_id, delivery_id, asked, clock)

    async def _hold(
        self, conn: Connection, workspace_id: int, delivery_id: str, real_now: datetime
    ) -> HeldDelivery | None:
        unit = await unit_of(conn, self._catalogs, workspace_id, real_now)
        return await hold(unit, delivery_id, unit.catalog.compiled.keys)

    async def _let_go(self, held: HeldDelivery) -> None:
        if is_draft(held.row) or can_be_retried(held.row):
            try:
                await let_go(held, held.unit.now, self._link_base_url)
            except DomainError as error:
                await _over(held, "failed", error.message)
        await drafts.ask_no_more(held.unit.conn, held.row.workspace_id, held.row.delivery_id)

    async def _act(self, held: HeldDelivery) -> Any:
        """Carry the action out; what is to be asked of the outside, where the block asks for that."""
        block, journey, campaign, person = held.block, held.journey, held.campaign, held.person
        if person is None or journey is None:
            await _over(held, "undeliverable", consent.GONE)
            return None
        if not isinstance(block, DataBlock) or campaign is None or held.key is None:
            await _over(held, "failed", BLOCK_GONE)
            return None
        calling = self._calls.get(block.type) if block.calls_out else None
        if calling is not None:
            prepared = await calling.prepare(_call_context(held, journey))
            if isinstance(prepared, Done):
                await _done(held, prepared)
                return None
            return prepared
        effect = block.action()
        assert isinstance(effect, Act), "a data block acts"
        travelled = held.travelled() or journey
        variables = variables_of(held.catalog, campaign, person, travelled)
        at = Position(held.unit.now, person.last_seq)
        before = None if journey.active else journey.attributes
        context = ActionContext(held.unit, person, journey, campaign, block, at, variables, held.key)
        done = await ACTIONS[effect.action](context)
        await _done(held, _guarded(journey, before, done))
        return None

    async def _call(self, workspace_id: int, delivery_id: str, asked: Any, clock: Callable[[], datetime]) -> None:
        """Ask the outside, and write down what came of it where the action is still to be carried out."""
        async with self._db.connection() as conn:
            row = await store.get(conn, workspace_id, delivery_id)
        calling = self._calls[row.channel] if row is not None else None
        if calling is None:
            return
        outcome = await calling.perform(asked, clock)
        async with self._db.transaction() as conn:
            held = await self._hold(conn, workspace_id, delivery_id, clock())
            if held is None or not _is_open(held) or held.journey is None or held.person is None:
                return
            if not isinstance(held.block, DataBlock) or held.campaign is None or held.key is None:
                await _over(held, "failed", BLOCK_GONE)
            else:
                before = None if held.journey.active else held.journey.attributes
                done = await calling.record(_call_context(held, held.journey), asked, outcome)
                await _done(held, _guarded(held.journey, before, done))
            await held.unit.flush()
        held.unit.tell(self._notifier)


def _is_open(held: HeldDelivery) -> bool:
    """Whether the action waits for being carried out."""
    return is_draft(held.row) or can_be_retried(held.row) or held.row.status == "queued"


def _call_context(held: HeldDelivery, journey: JourneyRow) -> CallContext:
    block, campaign, person, key = held.block, held.campaign, held.person, held.key
    assert isinstance(block, DataBlock), "only these call out"
    assert campaign is not None, "its block is there"
    assert person is not None, "somebody is there"
    assert key is not None, "its block is there"
    variables = variables_of(held.catalog, campaign, person, held.travelled() or journey)
    at = Position(held.unit.now, person.last_seq)
    return CallContext(held.unit, person, journey, campaign, key, block, at, variables)


def _guarded(journey: JourneyRow, before: dict[str, Any] | None, done: Done) -> Done:
    """What was done, without what it did to a journey that was over: customers are written always, journeys no more.

    `before` are the attributes of such a journey.
    """
    if before is None or journey.attributes == before:
        return done
    journey.attributes = before
    return replace(done, explanation=done.explanation or JOURNEY_OVER)


async def _done(held: HeldDelivery, done: Done) -> None:
    """The action was carried out, or failed; it is no message, and counts as none that was sent."""
    if done.outcome == "failed":
        await _over(held, "failed", done.explanation)
        return
    row = replace(held.row, status="sent", draft=False, failure_message=done.explanation, held_until=None)
    await store.save(held.unit.conn, row)
    await drafts.ask_no_more(held.unit.conn, row.workspace_id, row.delivery_id)


async def _over(held: HeldDelivery, event: Event, failure: str | None) -> None:
    row = held.row
    released = apply(row.status, row.metrics, "queued", held.unit.now, row.channel)  # type: ignore[arg-type]
    change = apply(released.status, released.metrics, event, held.unit.now, row.channel)
    row = replace(
        row, status=change.status, metrics=change.metrics, draft=False, failure_message=failure, held_until=None
    )
    await store.save(held.unit.conn, row)
    await drafts.ask_no_more(held.unit.conn, row.workspace_id, row.delivery_id)
    await count(held.unit.conn, row, [(metric, 1) for metric in change.reached])


__all__ = ["JOURNEY_OVER", "Releaser"]
