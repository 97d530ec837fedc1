"""What follows for people whose devices, relationships or messages a fact has changed (PPL-41)."""

from __future__ import annotations

from collections.abc import Mapping

from domain.condition_keys import kind_of_records
from domain.facts import Facts, Position
from ingest.settle import Change, settle
from ingest.unit import Unit


async def settle_records(unit: Unit, befores: Mapping[int, Facts], at: Position, *words: str) -> None:
    """Settle people whose records of these words have been written; `befores` is what conditions saw of each until then.

    Nothing follows where no condition looks at them, but for somebody fresh, of whom everything is asked.
    """
    records = frozenset(words)
    await unit.renew(befores, frozenset(map(kind_of_records, words)))
    watched = not records.isdisjoint(unit.catalog.compiled.watched_records)
    for person_id, before in befores.items():
        person = unit.people.get(person_id)
        if person is not None and (watched or person.fresh):
            await settle(unit, person, Change(before, at, records=records))


__all__ = ["settle_records"]
