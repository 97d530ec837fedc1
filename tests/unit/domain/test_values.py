from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import DomainError
from domain.values import (
    MAX_NESTING,
    as_number,
    as_timestamp,
    check_json,
    from_unix,
    is_blank,
    is_unsubscribed,
    same,
    stable_fraction,
    text_form,
    to_unix,
    to_unix_ceiling,
)
from ingest.parse import parse_json


@pytest.mark.parametrize(
    "value", ["a\x00b", {"a\x00": 1}, ["\ud800"], {"a": [{"\udfff": 1}]}, math.inf, [-math.inf, 1], {"x": math.nan}]
)
def test_check_json_refuses_what_the_database_cannot_keep(value: Any) -> None:
    with pytest.raises(DomainError) as refused:
        check_json(value)
    assert refused.value.code == "invalid_json"


def nested(levels: int) -> Any:
    value: Any = 1
    for number in range(levels):
        value = [value] if number % 2 else {"a": value}
    return value


def test_check_json_allows_64_levels_and_refuses_65() -> None:
    check_json(nested(MAX_NESTING))
    with pytest.raises(DomainError):
        check_json(nested(MAX_NESTING + 1))


def test_check_json_allows_everything_else() -> None:
    accepted: dict[str, Any] = {"a": [1, 1.5, True, None, "ü😀", {"b": {}}]}
    check_json(accepted)
    assert parse_json(json.dumps(accepted).encode()) == accepted


@pytest.mark.parametrize(
    "body",
    [
        b'"\\u0000"',
        b'"\\ud800"',
        b"[1e400]",
        b"NaN",
        b"{",
        b"",
        b'{"a":1,}',
        b"\xff",
        b"[" * 65 + b"]" * 65,
        b"[" * 5000,
    ],
)
def test_parse_json_refuses_with_one_code(body: Any) -> None:
    with pytest.raises(DomainError) as refused:
        parse_json(body)
    assert refused.value.code == "invalid_json"


def test_parse_json_makes_large_integers_floats() -> None:
    assert parse_json(b'{"n": 123456789012345678901234567890}') == {"n": 1.2345678901234568e29}
    assert parse_json(b"[9007199254740993]") == [9007199254740993]


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        ("1", 1, False),
        ({"a": [1, {"b": 5.0}]}, {"a": [1.0, {"b": 5}]}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([1, 2], [2, 1], False),
        ([True], [1], False),
        (None, None, True),
        (None, "", False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([], {}, False),
    ],
)
def test_same_compares_numbers_by_value_and_nothing_else(a: Any, b: Any, equal: Any) -> None:
    assert same(a, b) is equal
    assert same(b, a) is equal


def test_blank_is_null_and_the_empty_text_only() -> None:
    values: list[Any] = [None, "", " ", 0, False, [], {}]
    assert [is_blank(v) for v in values] == [True, True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ab ", "Ab "),
        (5, "5"),
        (5.0, "5"),
        (5.5, "5.5"),
        (-0.0, "0"),
        (1e20, "100000000000000000000"),
        (1e22, "1e+22"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (["Winnipeg", 1.0, None], '["Winnipeg",1,null]'),
        ({"b": {"x": 2.0}, "a": "ü"}, '{"a":"ü","b":{"x":2}}'),
    ],
)
def test_text_form(value: Any, text: str) -> None:
    assert text_form(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        ("5.0", 5),
        ("-1.5", -1.5),
        ("007", 7),
        (True, None),
        ("true", None),
        ("1e3", None),
        ("+1", None),
        ("", None),
        (" 5", None),
        ("\u0665", None),
        (None, None),
        ([5], None),
        ("9" * 5000, None),
        (math.inf, None),
    ],
)
def test_as_number(value: Any, number: Any) -> None:
    assert as_number(value) == number


def test_as_number_keeps_large_integers_apart() -> None:
    assert as_number("9007199254740993") != as_number("9007199254740992")


@pytest.mark.parametrize(
    ("value", "timestamp"),
    [
        (1461866400, 1461866400),
        ("1461866400", 1461866400),
        (1461866400.0, 1461866400),
        (1461866400.5, None),
        (1461866400000, None),
        ("2016-04-28T18:00:00Z", None),
        (-5, None),
        (99999999, None),
        (100000000, None),
        (100000001, 100000001),
        (99999999999, 99999999999),
        (100000000000, None),
        ("1" * 500, None),
        (True, None),
        (None, None),
        (math.nan, None),
        (math.inf, None),
        ("1461866400 ", None),
        ([1461866400], None),
    ],
)
def test_as_timestamp(value: Any, timestamp: Any) -> None:
    assert as_timestamp(value) == timestamp


def test_ppl_case_11_unsubscribed_parsing() -> None:
    assert all(is_unsubscribed(v) for v in (True, "tRUe", 1, "1"))
    others: list[Any] = ["yes", 0, "false", 2, None, "", [], {"a": 1}, False]
    assert not any(is_unsubscribed(v) for v in others)


def test_stable_fraction_is_a_fraction_and_repeats() -> None:
    drawn = [stable_fraction("journey", str(n)) for n in range(1000)]
    assert all(0 <= f < 1 for f in drawn)
    assert len(set(drawn)) == 1000
    assert 0.45 < sum(drawn) / 1000 < 0.55
    assert stable_fraction("a", "b") == stable_fraction("a", "b") != stable_fraction("ab")


def test_instants_become_whole_seconds_down_and_up() -> None:
    instant = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert to_unix(instant) + 1 == to_unix_ceiling(instant)
    whole = datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC)
    assert to_unix(whole) == to_unix_ceiling(whole) == -2
    assert from_unix(-2) == whole
