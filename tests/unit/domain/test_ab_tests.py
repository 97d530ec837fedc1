"""The figures of A/B tests, by the values that stand in the catalogue (ACT-18)."""

from __future__ import annotations

import pytest

from domain.ab_tests import ArmFigures, Comparison, chance_to_beat, z_score


@pytest.mark.parametrize(
    ("original", "variation", "z", "chance", "verdict"),
    [
        ((1000, 100), (1000, 125), -1.770536, 0.961681, "variation"),
        ((1000, 200), (1000, 230), -1.633962, 0.948867, "not_significant"),
        ((1000, 125), (1000, 100), 1.770536, 0.038319, "original"),
        ((1000, 100), (1000, 100), 0, 0.5, "not_significant"),
        ((5, 2), (5, 3), -0.645497, 0.740697, "not_significant"),
        ((5000, 2000), (5000, 3000), -20.412415, 1.0, "variation"),
    ],
)
def test_the_chance_to_beat_the_original(original, variation, z, chance, verdict):
    arms = ArmFigures(*original), ArmFigures(*variation)
    assert z_score(*arms) == pytest.approx(z, abs=1e-6)
    assert chance_to_beat(*arms) == pytest.approx(chance, abs=1e-6)
    assert Comparison("opened", *arms).verdict == verdict


@pytest.mark.parametrize(
    ("original", "variation", "chance", "verdict"),
    [
        ((10, 0), (10, 0), 0.5, "not_significant"),
        ((10, 10), (10, 10), 0.5, "not_significant"),
        ((10, 0), (10, 10), 1.0, "variation"),
        ((10, 10), (10, 0), 0.0, "original"),
        ((0, 0), (10, 5), None, "not_significant"),
        ((10, 5), (0, 0), None, "not_significant"),
    ],
)
def test_arms_of_which_nothing_or_everything_is_known(original, variation, chance, verdict):
    compared = Comparison("converted", ArmFigures(*original), ArmFigures(*variation))
    assert (compared.chance, compared.verdict) == (chance, verdict)
