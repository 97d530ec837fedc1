from __future__ import annotations

from typing import Any

import pytest

from domain.paths import compile_path

PURCHASES = [{"coupons_applied": [{"coupon_code": "AXXXXX"}, {"coupon_code": "BXXXXX"}]}, {"name": "Mouse"}]
RECORD = {
    "plan": "pro",
    "a": {"b": {"c": 1}, "list": [10, 20], "d.e": 2},
    "item.sku": "flat",
    "item": {"sku": "deep", "price": 3},
    "purchases": PURCHASES,
    "one": {"name": "Mouse"},
    "text": "x",
    "matrix": [[1, 2], [3]],
    "null": None,
    "a[0]": "literal",
    "first name": "Ann",
    "odd..key": 1,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("plan", ["pro"]),
        ("a.b.c", [1]),
        ("a.b", [{"c": 1}]),
        ("a.x", []),
        ("plan.x", []),
        ("missing", []),
        ("a.list[1]", [20]),
        ("a.list[2]", []),
        ("a.list[]", [10, 20]),
        ("a.list", [[10, 20]]),
        ("item.sku", ["flat"]),
        ("item.price", [3]),
        ("a[0]", ["literal"]),
        ("purchases[].coupons_applied[].coupon_code", ["AXXXXX", "BXXXXX"]),
        ("purchases[0].coupons_applied[1].coupon_code", ["BXXXXX"]),
        ("purchases[]", ["AXXXXX", "BXXXXX", "Mouse"]),
        ("purchases[].name", ["Mouse"]),
        ("purchases?.name", ["Mouse"]),
        ("one?.name", ["Mouse"]),
        ("one[].name", []),
        ("one?", ["Mouse"]),
        ("text?", ["x"]),
        ("text[]", []),
        ("matrix[]", [1, 2, 3]),
        ("matrix[0]", [[1, 2]]),
        ("matrix[][0]", [1, 3]),
        ("purchases.name", []),
        ("null", [None]),
        ("null.x", []),
        ("first name", ["Ann"]),
        ('a["d.e"]', [2]),
        ("a['b'].c", [1]),
        ("odd..key", [1]),
        ("a..b", []),
        (".a", []),
        ("a.", []),
        ("[0]", []),
        ("[]", []),
        ("?", []),
        ("a[x]", []),
        ("a[0]b", []),
        ("a[999999999]", []),
    ],
)
def test_reading(path: str, found: Any) -> None:
    assert list(compile_path(path).read(RECORD)) == found


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("plan", {"plan"}),
        ("a.b", {"a.b", "a"}),
        ("a[0]", {"a[0]", "a"}),
        ("a[].b", {"a[].b", "a"}),
        ("a?", {"a?", "a"}),
        ("a..b", {"a..b"}),
    ],
)
def test_keys_are_the_exact_key_and_the_top_level_name(path: str, keys: Any) -> None:
    assert compile_path(path).keys == keys
