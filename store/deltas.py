"""Changes of totals as rows of their own, so that no transaction waits for a counter that many share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from store.database import Connection


class Delta(NamedTuple):
    """One change of one total: `kind` and `ref_id` say whose (`campaign`, `action`, `block`, `segment`, `workspace` with 0)."""

    workspace_id: int
    kind: str
    ref_id: int
    metric: str
    amount: int = 1


async def insert(conn: Connection, deltas: Iterable[Delta]) -> None:
    """Record the changes, those of one total added up."""
    sums: Counter[tuple[int, str, int, str]] = Counter()
    for delta in deltas:
        sums[delta[:4]] += delta.amount
    rows = [(*key, amount) for key, amount in sums.items() if amount]
    if not rows:
        return
    await conn.execute(
        """INSERT INTO metric_deltas (workspace_id, kind, ref_id, metric, amount)
           SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::text[], $5::int[])""",
        *[list(column) for column in zip(*rows, strict=True)],
    )


__all__ = ["Delta", "insert"]
