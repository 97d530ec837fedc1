"""A server that cannot be used is left in peace: one look at it at a time, ever more rarely, and nothing else (SUB-21).

Whoever finds it away notes so for all processes; deliveries that would go to it wait meanwhile without an attempt being used
up. When a look finds it back they go on, some at a time, so that a server that has only just come up is not run over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from channels import Channels, WayOut
from channels.base import Outside, Probe, SendFailure
from domain.definitions.provider import ProviderDefinition
from ingest.catalog import Catalog, Catalogs
from services.delivery_outcomes import AWAY
from store import provider_turns as store
from store.database import Connection, Database
from store.deliveries import ask, ask_no_more
from store.provider_turns import ProviderTurn

logger = logging.getLogger("sojourn.providers")

Clock = Callable[[], datetime]

FIRST_GAP: Final = timedelta(seconds=2)
LONGEST_GAP: Final = timedelta(minutes=10)
LOOK_LASTS: Final = timedelta(minutes=2)
"""How long a look may take at most before it may be another's turn."""
AT_LATEST: Final = timedelta(hours=1)
"""After which a held delivery asks by itself, should nobody have told it to go on."""
PAGE: Final = 500
BREATH: Final = timedelta(seconds=1)
LAST_LOOK: Final = timedelta(seconds=5)
"""When those are let go that were about to be held as the others went on."""
KNOWN_SECONDS: Final = 1.0
"""For how long a process goes by what it has read of a provider."""


def gap_after(failures: int) -> timedelta:
    """The time until a provider is looked at again that was found away so many times in a row."""
    return min(FIRST_GAP * (1 << min(failures - 1, 20)), LONGEST_GAP)


class _Known(NamedTuple):
    at: float
    turn: ProviderTurn | None


class ProviderTurns:
    """How the providers of all workspaces stand, as this process knows it."""

    def __init__(self, db: Database, catalogs: Catalogs, channels: Channels, outside: Outside) -> None:
        self._db = db
        self._catalogs = catalogs
        self._channels = channels
        self._outside = outside
        self._known: dict[tuple[int, str], _Known] = {}
        self._reading = asyncio.Lock()

    async def held_until(self, workspace_id: int, way: WayOut, now: datetime) -> datetime | None:
        """Until when a delivery waits at the latest because its provider is away; None where it may go out."""
        if way.probe is None:
            return None
        known = self._fresh(workspace_id, way.key)
        if known is None:
            # One asks, and whoever comes meanwhile waits for the answer.
            async with self._reading:
                known = self._fresh(workspace_id, way.key) or await self._read(workspace_id, way.key)
        return None if known.turn is None else max(known.turn.next_at, now) + AT_LATEST

    def _fresh(self, workspace_id: int, key: str) -> _Known | None:
        known = self._known.get((workspace_id, key))
        return known if known is not None and asyncio.get_running_loop().time() - known.at <= KNOWN_SECONDS else None

    async def _read(self, workspace_id: int, key: str) -> _Known:
        time = asyncio.get_running_loop().time()
        async with self._db.connection() as conn:
            known = _Known(time, await store.get(conn, workspace_id, key))
        self._known[workspace_id, key] = known
        return known

    async def note(self, workspace_id: int, way: WayOut, failure: SendFailure, now: datetime) -> None:
        """Note what came between us and a provider, where that would come between it and any other message as well."""
        if not failure.of_server:
            return
        turn = ProviderTurn(workspace_id, way.key, 1, now + gap_after(1), failure.answer)
        async with self._db.transaction() as conn:
            fresh = await store.begin(conn, turn)
        self._known.pop((workspace_id, way.key), None)
        if fresh:
            named = {"workspace": workspace_id, "provider": way.key}
            logger.warning("A provider cannot be used: %s. Its deliveries wait.", failure.answer, extra=named)

    async def look(self, workspace_id: int, key: str, clock: Clock) -> None:
        """See whether a provider is back, as its row in `due` asks: its deliveries go on, or wait for the next look."""
        async with self._db.transaction() as conn:
            catalog = await self._catalogs.get(conn, workspace_id)
            turn = await store.get(conn, workspace_id, key)
            probe = self._probe(catalog, key)
            now = catalog.now(clock())
            if turn is None or probe is None:
                await self._go_on(conn, workspace_id, key, now, was_away=turn is not None)
                return
            await store.put_off(conn, _turn_at(turn, now + LOOK_LASTS))
        try:
            await probe()
        except SendFailure as failure:
            now = catalog.now(clock())
            failures = turn.failures + 1
            later = ProviderTurn(workspace_id, key, failures, now + gap_after(failures), failure.answer)
            async with self._db.transaction() as conn:
                await store.put_off(conn, later)
            logger.info("A provider is still away: %s", failure.answer, extra={"provider": key, "failures": failures})
            return
        async with self._db.transaction() as conn:
            await self._go_on(conn, workspace_id, key, catalog.now(clock()), was_away=True)
        logger.info("A provider can be used again.", extra={"workspace": workspace_id, "provider": key})

    def _probe(self, catalog: Catalog, key: str) -> Probe | None:
        """How to look at the provider as it is defined now; None where it is gone, or is none that could be away."""
        entry = catalog.find("provider", key)
        definition = entry.definition if entry is not None else None
        if not isinstance(definition, ProviderDefinition) or not definition.enabled:
            return None
        return self._channels.open(catalog.workspace_id, definition, self._outside).probe

    async def _go_on(self, conn: Connection, workspace_id: int, key: str, now: datetime, *, was_away: bool) -> None:
        """Let a page of what waits go on, and ask for the next one."""
        await store.end(conn, workspace_id, key)
        self._known.pop((workspace_id, key), None)
        going, full = await store.release(conn, workspace_id, key, held=AWAY, now=now, limit=PAGE)
        if going or full or was_away:
            await ask(conn, workspace_id, store.LOOK, key, now + (BREATH if full else LAST_LOOK))
        else:
            await ask_no_more(conn, workspace_id, store.LOOK, key)


def _turn_at(turn: ProviderTurn, at: datetime) -> ProviderTurn:
    """The same, looked at again at another instant."""
    return ProviderTurn(turn.workspace_id, turn.provider, turn.failures, at, turn.reason)


__all__ = ["ProviderTurns", "gap_after"]
