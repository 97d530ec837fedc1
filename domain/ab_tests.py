"""A/B tests of messages: whether the variation does better than the original, and how sure that is (ACT-18)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Metric = Literal["opened", "clicked", "converted"]
Verdict = Literal["variation", "original", "not_significant"]

SIGNIFICANT: Final = 0.95


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """How many got an arm, and how many of them did what is measured."""

    total: int
    count: int

    @property
    def rate(self) -> float:
        """The share of those who did it."""
        return self.count / self.total

    @property
    def variance(self) -> float:
        """The square of the standard error of the share."""
        return self.rate * (1 - self.rate) / self.total


class Comparison(NamedTuple):
    """Both arms by one metric, and the chance that the variation beats the original; None where that cannot be said."""

    metric: Metric
    original: ArmFigures
    variation: ArmFigures

    @property
    def chance(self) -> float | None:
        """The probability that the variation does better; one half means no difference."""
        return chance_to_beat(self.original, self.variation)

    @property
    def verdict(self) -> Verdict:
        """Which arm is ahead beyond doubt."""
        chance = self.chance
        if chance is None or 1 - SIGNIFICANT <= chance <= SIGNIFICANT:
            return "not_significant"
        return "variation" if chance > SIGNIFICANT else "original"


def z_score(original: ArmFigures, variation: ArmFigures) -> float:
    """By how many standard errors the original is ahead of the variation."""
    gap, spread = original.rate - variation.rate, math.sqrt(original.variance + variation.variance)
    if not spread:
        return 0.0 if not gap else math.copysign(math.inf, gap)
    return gap / spread


def chance_to_beat(original: ArmFigures, variation: ArmFigures) -> float | None:
    """The probability that the variation outperforms the original; None while an arm has nobody."""
    if not original.total or not variation.total:
        return None
    return math.erfc(z_score(original, variation) / math.sqrt(2)) / 2


__all__ = ["SIGNIFICANT", "ArmFigures", "Comparison", "Metric", "Verdict", "chance_to_beat", "z_score"]
