"""First answers of providers that have taken a message: what they make of its delivery, which is much the same for many."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from domain.deliveries import Event, microseconds
from services.deliveries import Prepared
from services.delivery_outcomes import Outcome, applied
from store.delivery_batches import Settled


class Tried(NamedTuple):
    """A hand-over that was claimed and has ended at these instants of the workspace, of a delivery made by a transaction."""

    prepared: Prepared
    outcome: Outcome
    at: datetime
    begun: datetime
    made_by: int

    @property
    def taken(self) -> bool:
        """Whether the provider has taken it the first time, and nothing is to be learnt from that."""
        row, outcome = self.prepared.row, self.outcome
        first = row.attempts == 0 and row.handed_over_at is None
        return first and outcome.result == "sent" and outcome.asked and "spammed" not in outcome.events


class Receipts:
    """What receipts make of deliveries; with `silent` nothing is counted that came after those of emails (OUT-26)."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._known: dict[tuple[str, tuple[str, ...], tuple[Event, ...]], tuple[str, tuple[str, ...]]] = {}

    def reached(self, tried: Tried) -> tuple[str, ...]:
        """The metrics that one has reached."""
        return self._came_to(tried)[1]

    def settled(self, tried: Tried) -> Settled:
        """One delivery as it is to be written."""
        row, outcome = tried.prepared.row, tried.outcome
        status, reached = self._came_to(tried)
        instant = microseconds(tried.at)
        return Settled(
            row.delivery_id,
            tried.made_by,
            status,
            {**row.metrics, **dict.fromkeys(reached, instant)},
            outcome.provider or "",
            outcome.ref,
            outcome.ambiguous,
            tried.at,
            tried.begun,
            outcome.answer,
        )

    def _came_to(self, tried: Tried) -> tuple[str, tuple[str, ...]]:
        """The status and the metrics that it reached, which only depend on what was known of it before."""
        row, outcome = tried.prepared.row, tried.outcome
        kind = (row.channel, tuple(row.metrics), outcome.events)
        if kind not in self._known:
            change = applied(row, outcome, tried.at, silent=self._silent and row.channel == "email")
            self._known[kind] = (change.row.status, change.reached)
        return self._known[kind]


__all__ = ["Receipts", "Tried"]
