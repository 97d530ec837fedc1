"""What is counted of deliveries, and who is looked at again for it."""

from __future__ import annotations

from collections.abc import Sequence

from domain.condition_keys import messages_that
from ingest.unit import Unit
from store import deltas
from store.database import Connection
from store.deliveries import DeliveryRow
from telemetry import figures


async def reached(unit: Unit, row: DeliveryRow, metrics: Sequence[str], *others: str) -> None:
    """Count metrics that a message has reached, and have its person looked at again, for whom they are news (PPL-41).

    A holdout is no message to anybody, so that it is no news either.
    """
    await count(unit.conn, row, [(metric, 1) for metric in metrics])
    if row.person_id is not None and not row.draft and not row.holdout:
        await unit.changed([row.person_id], *map(messages_that, (*metrics, *others)))


async def count(conn: Connection, row: DeliveryRow, amounts: Sequence[tuple[str, int]]) -> None:
    """Change metrics of the campaign and of the action."""
    await deltas.insert(conn, changes_of(row, amounts))


def changes_of(row: DeliveryRow, amounts: Sequence[tuple[str, int]]) -> list[deltas.Delta]:
    """Which totals such amounts change; those of a holdout count for its action only (ACT-19)."""
    if not row.holdout:
        for metric, amount in amounts:
            if amount > 0:
                figures.DELIVERIES.labels(row.channel, metric).inc(amount)
    return [
        deltas.Delta(row.workspace_id, kind, ref, metric, amount)
        for kind, ref in (
            ("campaign", None if row.holdout else row.campaign_id),
            ("action", row.action_id),
            ("transactional", row.transactional_id),
        )
        if ref is not None
        for metric, amount in amounts
    ]


__all__ = ["changes_of", "count", "reached"]
