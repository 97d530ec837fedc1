"""The Data In log: every call that was accepted or refused, with what became of it, newest first (API-40, PPL-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from domain.errors import DomainError, NotFound
from domain.ids import cio_id
from domain.operations import (
    ANONYMOUS,
    DELIVERY,
    OBJECT,
    OBJECT_BY_CIO_ID,
    AnyOperation,
    Identifier,
    IdentifierKind,
    TrackEvent,
    key_of_name,
)
from domain.values import to_unix
from services.looking import people
from services.looking.journeys import seconds
from services.looking.people import IdType
from store import credentials, merges, rejections
from store.database import Connection, Database
from store.reads import data_in as reads
from store.reads.cursor import decode, encode
from store.reads.data_in import FactFilter, FactRead
from store.rejections import RejectedRead

Status = Literal["applied", "duplicate", "ignored", "failed", "rejected", "pending", "erased"]
MOST: Final = 100
DEFAULT: Final = 50
LABELS: Final[Mapping[str, str]] = {"track": "Track API", "app": "App API", "pipelines": "Pipelines API"}
"""What the sources of a kind of credential are called, before the colon and the credential's name."""
_LAST: Final = 2**62
_END: Final = 0
_REJECTED: Final = "r"
_OPERATIONS: Final[TypeAdapter[AnyOperation]] = TypeAdapter(AnyOperation)


@dataclass(frozen=True, slots=True)
class DataInQuery:
    """The filters of the log as a caller gives them. `source` is the whole name of one, or its label before the colon."""

    status: Status | None = None
    source: str | None = None
    op: str | None = None
    customer: str | None = None
    id_type: IdType = "id"

    @property
    def facts(self) -> bool:
        """Whether accepted calls are asked for."""
        return self.status != "rejected"

    @property
    def rejected(self) -> bool:
        """Whether refused calls are asked for, of which nobody knows what they meant or whom."""
        return self.status in (None, "rejected") and self.op is None and self.customer is None


class _Stream(NamedTuple):
    """What one table brought: entries, and from where it goes on; `_END` where it does not."""

    entries: Sequence[FactRead | RejectedRead]
    following: int


async def page(db: Database, workspace_id: int, query: DataInQuery, *, start: str | None, limit: int) -> dict[str, Any]:
    """One page; what suppressed people sent is hidden. `next` is empty after the last page."""
    limit = min(limit, MOST)
    parts = decode(start, int, int)
    before_fact, before_rejected = parts or (_LAST, _LAST)
    async with db.connection() as conn:
        facts = await _facts(conn, workspace_id, query, before_fact, limit)
        refused = await _refused(conn, workspace_id, query, before_rejected, limit)
    shown, left_fact, left_rejected = _merged(facts, refused, before_fact, before_rejected, limit)
    over = left_fact == left_rejected == _END
    return {"data_in": [wire(entry) for entry in shown], "next": "" if over else encode(left_fact, left_rejected)}


async def one(db: Database, workspace_id: int, name: str) -> dict[str, Any]:
    """One call by its number, a refused one by `r` and its number; raises NotFound."""
    async with db.connection() as conn:
        if name.startswith(_REJECTED) and (number := _number(name.removeprefix(_REJECTED))) is not None:
            refused = await rejections.get(conn, workspace_id, number)
            if refused is not None:
                return {"data_in": wire(refused)}
        return {"data_in": wire(await _fact(conn, workspace_id, name))}


async def event_again(db: Database, workspace_id: int, name: str) -> TrackEvent:
    """A logged event as it would come in now: with no id of its own and no time. Raises NotFound, `not_applicable`."""
    async with db.connection() as conn:
        fact = await _fact(conn, workspace_id, name)
    operation = _operation(fact.body)
    if not isinstance(operation, TrackEvent):
        raise DomainError("not_applicable", "Only events of people whose call is still kept can be sent again.")
    return operation.model_copy(update={"event_id": None, "timestamp": None, "repeatable": None, "row": None})


async def source_of(db: Database, workspace_id: int, credential_id: int) -> str:
    """What the log calls a credential; raises NotFound."""
    async with db.connection() as conn:
        row = await credentials.get(conn, workspace_id, credential_id)
    if row is None:
        raise NotFound("credential", credential_id)
    return f"{LABELS[row.kind]}: {row.name}"


def wire(entry: FactRead | RejectedRead) -> dict[str, Any]:
    """One call as it is answered."""
    if isinstance(entry, RejectedRead):
        return {
            "id": f"{_REJECTED}{entry.rejected_id}",
            "seq": None,
            "status": "rejected",
            "source": entry.source,
            "op": None,
            "identifiers": [],
            "cio_id": None,
            "received_at": to_unix(entry.at),
            "applied_at": None,
            "note": "; ".join(str(error) for error in entry.errors) or None,
            "body": entry.body,
            "path": entry.path,
            "http_status": entry.status,
        }
    return {
        "id": str(entry.seq),
        "seq": entry.seq,
        "status": "pending" if entry.applied_at is None else entry.outcome or "applied",
        "source": entry.source,
        "op": entry.op,
        "identifiers": _identifiers(entry.body),
        "cio_id": None if entry.person_id is None else cio_id(entry.person_id),
        "received_at": to_unix(entry.received_at),
        "applied_at": seconds(entry.applied_at),
        "note": entry.note,
        "body": orjson.loads(entry.body) if entry.body else None,
    }


def _merged(
    facts: _Stream, refused: _Stream, before_fact: int, before_rejected: int, limit: int
) -> tuple[list[FactRead | RejectedRead], int, int]:
    """The newest of both, and from where each goes on."""
    held_back = facts.following != _END and len(facts.entries) < limit
    oldest = facts.entries[-1].accepted_at if facts.entries else None  # type: ignore[union-attr]
    shown: list[FactRead | RejectedRead] = []
    left, right = list(facts.entries), list(refused.entries)
    while (left or right) and len(shown) < limit:
        if not left and held_back and (oldest is None or right[0].at < oldest):  # type: ignore[union-attr]
            # Older facts were not looked at yet: refused calls from among them come when those do.
            break
        take_fact = bool(left) and (not right or left[0].accepted_at >= right[0].at)  # type: ignore[union-attr]
        entry = (left if take_fact else right).pop(0)
        shown.append(entry)
        if isinstance(entry, FactRead):
            before_fact = entry.seq
        else:
            before_rejected = entry.rejected_id
    return shown, before_fact if left else facts.following, before_rejected if right else refused.following


async def _facts(conn: Connection, workspace_id: int, query: DataInQuery, before: int, limit: int) -> _Stream:
    if not query.facts or before == _END:
        return _Stream([], _END)
    which = FactFilter(query.status, _sources(query), query.op)
    if query.customer is not None:
        which = await _whose(conn, workspace_id, query, which)
    entries, following = await reads.page(conn, workspace_id, which, before=before, limit=limit)
    return _Stream(entries, _END if following is None else following)


async def _refused(conn: Connection, workspace_id: int, query: DataInQuery, before: int, limit: int) -> _Stream:
    if not query.rejected or before == _END:
        return _Stream([], _END)
    found = await rejections.page(conn, workspace_id, sources=_sources(query), before=before, limit=limit + 1)
    return _Stream(found[:limit], found[limit - 1].rejected_id if len(found) > limit else _END)


async def _whose(conn: Connection, workspace_id: int, query: DataInQuery, which: FactFilter) -> FactFilter:
    """The filter narrowed to a person, or to a name that nobody has."""
    person = await people.find(conn, workspace_id, query.customer or "", query.id_type)
    if person is None:
        kind: IdentifierKind = "id" if query.id_type == "phone" else query.id_type
        name = Identifier(kind=kind, value=query.customer or "").name
        return replace(which, keys=[key_of_name(name)])
    numbers = [person.person_id, *await merges.merged(conn, workspace_id, person.person_id)]
    kinds: tuple[IdentifierKind, ...] = ("id", "email", "cio_id")
    names = [
        Identifier(kind=kind, value=value).name for kind in kinds if (value := person.identifiers[kind]) is not None
    ]
    return replace(which, people=numbers, keys=[key_of_name(name) for name in names])


async def _fact(conn: Connection, workspace_id: int, name: str) -> FactRead:
    number = _number(name)
    fact = None if number is None else await reads.get(conn, workspace_id, number)
    if fact is None:
        raise NotFound("call", name)
    return fact


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _sources(query: DataInQuery) -> list[str] | None:
    return None if query.source is None else [query.source]


def _operation(body: bytes) -> AnyOperation | None:
    try:
        return _OPERATIONS.validate_json(body)
    except ValidationError:
        return None


def _identifiers(body: bytes) -> list[dict[str, str]]:
    """Whom and what the call names, each once, as it was written; an object as `<type>:<id>`."""
    operation = _operation(body)
    if operation is None:
        return []
    named: list[tuple[str, str]] = [(identifier.kind, identifier.value) for identifier in operation.identifiers()]
    words = {ANONYMOUS: "anonymous_id", OBJECT: "object", OBJECT_BY_CIO_ID: OBJECT_BY_CIO_ID, DELIVERY: "delivery_id"}
    named += [(word, name.value_key) for name in operation.names() if (word := words.get(name.kind)) is not None]
    return [{kind: value} for kind, value in dict.fromkeys(named)]


__all__ = ["DEFAULT", "LABELS", "MOST", "DataInQuery", "Status", "event_again", "one", "page", "source_of", "wire"]
