"""How many calls a workspace may make (API-16): token buckets in the database, leased by each API process in portions."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from domain.errors import DomainError
from store import rates as store
from store.database import Database
from store.rates import Bucket
from telemetry import figures

RateClass = Literal["track", "pipelines", "app", "sends"]
EVERY: Final = timedelta(milliseconds=100)
"""How often a process draws from one bucket at most."""
KEPT: Final = timedelta(seconds=1)
"""How long a process may use what it has drawn."""


class Limit(NamedTuple):
    """So many calls at once, in so many seconds; the bucket fills again within these seconds."""

    calls: int
    seconds: int

    @property
    def per_second(self) -> float:
        """How fast the bucket fills."""
        return self.calls / self.seconds

    @property
    def portion(self) -> int:
        """What a process draws when it draws: enough for the time until it may draw again."""
        return math.ceil(self.per_second * EVERY.total_seconds())

    def __str__(self) -> str:
        """As refusals name it."""
        return f"{self.calls} requests per {self.seconds}s"


DOCUMENTED: Final[dict[RateClass, Limit]] = {
    "track": Limit(1000, 1),
    "pipelines": Limit(3000, 3),
    "app": Limit(10, 1),
    "sends": Limit(3000, 3),
}
"""The published rates."""


class Draw(NamedTuple):
    """What a draw came to: so many tokens, and what is left."""

    tokens: int
    left: Bucket


def draw(bucket: Bucket, limit: Limit, wanted: int, now: datetime) -> Draw:
    """Take up to so many whole tokens out of a bucket; it fills with time, never beyond its size."""
    passed = max((now - bucket.refilled_at).total_seconds(), 0.0)
    there = min(float(limit.calls), bucket.tokens + passed * limit.per_second)
    tokens = min(wanted, math.floor(there))
    return Draw(tokens, Bucket(there - tokens, max(now, bucket.refilled_at)))


@dataclass
class _Meter:
    """What this process has drawn from one bucket, and who waits for its next draw."""

    tokens: int = 0
    drawn_at: datetime | None = None
    empty: bool = False
    waiting: list[asyncio.Future[bool]] = field(default_factory=list)
    drawing: asyncio.Task[None] | None = None


class Rates:
    """The limits as one API process keeps them: exact to one portion per process, one draw per 100 ms and bucket."""

    def __init__(self, db: Database, limits: dict[RateClass, Limit], clock: Callable[[], datetime]) -> None:
        self._db = db
        self._limits = limits
        self._clock = clock
        self._meters: dict[tuple[int, RateClass], _Meter] = {}

    async def take(self, workspace_id: int, kind: RateClass) -> None:
        """Count a call; raises DomainError `rate_limited`."""
        limit = self._limits[kind]
        if not await self._taken(self._meters.setdefault((workspace_id, kind), _Meter()), workspace_id, kind):
            figures.RATE_LIMITED.labels(kind).inc()
            raise DomainError("rate_limited", f"rate limited to {limit}")

    async def _taken(self, meter: _Meter, workspace_id: int, kind: RateClass) -> bool:
        passed = None if meter.drawn_at is None else self._clock() - meter.drawn_at
        if passed is not None and passed > KEPT:
            meter.tokens = 0
        if meter.tokens:
            meter.tokens -= 1
            return True
        if meter.empty and passed is not None and passed < EVERY:
            return False
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        meter.waiting.append(turn)
        if meter.drawing is None or meter.drawing.done():
            meter.drawing = asyncio.create_task(self._draw_for_all(meter, workspace_id, kind))
        return await turn

    async def _draw_for_all(self, meter: _Meter, workspace_id: int, kind: RateClass) -> None:
        while meter.waiting:
            await self._pause(meter, self._limits[kind])
            turns, meter.waiting = meter.waiting, []
            try:
                await self._draw(meter, workspace_id, kind, max(len(turns), self._limits[kind].portion))
            except Exception as error:  # noqa: BLE001 - it is raised where each of the calls waits
                for turn in turns:
                    if not turn.done():
                        turn.set_exception(error)
                continue
            for turn in turns:
                if not turn.done():
                    turn.set_result(meter.tokens > 0)
                    meter.tokens -= meter.tokens > 0

    async def _pause(self, meter: _Meter, limit: Limit) -> None:
        """Wait until it is time to draw again; where a portion is a single call, draws cannot be more frequent anyway."""
        if meter.drawn_at is None or limit.portion == 1:
            return
        pause = EVERY - (self._clock() - meter.drawn_at)
        if pause > timedelta(0):
            await asyncio.sleep(pause.total_seconds())

    async def _draw(self, meter: _Meter, workspace_id: int, kind: RateClass, wanted: int) -> None:
        limit, now = self._limits[kind], self._clock()
        async with self._db.transaction() as conn:
            held = await store.hold(conn, workspace_id, kind, Bucket(float(limit.calls), now))
            drawn = draw(held, limit, wanted, now)
            await store.save(conn, workspace_id, kind, drawn.left)
        meter.tokens, meter.drawn_at, meter.empty = drawn.tokens, now, drawn.tokens < wanted


__all__ = ["DOCUMENTED", "EVERY", "Draw", "Limit", "RateClass", "Rates", "draw"]
