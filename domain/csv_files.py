"""CSV files read window by window: whole records out of bytes, with the place where the next one begins (PPL-45)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"
BARE_RETURN = "The row holds a carriage return outside quotes; end lines with LF or CR LF."
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
csv.field_size_limit(2**31 - 1)
# A cell ends where its quote does, however long it is; how long a value may be is said where rows are read. The limit of
# the module (for the whole process) would break off in the middle of a cell and take its rest for rows.


class BadFile(Exception):
    """The file as a whole cannot be read; the message is for whoever sent it."""


class Record(NamedTuple):
    """One record; `end` is where the next one begins in the window, `fault` why the cells cannot be taken."""

    cells: list[str]
    end: int
    fault: str | None = None


@dataclass
class _Lines:
    """Lines of a window, one at a time; `dry` once somebody has asked for more than there is."""

    window: bytes
    final: bool
    at: int = 0
    dry: bool = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        end = self.window.find(b"\n", self.at)
        if end < 0 and self.final:
            end = len(self.window) - 1
        if end < self.at:
            self.dry = True
            raise StopIteration
        line = self.window[self.at : end + 1].decode()
        self.at = end + 1
        return line


def start_of(head: bytes) -> int:
    """Where the text of a file begins, after its byte order mark; raises BadFile for one that is plainly not UTF-8."""
    if head.startswith(_UTF_16):
        raise BadFile("The file is in UTF-16; save it as UTF-8.")
    return len(BOM) if head.startswith(BOM) else 0


def records(window: bytes, *, final: bool) -> Iterator[Record]:
    """The whole records of a window, blank lines left out; one that breaks off at its end waits for the next window.

    `final` says that the file ends here. Raises BadFile for bytes that are not UTF-8.
    """
    lines = _Lines(window, final)
    reader = csv.reader(lines)
    while True:
        start, fault = lines.at, None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            reader = csv.reader(lines)
            cells, fault = [_raw(window[start : lines.at])], BARE_RETURN
        except UnicodeDecodeError:
            raise BadFile("The file is not UTF-8; save it as UTF-8.") from None
        if lines.dry:
            if not final:
                return
            fault = "A quote is not closed."
        if fault is None and not cells:
            continue
        if any("\x00" in cell for cell in cells):
            cells, fault = [cell.replace("\x00", "") for cell in cells], "The row holds the character U+0000."
        yield Record(cells, lines.at, fault)


def header_of(cells: Sequence[str], most: int) -> list[str]:
    """The names of the columns, trimmed; raises BadFile where they cannot be told apart or are too many."""
    names = [cell.strip() for cell in cells]
    if len(names) > most:
        raise BadFile(f"The file has {len(names)} columns; at most {most} are allowed.")
    for number, name in enumerate(names, 1):
        if not name:
            raise BadFile(f"Column {number} has no name in the first row.")
        if name in names[: number - 1]:
            raise BadFile(f"There are two columns `{name}`.")
    return names


def written(cells: Sequence[str]) -> str:
    """One line of a CSV file; values are quoted where they have to be, and never altered."""
    return ",".join(_quoted(cell) for cell in cells) + "\r\n"


def _quoted(cell: str) -> str:
    if not cell.isalnum() and any(sign in cell for sign in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _raw(line: bytes) -> str:
    return line.decode(errors="replace").replace("\x00", "").strip("\r\n")


__all__ = ["BOM", "BadFile", "Record", "header_of", "records", "start_of", "written"]
