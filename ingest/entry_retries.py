"""What a transaction knows and says of entries that did not happen: those that wait, and those that were refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.facts import Position
from domain.journeys import FILTER_PATIENCE
from ingest.person import Person
from store import entry_refusals, entry_retries
from store.database import Connection
from store.entry_refusals import Refusal
from store.entry_retries import EntryRetry

ENTRY: Final = "waiting"
"""Under which name a date waits for the journey under way to end: only the latest does."""


class Entries:
    """Occurrences that wait and reasons of refusal, changed in memory and written back together."""

    def __init__(self, conn: Connection, workspace_id: int, now: datetime) -> None:
        self._conn = conn
        self._workspace_id = workspace_id
        self._now = now
        self._clear()

    def _clear(self) -> None:
        self._retries: dict[tuple[int, int, str], EntryRetry | None] = {}
        self._refusals: list[Refusal] = []

    async def load(self, people: Mapping[int, Person]) -> None:
        """Read what waits for these people, whose locks are held."""
        for row in await entry_retries.of_people(self._conn, self._workspace_id, list(people)):
            people[row.person_id].retries[row.campaign_id, row.entry] = row

    def park(
        self, person: Person, campaign_id: int, entry: str, position: Position, trigger: dict[str, Any]
    ) -> EntryRetry:
        """Have an occurrence wait for filters, from now on; one that waits already goes on waiting as before."""
        known = person.retries.get((campaign_id, entry))
        if known is not None:
            return known
        until = self._now + FILTER_PATIENCE
        return self._keep(
            person, EntryRetry(person.person_id, campaign_id, entry, *position, self._now, until, trigger)
        )

    def wait(self, person: Person, campaign_id: int, position: Position, trigger: dict[str, Any]) -> EntryRetry:
        """Have an occurrence wait until the journey under way has ended, instead of any that does."""
        row = EntryRetry(person.person_id, campaign_id, ENTRY, *position, self._now, None, trigger)
        return self._keep(person, row)

    def _keep(self, person: Person, row: EntryRetry) -> EntryRetry:
        person.retries[row.campaign_id, row.entry] = row
        self._retries[row.key] = row
        return row

    def drop(self, person: Person, row: EntryRetry) -> None:
        """Let an occurrence wait no more."""
        person.retries.pop((row.campaign_id, row.entry), None)
        self._retries[row.key] = None

    def refuse(
        self,
        campaign_id: int,
        person_id: int,
        position: Position,
        occurrence: str,
        *,
        step: str,
        evidence: Mapping[str, Any],
    ) -> None:
        """Write down which check an occurrence failed, so that it can be explained (CMP-34)."""
        refusal = Refusal(campaign_id, person_id, position.seq, occurrence, self._now, step, evidence)
        self._refusals.append(refusal)

    async def flush(self) -> None:
        """Write everything that changed."""
        await entry_retries.save(self._conn, self._workspace_id, [r for r in self._retries.values() if r is not None])
        gone = [key for key, row in self._retries.items() if row is None]
        await entry_retries.delete(self._conn, self._workspace_id, gone)
        await entry_refusals.insert(self._conn, self._workspace_id, self._refusals)
        self._clear()


__all__ = ["ENTRY", "Entries"]
