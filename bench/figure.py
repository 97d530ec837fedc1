"""A measured figure: what was measured, against what, the ratio of the two and the target it has."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One line of the table. `side` says where the ratio should be: at least or at most the target."""

    name: str
    measured: str
    against: str
    ratio: float
    target: float
    side: Literal["least", "most"] = "least"
    notes: tuple[str, ...] = ()

    @property
    def reached(self) -> bool:
        """Whether the ratio is on the right side of the target."""
        return self.ratio >= self.target if self.side == "least" else self.ratio <= self.target

    @property
    def wanted(self) -> str:
        """The target in words."""
        return f"{'>=' if self.side == 'least' else '<='} {self.target:g} x"

    @property
    def verdict(self) -> str:
        """The one word of the table."""
        return "reached" if self.reached else "missed"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which so large a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rate(per_second: float, what: str) -> str:
    """So many things in a second, in as many digits as mean something."""
    return f"{per_second:,.0f} {what}/s" if per_second >= 100 else f"{per_second:.1f} {what}/s"


def seconds(value: float) -> str:
    """A span in the unit that suits it."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def paired(measured: Sequence[float], peer: Sequence[float]) -> tuple[float, str]:
    """The median of the ratios of rounds measured side by side, and how far the rounds lie apart."""
    ratios = [one / other for one, other in zip(measured, peer, strict=True)]
    return statistics.median(ratios), f"{min(ratios):.2f}-{max(ratios):.2f} over {len(ratios)} rounds"


__all__ = ["Figure", "paired", "percentile", "rate", "seconds"]
