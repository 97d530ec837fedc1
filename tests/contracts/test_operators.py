"""What every operator of the registry promises; a new operator is covered as soon as it is registered and has a sample."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.facts import Facts
from domain.operators import OPERATORS, parse_comparison

NOW = 1_790_000_000
FACTS = Facts(
    attributes={"n": 5, "t": "x*y", "ts": NOW - 50, "deep": {"a": [1, {"b": None}]}, "b": True},
    age_start=datetime(2020, 1, 1, tzinfo=UTC),
)
LOOKUPS = [{"from": f"customer.{path}"} for path in ("n", "t", "ts", "deep", "deep.a", "b", "missing")]
NUMBERS = [5, -1.5, "12", "0.5", *LOOKUPS]
INSTANTS = [0, NOW, NOW + 30, {"ago": "PT1M"}, {"ago": 0}, {"from_now": 40}, {"from_now": "P1D"}, *LOOKUPS]
OPERANDS: dict[str, list[Any]] = {
    "exists": [],
    "is_timestamp": [],
    "eq": ["pro", "PRO", 5, 5.0, "5.0", True, False, "*", *LOOKUPS],
    "in": [["pro"], [1, "2", True], ["x"] * 100],
    "contains": ["pro", "a*b", "a+b|c", "\\", "\\|", "*", "\\+", *LOOKUPS],
    "gt": NUMBERS,
    "gte": NUMBERS,
    "lt": NUMBERS,
    "lte": NUMBERS,
    "before": INSTANTS,
    "after": INSTANTS,
    "between": [[a, b] for a in INSTANTS[:8] for b in INSTANTS[:8]],
}
SAMPLES = [
    {"field": "f", "operator": word, **({"value": operand} if OPERANDS[word] else {})}
    for word in OPERANDS
    for operand in OPERANDS[word] or [None]
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.integers(NOW - 200, NOW + 200)
    | st.integers(NOW - 200, NOW + 200).map(str)
    | st.sampled_from(["pro", "5", "5.0", "true", "TRUE", "", "a b", "\u0661", "1e400", "-", "9" * 5000]),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(["f", "f[]", "f?", "f[0]", "f.a", "f[].a", "f?.a", "f[][]", "f..x", "f[x]"])


def test_every_operator_has_samples() -> None:
    assert set(OPERANDS) == set(OPERATORS)


@pytest.mark.parametrize("word", sorted(OPERATORS))
def test_an_operator_is_named_by_its_word_and_frozen(word: Any) -> None:
    kind = OPERATORS[word]
    assert kind.model_fields["operator"].default == word
    assert kind.model_config["frozen"]
    assert kind.model_config["extra"] == "forbid"
    assert kind.__doc__


@pytest.mark.parametrize("raw", SAMPLES, ids=str)
def test_round_trip(raw: Any) -> None:
    comparison = parse_comparison(raw)
    assert comparison.model_dump(mode="json") == raw
    assert parse_comparison(comparison.model_dump(mode="json")) == comparison
    inverse = parse_comparison({**raw, "inverse": True})
    assert inverse.model_dump(mode="json") == {**raw, "inverse": True}
    assert type(comparison).model_json_schema()["properties"]["operator"]["const"] == raw["operator"]


@settings(max_examples=400, deadline=None)
@given(raw=st.sampled_from(SAMPLES), value=json_values, field=fields, now=st.integers(NOW - 300, NOW + 300))
def test_total_and_inverse_is_the_exact_complement(raw: Any, value: Any, field: Any, now: Any) -> None:
    record = {"f": value}
    plain = parse_comparison({**raw, "field": field}).decide(record, FACTS, now)
    inverse = parse_comparison({**raw, "field": field, "inverse": True}).decide(record, FACTS, now)
    assert isinstance(plain[0], bool)
    assert inverse[0] is not plain[0]
    assert inverse[1] == plain[1]


@settings(max_examples=400, deadline=None)
@given(raw=st.sampled_from(SAMPLES), value=json_values)
def test_matches_is_constant_until_it_flips(raw: Any, value: Any) -> None:
    comparison = parse_comparison(raw)
    bound = comparison.bound(FACTS) if comparison.lookups else comparison
    assume(value is not None)
    if bound is None:
        return
    flip = bound.flips_at(value, NOW)
    now_matches = bound.matches(value, NOW)
    assert flip is None or flip > NOW
    horizon = NOW + 500 if flip is None else flip
    assert all(bound.matches(value, at) is now_matches for at in range(NOW, min(horizon, NOW + 500)))
    assert flip is None or bound.clock
    if flip is not None:
        assert bound.matches(value, flip - 1) is now_matches
        assert bound.matches(value, flip) is not now_matches
