"""Addresses as people write them."""

from __future__ import annotations

import pytest

from domain.addresses import Address, entries, parse, parse_list, parse_recipients


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


def test_recipients() -> None:
    assert parse_recipients("Smith, Ann <a@b.co>") == [Address("a@b.co", "Smith, Ann")]
    assert parse_recipients('"Smith, <A> @ Work" <a@b.co>, c@d.co') == [
        Address("a@b.co", "Smith, <A> @ Work"),
        Address("c@d.co"),
    ]
    for wrong in ("A <a@b.co>, B <nobody>, C <c@d.co>", "ann@, Bob <bob@b.co>", '"A" <a@b.co>, "B" <b>, "C" <c@d.co>'):
        assert parse_recipients(wrong) is None


def test_a_name_with_another_address_in_it_is_no_name() -> None:
    assert parse("I <3 you <a@b.co>") == Address("a@b.co", "I <3 you")
    assert parse("Ann <x@y.co> <a@b.co>") is None


@pytest.mark.parametrize("piece", ['"\\', '"', '"a,', "<", "<>", "a@b.co,", "ü."])
def test_what_is_very_long_is_read_in_a_moment(piece: str) -> None:
    for text in (piece * 300_000, f"a@{piece * 300_000}"):
        assert parse_list(text) is None
        assert parse(text) is None


def test_the_parts_of_a_list() -> None:
    assert entries('"a, \\" b" <c>, d,, ') == ['"a, \\" b" <c>', " d"]
    assert entries('a, "b, c') == ["a", ' "b', " c"]
