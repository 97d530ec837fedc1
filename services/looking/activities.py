"""The activity log in the vendor's shape: of the workspace, of one person, of nobody yet (APP-09, APP-10, PPL-18)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import DomainError, NotFound
from domain.ids import cio_id, ulid
from domain.values import to_unix
from services.looking import activity_words as words
from services.looking import people
from services.looking.people import IdType
from store import workspaces
from store.database import Connection, Database
from store.reads import activities as reads
from store.reads import messages as message_reads
from store.reads import people as people_reads
from store.reads import timeline as timeline_reads
from store.reads.activities import ActivityFilter, ActivityRead, AnonymousRead
from store.reads.cursor import decode, encode, instant, micros
from store.reads.messages import MessageFilter, MessageRead
from store.reads.people import PersonRead
from store.reads.timeline import Place, TimelineFilter, TimelineRow

KEPT: Final = timedelta(days=30)
MOST: Final = 100
DEFAULT: Final = 10
_STEP: Final = 200
_MOST_STEPS: Final = 25
_PERSON_ENTRIES: Final = ("activity", "segment", "delivery")
_ORDINARY: Final = re.compile(r"_[or]:\d{1,9}:[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class ActivityQuery:
    """Whose activities and which, as a caller gives it."""

    customer: str | None = None
    id_type: IdType = "id"
    type: str | None = None
    name: str | None = None
    deleted: bool | None = None
    anonymous: bool = False

    def __post_init__(self) -> None:
        if self.type is not None and self.type not in words.KNOWN and not _ORDINARY.fullmatch(self.type):
            raise DomainError("invalid_parameter", f"There are no activities of type {self.type!r}.", "/type")


async def page(
    db: Database, workspace_id: int, query: ActivityQuery, *, start: str | None, limit: int, now: datetime
) -> dict[str, Any]:
    """One page, newest first; `now` is real time. An unknown person has no activities."""
    limit = min(limit, MOST)
    async with db.connection() as conn:
        which = await _filter(conn, workspace_id, query, now)
        if query.anonymous:
            return await _anonymous(conn, workspace_id, which, start=start, limit=limit)
        if query.customer is not None:
            person = await people.find(conn, workspace_id, query.customer, query.id_type)
            if person is None or query.deleted:
                return {"activities": [], "next": ""}
            return await _of_person(conn, workspace_id, person, query, which, start=start, limit=limit)
        if query.type in words.METRIC_TYPES:
            return await _metrics(conn, workspace_id, query.type, which, start=start, limit=limit)
        return await _everybody(conn, workspace_id, which, start=start, limit=limit)


async def of_person(
    db: Database, workspace_id: int, query: ActivityQuery, *, start: str | None, limit: int, now: datetime
) -> dict[str, Any]:
    """One page of one person's activities, their messages' included, newest first; raises NotFound."""
    assert query.customer is not None, "it is somebody's"
    async with db.connection() as conn:
        which = await _filter(conn, workspace_id, query, now)
        person = await people.named(conn, workspace_id, query.customer, query.id_type)
        return await _of_person(conn, workspace_id, person, query, which, start=start, limit=min(limit, MOST))


async def _filter(conn: Connection, workspace_id: int, query: ActivityQuery, now: datetime) -> ActivityFilter:
    workspace = await workspaces.get(conn, workspace_id)
    if workspace is None:
        raise NotFound("workspace", workspace_id)
    types = None if query.type is None else words.stored_types(query.type)
    return ActivityFilter(workspace.now(now) - KEPT, types, query.name, query.deleted)


async def _everybody(
    conn: Connection, workspace_id: int, which: ActivityFilter, *, start: str | None, limit: int
) -> dict[str, Any]:
    found = await reads.page(conn, workspace_id, which, before=_number(start), limit=limit)
    persons = await people_reads.by_numbers(conn, workspace_id, [row.person_id for row in found.rows])
    shown = [_activity(row, _who(persons.get(row.person_id or 0), row)) for row in found.rows]
    return {"activities": shown, "next": "" if found.before is None else encode(found.before)}


async def _of_person(
    conn: Connection,
    workspace_id: int,
    person: PersonRead,
    query: ActivityQuery,
    which: ActivityFilter,
    *,
    start: str | None,
    limit: int,
) -> dict[str, Any]:
    """A person's lines with what became of their messages, in one order; some are looked at in vain."""
    parts = decode(start, int, int, str)
    before = None if parts is None else Place(instant(parts[0]), parts[1], parts[2])
    timeline = TimelineFilter(types=_PERSON_ENTRIES, since=which.since)
    found: list[tuple[Place, dict[str, Any]]] = []
    more = True
    for _ in range(_MOST_STEPS):
        rows = await timeline_reads.page(conn, workspace_id, person.person_id, timeline, before=before, limit=_STEP)
        for row in rows:
            act = _entry(row, person)
            if act is not None and _fits(act, row, query):
                found.append((row.place, act))
        more = len(rows) == _STEP
        before = rows[-1].place if rows else before
        if not more or len(found) > limit:
            break
    if len(found) > limit:
        before, more = found[limit - 1][0], True
    following = encode(micros(before.at), before.rank, before.key) if more and before is not None else ""
    return {"activities": [act for _, act in found[:limit]], "next": following}


async def _metrics(
    conn: Connection, workspace_id: int, kind: str, which: ActivityFilter, *, start: str | None, limit: int
) -> dict[str, Any]:
    """What became of messages, in the order in which the messages were made."""
    parts = decode(start, int, str)
    before = None if parts is None else (instant(parts[0]), parts[1])
    metric, channel = words.metric_of(kind)
    wanted = MessageFilter(channel=channel, metric=metric, since=which.since)
    found = await message_reads.page(conn, workspace_id, wanted, before=before, limit=limit + 1)
    kept = found[:limit]
    persons = await people_reads.by_numbers(conn, workspace_id, [message.person_id for message in kept])
    shown = [_message(kind, metric, message, persons.get(message.person_id or 0)) for message in kept]
    following = encode(micros(kept[-1].created_at), kept[-1].delivery_id) if len(found) > limit else ""
    return {"activities": shown if which.name is None else [], "next": following if which.name is None else ""}


async def _anonymous(
    conn: Connection, workspace_id: int, which: ActivityFilter, *, start: str | None, limit: int
) -> dict[str, Any]:
    found = await reads.anonymous(conn, workspace_id, which, before=_number(start), limit=limit + 1)
    kept = found[:limit]
    following = encode(kept[-1].seq) if len(found) > limit else ""
    return {"activities": [_unknown(row) for row in kept], "next": following}


def _number(start: str | None) -> int | None:
    parts = decode(start, int)
    return None if parts is None else int(parts[0])


def _fits(act: Mapping[str, Any], row: TimelineRow, query: ActivityQuery) -> bool:
    if query.type is not None and act["type"] != words.spelled(query.type):
        return False
    if query.name is None or act.get("name") == query.name:
        return True
    data = row.values["data"] if act["type"].endswith("attribute_change") else {}
    return query.name in data.get("attributes", ()) or query.name in data.get("reasons", ())


def _entry(row: TimelineRow, person: PersonRead) -> dict[str, Any] | None:
    """An entry of a timeline as an activity; None for what is no activity, or is one already."""
    values = row.values
    who = {"customer_id": person.id, "customer_identifiers": person.identifiers}
    if row.type != "delivery":
        return _line(
            values["activity_id"], values["type"], values["name"], values["data"], at=row.place.at, who=who
        ) | {"processed_at": to_unix(values["processed_at"])}
    kind = words.metric_type(values["metric"], values["channel"])
    if kind not in words.METRIC_TYPES or values["metric"] == "unsubscribed":
        return None
    return _metric(kind, values["metric"], values["delivery_id"], values["channel"], row.place.at) | who


def _activity(row: ActivityRead, who: Mapping[str, Any]) -> dict[str, Any]:
    act = _line(row.activity_id, row.type, row.name, row.data, at=row.at, who=who)
    return act | {"processed_at": to_unix(row.processed_at)}


def _line(
    number: int, kind: str, name: str | None, data: Mapping[str, Any], *, at: datetime, who: Mapping[str, Any]
) -> dict[str, Any]:
    act: dict[str, Any] = {
        "id": ulid(micros(at) // 1000, number.to_bytes(10, "big")),
        "type": words.public_type(kind),
        "timestamp": to_unix(at),
        **who,
        "data": words.data_of(kind, data),
    }
    if name is not None:
        act["name"] = name
    if isinstance(data.get("delivery_id"), str):
        act["delivery_id"] = data["delivery_id"]
    return act


def _message(kind: str, metric: str, message: MessageRead, person: PersonRead | None) -> dict[str, Any]:
    at = instant(message.metrics[metric])
    who = {
        "customer_id": None if person is None else person.id,
        "customer_identifiers": None if person is None else person.identifiers,
    }
    return _metric(kind, metric, message.delivery_id, message.channel, at) | who


def _metric(kind: str, metric: str, delivery_id: str, channel: str, at: datetime) -> dict[str, Any]:
    digest = hashlib.blake2b(f"{delivery_id}/{metric}".encode(), digest_size=10).digest()
    act: dict[str, Any] = {
        "id": ulid(micros(at) // 1000, digest),
        "type": kind,
        "timestamp": to_unix(at),
        "delivery_id": delivery_id,
        "data": {
            "delivery_id": delivery_id,
            "delivered": to_unix(at) if metric == "delivered" else None,
            "opened": True if metric in ("opened", "clicked") else None,
        },
    }
    if (said := words.DELIVERY_TYPES.get(channel)) is not None:
        act["delivery_type"] = said
    return act


def _unknown(row: AnonymousRead) -> dict[str, Any]:
    return {
        "id": ulid(micros(row.at) // 1000, row.seq.to_bytes(10, "big")),
        "type": row.type or row.op,
        "name": row.name,
        "timestamp": to_unix(row.at),
        "customer_id": None,
        "customer_identifiers": None,
        "anonymous_id": row.anonymous_id,
        "data": row.data,
    }


def _who(person: PersonRead | None, row: ActivityRead) -> dict[str, Any]:
    if person is not None:
        return {"customer_id": person.id, "customer_identifiers": person.identifiers}
    number = None if row.person_id is None else cio_id(row.person_id)
    number = row.data.get("cio_id", number) if row.type == "profile_delete" else number
    gone = None if number is None else {"id": None, "email": None, "cio_id": number}
    return {"customer_id": None, "customer_identifiers": gone}


async def latest_changes(
    conn: Connection, workspace_id: int, types: Sequence[str], name: str, *, since: datetime, limit: int
) -> list[dict[str, Any]]:
    """The latest lines about an attribute or an event, for the data index."""
    which = ActivityFilter(since, types, name)
    found = await reads.page(conn, workspace_id, which, before=None, limit=limit)
    persons = await people_reads.by_numbers(conn, workspace_id, [row.person_id for row in found.rows])
    return [_activity(row, _who(persons.get(row.person_id or 0), row)) for row in found.rows]


__all__ = ["DEFAULT", "KEPT", "MOST", "ActivityQuery", "latest_changes", "of_person", "page"]
