"""What became of the journeys of a campaign, by when they were created (CMP-30, SUB-26), as the App API tells it (APP-06)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from domain.blocks import BLOCKS, DataBlock, DeliveringBlock
from domain.increments import Resolution, increments
from domain.values import from_unix
from ingest.catalog import Catalogs
from services.looking.blocks import named
from store.database import Connection, Database
from store.reads import journey_metrics as reads
from store.reads.journey_metrics import Counted

MESSAGES: Final = tuple(word for word, block in BLOCKS.items() if issubclass(block, DeliveringBlock))
ACTIONS: Final = tuple(word for word, block in BLOCKS.items() if issubclass(block, DataBlock))
RECENTLY: Final = timedelta(days=30)
"""What the page of a campaign tells of."""
MOST: Final = 20_000
"""How many journeys are counted for a page: whoever wants more asks for it."""


async def of_campaign(
    db: Database, catalogs: Catalogs, workspace_id: int, ref: str | int, *, start: int, end: int, resolution: Resolution
) -> dict[str, Any]:
    """One number of each metric for every increment from `start` to `end`, Unix seconds, the second excluded.

    Raises DomainError `invalid_parameter` for a span that is none, NotFound.
    """
    until = from_unix(end)
    begins = increments(from_unix(start), until, resolution)
    async with db.connection() as conn:
        campaign = named((await catalogs.get(conn, workspace_id)).campaigns, ref)
        counted = await _counted(conn, workspace_id, campaign.id, begins, until)
    return {"journey_metric": {name: [getattr(one, name) for one in counted] for name in Counted._fields}}


async def recently(db: Database, workspace_id: int, campaign_id: int, now: datetime) -> dict[str, int] | None:
    """What became of those who began in the last thirty days, None where there are too many to count on the way."""
    until = now + timedelta(seconds=1)
    start = until - RECENTLY
    async with db.connection() as conn:
        if not await reads.are_few(conn, workspace_id, campaign_id, start, until, most=MOST):
            return None
        (counted,) = await _counted(conn, workspace_id, campaign_id, [start], until)
    return counted._asdict()


async def _counted(
    conn: Connection, workspace_id: int, campaign_id: int, begins: list[datetime], end: datetime
) -> list[Counted]:
    return await reads.by_increment(conn, workspace_id, campaign_id, begins, end, messages=MESSAGES, actions=ACTIONS)


__all__ = ["ACTIONS", "MESSAGES", "MOST", "RECENTLY", "of_campaign", "recently"]
