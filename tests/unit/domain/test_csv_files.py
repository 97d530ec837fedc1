"""CSV files window by window: whatever was written is read again, wherever the windows end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.csv_files import BadFile, header_of, records, start_of, written

CELL = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=8)


def read(content: bytes, size: int) -> list[list[str]]:
    """All cells, read by windows that begin where the last whole record ended and are `size` longer each time they must."""
    found: list[list[str]] = []
    at, window = 0, size
    while True:
        final = at + window >= len(content)
        end = 0
        for record in records(content[at : at + window], final=final):
            assert record.fault is None, record
            found.append(record.cells)
            end = record.end
        if final:
            return found
        at, window = at + end, size if end else window + size


@given(ROWS, st.integers(1, 40))
def test_what_was_written_is_read_again(rows: list[list[str]], size: int):
    content = "".join(written(row) for row in rows).encode()
    assert read(content, size) == rows


def test_records_say_where_the_next_one_begins():
    content = b'a,b\r\n"x\ny",2\n\n3,4'
    ends = [record.end for record in records(content, final=True)]
    assert [content[:end] for end in ends] == [b"a,b\r\n", b'a,b\r\n"x\ny",2\n', content]


def test_a_record_that_breaks_off_waits():
    assert [record.cells for record in records(b'1,2\n"3', final=False)] == [["1", "2"]]
    assert list(records(b"1,2", final=False)) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'"never', "A quote is not closed."),
        (b"a\x00b\n", "The row holds the character U+0000."),
        (b"a,b\rc,d\n", "The row holds a carriage return outside quotes"),
    ],
)
def test_rows_that_cannot_be_taken(content: bytes, fault: str):
    (record,) = [record for record in records(content, final=True) if record.fault]
    assert record.fault is not None
    assert record.fault.startswith(fault)
    assert all("\x00" not in cell for cell in record.cells)


def test_what_follows_a_bad_row_is_read():
    assert [record.cells for record in records(b"a\rb\n1,2\n", final=True)][1:] == [["1", "2"]]


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"\xfe\xff\x00a"])
def test_other_encodings(content: bytes):
    with pytest.raises(BadFile):
        start_of(content)


def test_bytes_that_are_not_utf_8():
    with pytest.raises(BadFile):
        list(records(b"ok\n\xe9\n", final=True))


def test_the_mark_is_skipped():
    assert start_of(b"\xef\xbb\xbfid") == 3
    assert start_of(b"id") == 0


@pytest.mark.parametrize("cells", [["a", "a"], ["a", " a "], ["a", ""], ["a"] * 101])
def test_columns_have_names_of_their_own(cells: list[str]):
    with pytest.raises(BadFile):
        header_of(cells, 100)
    assert header_of([" a ", "b"], 100) == ["a", "b"]
