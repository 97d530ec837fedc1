"""Finding people: by a filter over everything that is known of them, and by what stands in an email box (PPL-44, APP-09)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from domain.conditions import Condition
from domain.errors import DomainError, InvalidInput, Problem
from domain.ids import cio_id
from domain.people_filters import parse_people_filter
from domain.problems import from_validation_error, pointer_of
from ingest.catalog import Catalogs
from services.looking.matching import LONGEST, pages
from services.looking.people import SCAN, emails_identify
from services.looking.references import wrong_references
from store.database import Connection, Database
from store.people import ReadPerson
from store.reads import addresses
from store.reads.addresses import Addressed
from store.reads.cursor import decode, encode

AT: Final = "/filter"
MOST_CHARACTERS: Final = 512
_LAST_CHARACTER: Final = "\U0010ffff"


async def by_filter(
    db: Database,
    catalogs: Catalogs,
    workspace_id: int,
    body: Any,
    *,
    start: str | None = None,
    limit: int = 50,
    real_now: datetime,
    seconds: float = LONGEST,
) -> dict[str, Any]:
    """One page of those whom `{"filter": ...}` means now, by internal number; `next` is empty after the last.

    A page may be short although more follow: when the time is up it answers with whom it has found. Raises InvalidInput
    whose problems are all `invalid_parameter`, which callers of this API are told with 400.
    """
    raw = _asked(body)
    cursor = decode(start, int)
    after = 0 if cursor is None else max(cursor[0], 0)
    async with db.connection() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        condition = await _read_filter(conn, workspace_id, raw)
    found: list[ReadPerson] = []
    more = False
    async for page in pages(db, catalog, condition, catalog.now(real_now), after=after, seconds=seconds):
        found += page.matched
        after, more = page.last, page.looked > 0
        if len(found) > limit:
            found, more = found[:limit], True
            after = found[-1].person_id
            break
    with_email = catalog.settings.identifiers != "id_only"
    return _page([names_of(row, with_email=with_email) for row in found], encode(after) if more else "")


async def _read_filter(conn: Connection, workspace_id: int, raw: Any) -> Condition:
    """The condition that a filter means; raises InvalidInput, every problem of it `invalid_parameter`."""
    try:
        condition = parse_people_filter(raw)
    except ValidationError as error:
        problems = from_validation_error(error, raw, AT)
    else:
        problems = await wrong_references(conn, workspace_id, condition, AT)
        if not problems:
            return condition
    raise InvalidInput([_refusal(problem.pointer, problem.message) for problem in problems])


async def by_email(
    db: Database, workspace_id: int, text: str, *, start: str | None = None, limit: int = 50, seconds: float = LONGEST
) -> dict[str, Any]:
    """One page of those whose address begins with a text, case ignored, or ends with one that begins with `@`.

    A page may be short although more follow, as `next` says. Raises DomainError `invalid_parameter` for a text that is
    empty or too long.
    """
    wanted = text.strip().casefold()
    if not wanted.strip("@") or len(text) > MOST_CHARACTERS:
        message = f"Give the beginning of an address, or @ and a domain, in at most {MOST_CHARACTERS} characters."
        raise DomainError("invalid_parameter", message, "/email")
    async with db.connection() as conn:
        named = await emails_identify(conn, workspace_id)
    cursor = decode(start, str if named else int)
    if "\x00" in wanted:
        return _page([], "")
    look = _look_at_names if named else _look_at_attributes
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    after: Any = None if cursor is None else cursor[0]
    found: list[Addressed] = []
    while True:
        async with db.connection() as conn:
            fresh, after = await look(conn, workspace_id, wanted, after, limit + 1)
        found += fresh
        if after is None or len(found) > limit or loop.time() >= until:
            break
        await asyncio.sleep(0)
    if len(found) > limit:
        found = found[:limit]
        after = found[-1].key if named else found[-1].person_id
    people = [{"cio_id": cio_id(row.person_id), "id": row.id, "email": row.email} for row in found]
    return _page(people, "" if after is None else encode(after))


async def _look_at_names(
    conn: Connection, workspace_id: int, wanted: str, after: str | None, most: int
) -> tuple[list[Addressed], str | None]:
    """The next people found, and where to go on (None: that was all)."""
    if wanted.startswith("@"):
        return await addresses.ending(conn, workspace_id, wanted, after=after or "", limit=SCAN)
    end = _end_of(wanted)
    found = await addresses.between(conn, workspace_id, wanted, end, after=after or "", limit=most)
    return found, found[-1].key if len(found) == most else None


async def _look_at_attributes(
    conn: Connection, workspace_id: int, wanted: str, after: int | None, _most: int
) -> tuple[list[Addressed], int | None]:
    rows, last = await addresses.kept(conn, workspace_id, after=max(after or 0, 0), limit=SCAN)
    fits = str.endswith if wanted.startswith("@") else str.startswith
    return [row for row in rows if fits(row.key, wanted)], last


def _end_of(prefix: str) -> str:
    """The first text, byte by byte, that comes after all that begin with the prefix."""
    kept = prefix.rstrip(_LAST_CHARACTER)
    following = ord(kept[-1]) + 1 if kept else ord(_LAST_CHARACTER)
    # Between these there are no characters, only halves of some.
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)


def names_of(row: ReadPerson, *, with_email: bool = True) -> dict[str, Any]:
    """The identifiers of a person in the order of the vendor; where addresses name nobody, the address can be left out."""
    names = {"cio_id": cio_id(row.person_id), "id": row.id}
    return {**names, "email": row.email} if with_email else names


def _asked(body: Any) -> Any:
    """The filter of a body; raises InvalidInput."""
    if not isinstance(body, dict):
        raise InvalidInput([_refusal("", 'The body is {"filter": ...}.')])
    problems = [_refusal(pointer_of((name,)), "There is no such field here.") for name in body if name != "filter"]
    if "filter" not in body:
        problems.append(_refusal("/filter", "Say who is meant."))
    if problems:
        raise InvalidInput(problems)
    return body["filter"]


def _refusal(pointer: str, message: str) -> Problem:
    """A problem whose sentence names the place: some clients show nothing else."""
    return Problem(code="invalid_parameter", pointer=pointer, message=f"{pointer}: {message}" if pointer else message)


def _page(people: Sequence[Mapping[str, Any]], following: str) -> dict[str, Any]:
    return {"identifiers": list(people), "ids": [person["id"] or "" for person in people], "next": following}


__all__ = ["MOST_CHARACTERS", "by_email", "by_filter", "names_of"]
