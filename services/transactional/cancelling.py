"""Cancelling sends that wait for the instant their call named (CHN-09)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from domain.definitions.transactional import UNCATEGORIZED
from domain.deliveries import apply
from domain.errors import DomainError, NotFound
from domain.sends import SEND_AT
from ingest.catalog import Catalogs
from ingest.unit import Unit
from services.delivery_figures import reached
from services.looking import messages as looking
from services.transactional.attempts import over
from store import definitions, requests, tasks
from store import deliveries as store
from store.database import Connection, Database
from store.deliveries import DeliveryRow
from store.notify import Notifier

CANCELLED: Final = "Cancelled"
TOGETHER: Final = 200
"""How many are cancelled in one transaction."""


class Cancelling:
    """Cancels scheduled sends of all workspaces."""

    def __init__(self, db: Database, catalogs: Catalogs, notifier: Notifier) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier

    async def one(self, workspace_id: int, delivery_id: str, real_now: datetime) -> dict[str, Any]:
        """Cancel one send and answer with it; raises NotFound, DomainError `invalid_state` for what waits for no instant."""
        async with self._db.connection() as conn:
            row = None if "\x00" in delivery_id else await store.get(conn, workspace_id, delivery_id)
        if row is None:
            raise NotFound("message", delivery_id)
        if row.transactional_id is None or not await self._cancel(workspace_id, [delivery_id], real_now):
            message = f"Only a send that waits for its send_at is cancelled, and this is {row.status}."
            raise DomainError("invalid_state", message)
        return await looking.one(self._db, workspace_id, delivery_id)

    async def of_template(self, workspace_id: int, ref: str | int, real_now: datetime) -> int:
        """Cancel every scheduled send of a template, named by key or id; returns how many. Raises NotFound."""
        async with self._db.connection() as conn:
            row = await definitions.get(conn, workspace_id, "transactional", ref)
            if row is None and ref != UNCATEGORIZED:
                raise NotFound("transactional", ref)
            now = (await self._catalogs.get(conn, workspace_id)).now(real_now)
        number = UNCATEGORIZED if row is None else row.definition_id
        cancelled = 0
        while True:
            async with self._db.connection() as conn:
                page = await requests.scheduled(conn, workspace_id, number, now, limit=TOGETHER)
            done = await self._cancel(workspace_id, [name for name, person in page if person is not None], real_now)
            for name, person in page:
                if person is None:
                    # One by one: whoever gives them their people holds one after the other in an order of their own.
                    done += await self._cancel(workspace_id, [name], real_now)
            cancelled += done
            if not done:
                return cancelled

    async def _cancel(self, workspace_id: int, delivery_ids: Collection[str], real_now: datetime) -> int:
        """Cancel those of these that still wait for their instant; returns how many."""
        if not delivery_ids:
            return 0
        cancelled = 0
        async with self._db.transaction() as conn:
            # With a number of its own before it reads them, so that builds by later definitions wait for it.
            await tasks.own_number(conn)
            catalog = await self._catalogs.get(conn, workspace_id)
            unit = Unit(conn, catalog, catalog.now(real_now), real_now)
            for row in await _held(unit, delivery_ids):
                if _waits(row, unit.now):
                    await _end(unit, row)
                    cancelled += 1
            await unit.flush()
        unit.tell(self._notifier)
        return cancelled


async def _held(unit: Unit, delivery_ids: Collection[str]) -> list[DeliveryRow]:
    """The deliveries, locked after their people; one that was merged away meanwhile is left for the next look."""
    conn, workspace_id = unit.conn, unit.catalog.workspace_id
    owners = await _owners(conn, workspace_id, delivery_ids)
    await unit.add({owner for owner in owners.values() if owner is not None})
    held = [await store.get(conn, workspace_id, name, for_update=True) for name in sorted(delivery_ids)]
    return [row for row in held if row is not None and row.person_id == owners.get(row.delivery_id)]


async def _owners(conn: Connection, workspace_id: int, delivery_ids: Collection[str]) -> dict[str, int | None]:
    rows = [await store.get(conn, workspace_id, name) for name in delivery_ids]
    return {row.delivery_id: row.person_id for row in rows if row is not None}


def _waits(row: DeliveryRow, now: datetime) -> bool:
    """Whether its instant is still to come; nobody has tried it then."""
    queued = row.status == "queued" and not row.draft and row.attempts == 0 and row.transactional_id is not None
    return queued and row.held_until is not None and row.held_until > now


async def _end(unit: Unit, row: DeliveryRow) -> None:
    change = apply(row.status, row.metrics, "undeliverable", unit.now, row.channel)  # type: ignore[arg-type]
    ended = replace(row, status=change.status, metrics=change.metrics, failure_message=CANCELLED, held_until=None)
    await store.save(unit.conn, ended)
    await store.ask_no_more(unit.conn, row.workspace_id, SEND_AT, row.delivery_id)
    await reached(unit, ended, change.reached)
    await over(unit, ended)


__all__ = ["CANCELLED", "Cancelling"]
