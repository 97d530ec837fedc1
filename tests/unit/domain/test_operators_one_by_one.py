from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.facts import Facts
from domain.operators import OPERATORS, parse_comparison
from domain.operators.base import earliest, first_change

NOW = 1_790_000_000
NOBODY = Facts(attributes={}, age_start=datetime(2020, 1, 1, tzinfo=UTC))


def decide(raw: Any, record: Any, attributes: Any = None, now: Any = NOW) -> tuple[bool, int | None]:
    facts = Facts(attributes=attributes or {}, age_start=NOBODY.age_start)
    return parse_comparison(raw).decide(record, facts, now)


def test_all_twelve_operators_are_there() -> None:
    assert sorted(OPERATORS) == sorted(
        ["exists", "eq", "in", "contains", "gt", "gte", "lt", "lte", "is_timestamp", "before", "after", "between"]
    )


@pytest.mark.parametrize("operator", ["eq", "gt", "contains", "before"])
def test_a_missing_operand_matches_nothing_and_inverse_everything(operator: str) -> None:
    raw = {"field": "a", "operator": operator, "value": {"from": "customer.b"}}
    assert decide(raw, {"a": "5"}) == (False, None)
    assert decide(raw, {"a": ""}, {"b": ""}) == (False, None)
    assert decide({**raw, "inverse": True}, {"a": "5"}) == (True, None)


def test_looked_up_operands_may_be_of_any_type() -> None:
    assert decide({"field": "a", "value": {"from": "customer.b"}}, {"a": [1, 2]}, {"b": [1.0, 2]})[0]
    assert decide({"field": "a", "value": {"from": "customer.b.c[0]"}}, {"a": 7}, {"b": {"c": ["7.0"]}})[0]
    assert not decide({"field": "a", "operator": "lt", "value": {"from": "customer.b"}}, {"a": 1}, {"b": {"x": 2}})[0]
    assert decide({"field": "a", "operator": "contains", "value": {"from": "customer.b"}}, {"a": "x5y"}, {"b": 5.0})[0]


def test_the_answer_of_several_values_turns_with_the_first() -> None:
    raw = {"field": "a[]", "operator": "after", "value": {"ago": 100}}
    assert decide(raw, {"a": [NOW, NOW + 50]}) == (True, NOW + 100)
    assert decide({**raw, "inverse": True}, {"a": [NOW - 200]}) == (True, None)


def test_nulls_inside_arrays_are_not_values() -> None:
    assert not decide({"field": "a[]", "operator": "eq", "value": "null"}, {"a": [None]})[0]
    assert not decide({"field": "a[]"}, {"a": [None, ""]})[0]
    assert decide({"field": "a[]"}, {"a": [None, 0]})[0]


def test_large_numbers_are_not_confused() -> None:
    assert not decide({"field": "a", "value": "12345678901234567890"}, {"a": "12345678901234567891"})[0]
    assert decide({"field": "a", "value": 9007199254740993}, {"a": "9007199254740993.0"})[0]
    assert not decide({"field": "a", "value": 9007199254740993}, {"a": "9007199254740992"})[0]
    assert decide({"field": "a", "operator": "gt", "value": 9007199254740992}, {"a": 9007199254740993})[0]


def test_comparisons_are_values() -> None:
    first, second = (parse_comparison({"field": "a", "value": "x"}) for _ in range(2))
    first.matches("x", NOW)
    assert first == second
    assert hash(first) == hash(second)
    assert parse_comparison(first) is first


def test_words() -> None:
    assert parse_comparison({"field": "a"}).words == "a exists"
    assert (
        parse_comparison({"field": "a", "operator": "before", "value": {"ago": "P1D"}, "inverse": True}).words
        == 'not (a before {"ago":"P1D"})'
    )


def test_earliest_and_first_change() -> None:
    assert [earliest(a, b) for a, b in ((None, None), (1, None), (None, 2), (3, 2))] == [None, 1, 2, 2]
    assert first_change(lambda at: at >= 5, [7, None, 5, 3, 1], 2) == 5
    assert first_change(lambda at: at >= 5, [3], 2) is None
