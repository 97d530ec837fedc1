"""Addresses as people write them."""

from __future__ import annotations

import pytest

from domain.addresses import Address, parse, parse_list


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@example.com", Address("ann@example.com")),
        (" Ann <ann@example.com> ", Address("ann@example.com", "Ann")),
        ('"Smith, Ann" <ann@example.com>', Address("ann@example.com", "Smith, Ann")),
        ("Smith, Ann <ann@example.com>", Address("ann@example.com", "Smith, Ann")),
        (r'"A \"B\" C" <a@b.co>', Address("a@b.co", 'A "B" C')),
        ("Zoë <z@bücher.example>", Address("z@xn--bcher-kva.example", "Zoë")),
        ("A\r\nBcc: x@y.z <a@b.co>", Address("a@b.co", "A Bcc: x@y.z")),
        ("a+b.c@sub.example.com", Address("a+b.c@sub.example.com")),
    ],
)
def test_read(text: str, address: Address) -> None:
    assert parse(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "ann", "@example.com", "ann@", "a b@example.com", "a..b@example.com", "a@b..c", "zoë@example.com",
     "a@-b.com", "a@b.com, c@d.com", "<a@b.com", f"{'a' * 65}@example.com", "a@" + "b" * 64 + ".com"],
)  # fmt: skip
def test_refused(text: str) -> None:
    assert parse(text) is None


def test_lists() -> None:
    assert parse_list("a@b.co, C <c@d.co>,") == [Address("a@b.co"), Address("c@d.co", "C")]
    assert parse_list("") == []
    assert parse_list("a@b.co, nobody") is None
    assert parse_list(",".join(f"a{n}@b.co" for n in range(16))) is None
