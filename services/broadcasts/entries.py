"""Recipients with data of their own made from entries, or what is wrong with these (CHN-19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from domain.broadcasts.entries import KINDS, bad_line, read_entry
from domain.broadcasts.faults import ambiguous, missing
from domain.errors import DomainError
from ingest.parse import parse_json
from services.broadcasts.owners import owners_of
from store.database import Connection

Entry = tuple[int, dict[str, Any] | None]
"""An entry with the number of its line; None where the line is none."""


class Flags(NamedTuple):
    """What turns an error into somebody who is left out, or into more recipients."""

    id_ignore_missing: bool = False
    email_ignore_missing: bool = False
    email_add_duplicates: bool = False

    @classmethod
    def of(cls, audience: Mapping[str, Any]) -> Flags:
        """The flags of a call."""
        return cls(*(bool(audience.get(name)) for name in cls._fields))


class Resolved(NamedTuple):
    """Recipients in the order of their entries, and the errors."""

    people: list[tuple[int, Mapping[str, Any] | None]]
    errors: list[str]


def read_line(number: int, line: bytes) -> Entry | None:
    """The entry of a line of a file, None of an empty one."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
    if not text:
        return None
    try:
        return number, read_entry(parse_json(text))
    except DomainError:
        return number, None


async def resolve(conn: Connection, workspace_id: int, entries: Sequence[Entry], flags: Flags) -> Resolved:
    """Whom these entries mean. Somebody named twice has the later data, or both where duplicates are wanted."""
    named = [(number, *_name_of(entry), entry["data"]) for number, entry in entries if entry is not None]
    owners = await owners_of(
        conn,
        workspace_id,
        [name for _, kind, name, _ in named if kind == "id"],
        [name for _, kind, name, _ in named if kind == "email"],
    )
    errors = {number: bad_line(number) for number, entry in entries if entry is None}
    people: list[tuple[int, Mapping[str, Any] | None]] = []
    for number, kind, name, data in named:
        found = owners.of(kind, name)
        if len(found) > 1 and not flags.email_add_duplicates:
            errors[number] = f"line {number}: {ambiguous([name])}"
        elif not found and not (flags.id_ignore_missing if kind == "id" else flags.email_ignore_missing):
            errors[number] = f"line {number}: {missing(f'{kind}s', [name])}"
        else:
            people += [(person_id, data or None) for person_id in found]
    if not flags.email_add_duplicates:
        people = list(dict(people).items())
    return Resolved(people, [errors[number] for number in sorted(errors)])


def _name_of(entry: Mapping[str, Any]) -> tuple[str, str]:
    (kind,) = [kind for kind in KINDS if kind in entry]
    return kind, entry[kind]


__all__ = ["Entry", "Flags", "Resolved", "read_line", "resolve"]
