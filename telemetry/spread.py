"""How values are spread: a histogram that takes many equal values at once, for loops where each microsecond counts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class Spread:
    """Counts of values up to each bound; used by one thread."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float, times: int = 1) -> None:
        """Note a value that came so many times."""
        self._counts[bisect_left(self._bounds, value)] += times
        self._total += value * times

    def write(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Put it into the family under these labels."""
        reached, buckets = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            reached += count
            buckets.append((bound, reached))
        family.add_metric(labels, buckets, self._total)


class SpreadFigure(Collector):
    """One spread under a name of its own."""

    def __init__(self, name: str, meaning: str, bounds: Sequence[float]) -> None:
        self.name, self.meaning = name, meaning
        self.spread = Spread(bounds)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The figure as it is now."""
        family = HistogramMetricFamily(self.name, self.meaning, labels=[])
        self.spread.write(family, [])
        yield family


__all__ = ["Spread", "SpreadFigure"]
