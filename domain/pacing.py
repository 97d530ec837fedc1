"""How many recipients of a broadcast may be seen to by now, so that they are spread evenly over each period (CHN-15).

They go in chunks, each the rate's worth of a tenth of a second but one at least: the first at once, the n-th so many times that
later. Whatever could not be done in time is forgotten but for a moment's worth, so that neither a pause nor a dead worker is
followed by a burst.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.timing import shifted

CHUNK_SECONDS: Final = 0.1
"""For how long recipients are gathered at most, where many come in a second."""
LATE_SECONDS: Final = 0.25
"""What could not be done for so long is made up for, and no more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate with what was done at it: `sent` since the instant `since`."""

    per_second: float
    since: datetime
    sent: int

    @property
    def chunk(self) -> int:
        """How many are seen to at once, at most."""
        return max(1, int(self.per_second * CHUNK_SECONDS))

    def kept_up(self, now: datetime) -> Pace:
        """The same without what is overdue by more than a moment; a clock that was set back begins anew."""
        if now < self.since:
            return Pace(self.per_second, now, 0)
        missed = self._by(now) - self.sent - max(1, int(self.per_second * LATE_SECONDS))
        if missed <= 0:
            return self
        return Pace(self.per_second, shifted(self.since, timedelta(seconds=missed / self.per_second)), self.sent)

    def allowed(self, now: datetime) -> int:
        """How many may be seen to now; `kept_up` says from which beginning."""
        return min(max(0, self._by(now) - self.sent), self.chunk)

    def until(self, wanted: int) -> datetime:
        """When so many may be seen to at once, a chunk of them at most."""
        number = self.sent + min(wanted, self.chunk) - self.chunk
        # In whole microseconds, and never early.
        return shifted(self.since, timedelta(microseconds=math.ceil(number / self.per_second * 1_000_000)))

    def _by(self, now: datetime) -> int:
        """How many were allowed from the beginning until now."""
        return math.floor((now - self.since).total_seconds() * self.per_second + 1e-6) + self.chunk


__all__ = ["CHUNK_SECONDS", "LATE_SECONDS", "Pace"]
