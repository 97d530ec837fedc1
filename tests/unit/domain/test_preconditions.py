"""What `If-Match` and `If-None-Match` mean for the revision of a definition."""

from __future__ import annotations

import pytest

from domain.errors import DomainError
from domain.preconditions import Preconditions, Tag, etag, read_tags


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (None, None),
        ("*", "*"),
        (" * ", "*"),
        ('"7"', (Tag("7", False),)),
        ('W/"7"', (Tag("7", True),)),
        ('"7", W/"8" ,"9"', (Tag("7", False), Tag("8", True), Tag("9", False))),
        (', ,"7",,', (Tag("7", False),)),
        ('""', (Tag("", False),)),
        ('"a,b"', (Tag("a,b", False),)),
    ],
)
def test_a_header_is_read(value, tags):
    assert read_tags("If-Match", value) == tags


@pytest.mark.parametrize(
    "value", ["", " ", "7", '"7', '7"', '"7" "8"', '"7",8', "w/7", 'w/"7"', '*, "7"', '"a\tb"', '"7 "', "**"]
)
def test_what_is_no_tag_is_refused(value):
    with pytest.raises(DomainError) as refusal:
        read_tags("If-None-Match", value)
    assert (refusal.value.code, refusal.value.pointer) == ("invalid_parameter", "/If-None-Match")
    assert '"7"' in refusal.value.message


def conflict(revision: int | None, match: str | None = None, none_match: str | None = None) -> str | None:
    """The refusal in words, None where nothing is refused."""
    demanded = Preconditions(read_tags("If-Match", match), read_tags("If-None-Match", none_match))
    try:
        demanded.check("segment", "paying", revision)
    except DomainError as refusal:
        return f"{refusal.code}: {refusal.message}"
    return None


@pytest.mark.parametrize("match", [None, "*", '"7"', '"6", "7"'])
def test_what_is_as_demanded_passes(match):
    assert conflict(7, match) is None
    assert conflict(7, match, '"6", W/"8"') is None


@pytest.mark.parametrize("match", ['"6"', '"07"', 'W/"7"', '""'])
def test_another_revision_is_a_conflict_that_names_it(match):
    said = conflict(7, match)
    assert said is not None
    assert said.startswith("revision_conflict: The segment 'paying' is ")
    assert "at revision 7" in said


def test_what_is_not_there_matches_nothing():
    assert conflict(None, "*") is not None
    assert conflict(None, '"1"') is not None
    assert conflict(None, None, "*") is None
    assert conflict(None, None, '"1"') is None


@pytest.mark.parametrize("none_match", ["*", '"7"', 'W/"7"', '"1", "7"'])
def test_what_must_not_be_there_is_a_conflict(none_match):
    said = conflict(7, None, none_match)
    assert said is not None
    assert said.startswith("revision_conflict: The segment 'paying' is ")
    assert "at revision 7" in said


def test_both_have_to_hold():
    assert conflict(7, '"7"', "*") is not None
    assert conflict(7, '"6"', '"6"') is not None


def test_a_revision_is_named_in_quotes():
    assert etag(7) == '"7"'
