"""What many deliveries of one trigger have reached, counted together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from domain.condition_keys import messages_that
from ingest.unit import Unit
from services.delivery_figures import changes_of
from store.deliveries import DeliveryRow

_Kind = tuple[int | None, int | None, bool]


class Tally:
    """Metrics that deliveries reached within a unit of work."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._watched = bool(unit.catalog.compiled.watched_records)
        self._times: Counter[tuple[_Kind, str]] = Counter()
        self._examples: dict[_Kind, DeliveryRow] = {}

    def add(self, row: DeliveryRow, reached: Iterable[str], *others: str) -> None:
        """A delivery has reached these; its person is looked at again where conditions ask for such, or for `others`."""
        kind = (row.campaign_id, row.action_id, row.holdout)
        self._examples.setdefault(kind, row)
        for metric in reached:
            self._times[kind, metric] += 1
        if self._watched and row.person_id is not None and not row.draft and not row.holdout:
            self._unit.touch(row.person_id, *map(messages_that, (*reached, *others)))

    def change(self, row: DeliveryRow, metric: str, amount: int) -> None:
        """Change a figure of a delivery that nobody is looked at for."""
        kind = (row.campaign_id, row.action_id, row.holdout)
        self._examples.setdefault(kind, row)
        self._times[kind, metric] += amount

    def close(self) -> None:
        """Leave it to the unit to write."""
        for (kind, metric), times in self._times.items():
            for counted in changes_of(self._examples[kind], [(metric, times)]):
                self._unit.count(*counted[1:])


__all__ = ["Tally"]
