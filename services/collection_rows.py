"""Rows of a collection as they come in: JSON, lines of JSON, or CSV (PPL-27, APP-15)."""

from __future__ import annotations

import csv
import io
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from domain.errors import DomainError
from domain.values import check_json
from ingest.parse import parse_json

Form = Literal["json", "lines", "csv"]

_BY_TYPE: Final[dict[str, Form]] = {
    "application/json": "json",
    "text/json": "json",
    "application/csv": "csv",
    "text/csv": "csv",
    "application/ndjson": "lines",
    "application/x-ndjson": "lines",
    "application/jsonl": "lines",
    "application/x-jsonlines": "lines",
}
_BY_ENDING: Final[dict[str, Form]] = {"json": "json", "csv": "csv", "ndjson": "lines", "jsonl": "lines"}


def read_rows(body: bytes, content_type: str, url: str = "") -> Any:
    """The rows that a body or a file means, not looked at any further; raises DomainError `invalid_json`.

    What they are is said by the content type, else by the ending of the file's name, else they are JSON.
    """
    media = content_type.partition(";")[0].strip().lower()
    ending = urlsplit(url).path.rpartition("/")[2].rpartition(".")[2].lower()
    form = _BY_TYPE.get(media) or _BY_ENDING.get(ending, "json")
    if form == "csv":
        return _csv(body)
    if form == "lines":
        return _lines(body)
    try:
        value = parse_json(body)
    except DomainError:
        if b"\n" not in body.strip():
            raise
        return _lines(body)
    return value["data"] if isinstance(value, dict) and set(value) == {"data"} else value


def _lines(body: bytes) -> list[Any]:
    return [parse_json(line) for line in body.splitlines() if line.strip()]


def _csv(body: bytes) -> list[dict[str, str]]:
    """Rows named by the header; cells are texts, and those that a short line lacks are left out."""
    try:
        text = body.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except UnicodeDecodeError as error:
        raise DomainError("invalid_json", f"The CSV is not UTF-8: {error.reason} at byte {error.start}.") from None
    except csv.Error as error:
        raise DomainError("invalid_json", f"The CSV cannot be read: {error}.") from None
    if not lines:
        return []
    header = [name.strip() for name in lines[0]]
    if "" in header or len(set(header)) < len(header):
        raise DomainError("invalid_json", "The first line of a CSV names the columns, each differently.")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) > len(header):
            raise DomainError("invalid_json", f"Line {number} of the CSV has more cells than the header.")
        rows.append(dict(zip(header, line, strict=False)))
    check_json(rows)
    return rows


__all__ = ["read_rows"]
