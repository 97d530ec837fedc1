from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError
from store.reads.cursor import LAST_MICROS, decode, encode, instant, micros

KINDS = {str: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)}
KINDS[int] = st.integers(-(2**60), 2**60)


@given(st.data(), st.lists(st.sampled_from([str, int]), min_size=1, max_size=3))
def test_a_cursor_comes_back_as_it_was_made(data, kinds):
    parts = [data.draw(KINDS[kind]) for kind in kinds]
    assert decode(encode(*parts), *kinds) == parts


@pytest.mark.parametrize("name", ["a" * 1000, "é" * 500, "\x01" * 1000])
def test_the_longest_name_fits(name):
    assert decode(encode(name, "screen"), str, str) == [name, "screen"]


@given(st.text(min_size=1, max_size=50))
def test_a_foreign_cursor_is_refused_or_read_but_never_a_crash(text):
    refused = None
    try:
        parts = decode(text, int, str)
    except DomainError as error:
        refused = error
    if refused is None:
        assert [type(part) for part in parts] == [int, str]
    else:
        assert (refused.code, refused.pointer) == ("invalid_parameter", "/start")


@pytest.mark.parametrize(
    "text",
    ["x", "AAAA", encode(1), encode("a", 1), encode(1, "a\0"), encode(1, "a", 2), "[1]", "=" * 4, encode(1, "a") * 500],
)
def test_the_parts_must_be_those_of_the_list(text):
    with pytest.raises(DomainError):
        decode(text, int, str)


def test_booleans_are_no_numbers():
    with pytest.raises(DomainError):
        decode(base64.urlsafe_b64encode(b"[true]").decode(), int)


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63), 10**30])
def test_no_number_is_larger_than_a_column_holds(number):
    text = base64.urlsafe_b64encode(f"[{number}]".encode()).decode()
    with pytest.raises(DomainError):
        decode(text, int)


def test_no_cursor_is_the_beginning():
    assert decode(None, int) is None
    assert decode("", int) is None


@given(st.integers(0, LAST_MICROS))
def test_instants_keep_their_microseconds(number):
    assert micros(instant(number)) == number


@pytest.mark.parametrize("number", [-1, LAST_MICROS + 1, 2**62])
def test_no_instant_lies_outside_the_calendar(number):
    with pytest.raises(DomainError):
        instant(number)
