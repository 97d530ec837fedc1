"""Folders of documents: which there are, and at which line of which file a field stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.applying import located
from console.documents import read_sources
from console.failure import Failure

TWO = """\
# A comment.
kind: segment
key: paying
name: Paying
conditions:
  and:
    - attribute: {field: plan, value: pro}
    - attribute:
        field: country
---
---
kind: sender
key: team
email: team@example.com
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.yaml").write_text(TWO)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yml").write_text("kind: layout\nkey: plain\nname: Plain\nbody: '{{ content }}'\n")
    (tmp_path / "one.json").write_text('{"kind": "sender",\n "key": "json",\n "email": "a@example.com"}')
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "no.yaml").write_text("kind: nothing\n")
    (tmp_path / "notes.txt").write_text("not a document")
    return tmp_path


def test_all_documents_in_order_of_files(folder: Path) -> None:
    assert [source.title for source in read_sources(folder)] == [
        "segment paying",
        "sender team",
        "layout plain",
        "sender json",
    ]


def test_a_single_file(folder: Path) -> None:
    assert [source.value["key"] for source in read_sources(folder / "b.yaml")] == ["paying", "team"]


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 2),
        ("/key", 3),
        ("/conditions/and/0/attribute/value", 7),
        ("/conditions/and/1/attribute/field", 9),
        ("/conditions/and/1/attribute/missing", 8),
        ("/nowhere/at/all", 2),
    ],
)
def test_fields_have_lines(folder: Path, pointer: str, line: int) -> None:
    source = read_sources(folder / "b.yaml")[0]
    assert source.place(pointer) == f"{folder / 'b.yaml'}:{line}"


def test_pointers_into_a_bundle(folder: Path) -> None:
    sources = read_sources(folder)
    assert located("/definitions/1/email", sources) == (f"{folder / 'b.yaml'}:14", "sender team /email")
    assert located("/definitions/3/key", sources) == (f"{folder / 'one.json'}:2", "sender json /key")
    assert located("/definitions/9/key", sources) == ("/definitions/9/key", "")
    assert located("/source", sources) == ("/source", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("key: [1, 2\n", "line"),
        ("key: 1\nkey: 2\n", "twice"),
        ("a: &x 1\nb: *x\n", "anchors"),
    ],
)
def test_faults_of_a_file_name_it(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(Failure, match=r"bad\.yaml") as caught:
        read_sources(tmp_path)
    assert said in caught.value.message


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no documents"):
        read_sources(tmp_path)
    with pytest.raises(Failure, match="There is no"):
        read_sources(tmp_path / "missing")
