"""The data index: which attributes and events there are, from where, who uses them (PPL-51, APP-22); an attribute purged."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import asyncpg
import orjson

from domain.definitions import read_definition
from domain.definitions.settings import SettingsDefinition
from domain.errors import DomainError, NotFound
from domain.ids import cio_id
from domain.operations import Identifier, Identify
from domain.values import to_unix
from ingest.catalog import Catalog
from services import data_usage, tasks
from services.data_usage import Usage, User
from services.looking.activities import KEPT, latest_changes
from services.task_pages import Page
from store import data_names as store
from store import definitions, log, workspaces
from store import tasks as task_store
from store.data_names import EVENTS, NameRead
from store.database import Connection, Database
from store.reads import activities
from store.reads.cursor import decode, encode
from store.tasks import TaskRow

Index = Literal["attributes", "events"]
Form = Literal["csv", "usage_csv"]
ATTRIBUTE: Final = "attribute"
MOST: Final = 1000
DEFAULT: Final = 50
CHANGES: Final = 5
PURGE_PAGE: Final = 2_000
SOURCE: Final = "Data index"
IDENTIFIERS: Final = frozenset({"id", "email", "cio_id"})
OWN: Final = frozenset({"unsubscribed", "cio_subscription_preferences"})
"""Attributes whose meaning is ours."""
CSV_PATIENCE: Final = timedelta(seconds=15)
"""How long the people behind each event are counted for a file; a workspace too large for that gets none."""


async def page(
    db: Database, workspace_id: int, kinds: Sequence[str], *, name: str | None, start: str | None, limit: int
) -> dict[str, Any]:
    """One page in the order of names; `name` is a part of them, in any case. `beyond` counts what had no room."""
    parts = decode(start, str, str)
    after = None if parts is None else (parts[0], parts[1])
    limit = min(limit, MOST)
    async with db.connection() as conn:
        found = _sought(await store.names(conn, workspace_id, kinds), name)
        rest = [key for key in found if after is None or key > after]
        read = await store.read(conn, workspace_id, rest[:limit])
        used = await data_usage.usage(conn, workspace_id)
        beyond = await store.beyond(conn, workspace_id, kinds)
    return {
        "names": [shown(entry, used) for entry in read],
        "next": encode(*rest[limit - 1]) if len(rest) > limit else "",
        "beyond": beyond,
    }


async def one(db: Database, workspace_id: int, kind: str, name: str, now: datetime) -> dict[str, Any]:
    """One name with who uses it and its latest changes; raises NotFound. `now` is real time."""
    async with db.connection() as conn:
        entry = await _known(conn, workspace_id, kind, name)
        used = await data_usage.usage(conn, workspace_id)
        workspace = await workspaces.get(conn, workspace_id)
        changes: list[dict[str, Any]] = []
        if workspace is not None and kind in (ATTRIBUTE, *EVENTS):
            types = ["attribute_change"] if kind == ATTRIBUTE else [kind]
            since = workspace.now(now) - KEPT
            changes = await latest_changes(conn, workspace_id, types, name, since=since, limit=CHANGES)
    users = [_user(user) for user in _users(used, kind, name)]
    return {"name": {**shown(entry, used), "used_in": users, "latest_changes": changes}}


def shown(entry: NameRead, used: Usage) -> dict[str, Any]:
    """A name as it is answered."""
    answer: dict[str, Any] = {
        "name": entry.name,
        "kind": entry.kind,
        "description": entry.description or "",
        "privacy_level": entry.privacy_level,
        "types": entry.types,
        "sources": [_source(source, count) for source, count in sorted(entry.sources.items())],
        "seen": entry.seen,
        "first_seen": None if entry.first_at is None else to_unix(entry.first_at),
        "last_seen": None if entry.last_at is None else to_unix(entry.last_at),
        "usage": data_usage.counts(_users(used, entry.kind, entry.name)),
    }
    if entry.kind not in EVENTS:
        answer["holders"] = entry.holders
    return answer


async def describe(
    db: Database, workspace_id: int, kind: str, notes: Sequence[tuple[str, str | None, int | None]], now: datetime
) -> None:
    """Say something about names, known or not: (name, description, privacy level); the last word on a name counts."""
    last = {name: (name, description, level) for name, description, level in notes}
    async with db.transaction() as conn:
        await store.describe(conn, workspace_id, kind, list(last.values()), now)


async def remove_attribute(db: Database, workspace_id: int, name: str, now: datetime) -> str:
    """Begin to take an attribute from everybody and out of the index; returns the task. Raises NotFound, `in_use`."""
    async with db.transaction() as conn:
        await definitions.lock(conn, workspace_id)
        await _known(conn, workspace_id, ATTRIBUTE, name)
        if name in OWN or name in await _identifying(conn, workspace_id):
            raise DomainError("in_use", f"The attribute '{name}' is one that Sojourn itself uses.")
        users = (await data_usage.usage(conn, workspace_id)).of_attribute(name)
        if users:
            said = ", ".join(dict.fromkeys(f"{user.kind} '{user.key}'" for user in users))
            referents = tuple(user.referent for user in users)
            raise DomainError("in_use", f"The attribute '{name}' is used by {said}.", "", referents)
        total = await task_store.count_people(conn, workspace_id)
        workspace = await workspaces.get(conn, workspace_id)
        here = now if workspace is None else workspace.now(now)
        return await tasks.create(
            conn, workspace_id, "purge_attribute", {"name": name}, now=here, priority="low", total=total
        )


async def purge_page(conn: Connection, _catalog: Catalog, task: TaskRow, _now: datetime, real_now: datetime) -> Page:
    """Have the attribute removed from the next people, by facts in the log, so that what follows from it follows."""
    name = task.payload["name"]
    if (await data_usage.usage(conn, task.workspace_id)).of_attribute(name):
        return Page(task.cursor, 0, "cancelled")
    last, looked, holders = await store.holders_page(conn, task.workspace_id, name, after=task.cursor, limit=PURGE_PAGE)
    removals = [
        Identify(subject=Identifier(kind="cio_id", value=cio_id(number)), attributes={name: None}) for number in holders
    ]
    entries = [log.entry_of(task.workspace_id, removal, SOURCE) for removal in removals]
    await log.append(conn, entries, real_now)
    if looked:
        return Page(last, looked, "running")
    await store.remove(conn, task.workspace_id, ATTRIBUTE, name)
    return Page(last, 0, "succeeded")


async def file_of(db: Database, workspace_id: int, index: Index, form: Form, now: datetime) -> str:
    """The whole index as a CSV file: the names, or who uses them; times in Unix seconds. `now` is real time."""
    kinds = [ATTRIBUTE] if index == "attributes" else list(EVENTS)
    async with db.connection() as conn:
        read = await store.read(conn, workspace_id, await store.names(conn, workspace_id, kinds))
        used = await data_usage.usage(conn, workspace_id)
        if form == "usage_csv":
            return _csv(["Name", "Used In", "Usage Name", "Link"], _usage_rows(read, used))
        if index == "attributes":
            header = ["Name", "Campaigns", "Segments", "Newsletters", "People", "Last Updated"]
            return _csv(header, [_attribute_row(entry, used) for entry in read])
        workspace = await workspaces.get(conn, workspace_id)
        since = (now if workspace is None else workspace.now(now)) - KEPT
        data = await activities.last_data(conn, workspace_id, since)
    people = await _performers(db, workspace_id)
    header = ["Name", "Campaigns", "Segments", "People", "Last Received", "Last Data"]
    rows = [_event_row(entry, used, people, data.get((entry.name, entry.kind))) for entry in read]
    return _csv(header, rows)


async def _performers(db: Database, workspace_id: int) -> dict[tuple[str, str], int]:
    try:
        async with db.transaction() as conn:
            await conn.execute(f"SET LOCAL statement_timeout = {int(CSV_PATIENCE.total_seconds() * 1000)}")
            return await store.performers(conn, workspace_id)
    except asyncpg.QueryCanceledError:
        return {}


def _attribute_row(entry: NameRead, used: Usage) -> list[Any]:
    usage = data_usage.counts(_users(used, entry.kind, entry.name))
    counts = [usage["campaigns"], usage["segments"], usage["newsletters"]]
    return [entry.name, *counts, entry.holders, _seconds(entry.last_at)]


def _event_row(entry: NameRead, used: Usage, people: dict[tuple[str, str], int], data: Any) -> list[Any]:
    usage = data_usage.counts(_users(used, entry.kind, entry.name))
    who = people.get((entry.name, entry.kind), 0) if people else ""
    last = "" if data is None else _json(data)
    return [entry.name, usage["campaigns"], usage["segments"], who, _seconds(entry.last_at), last]


def _usage_rows(read: Sequence[NameRead], used: Usage) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for entry in read:
        documents = dict.fromkeys((u.kind, u.key, u.title) for u in _users(used, entry.kind, entry.name))
        rows += [[entry.name, kind, title, _link(kind, key)] for kind, key, title in documents]
    return rows


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _seconds(at: datetime | None) -> int | str:
    return "" if at is None else to_unix(at.astimezone(UTC))


def _users(used: Usage, kind: str, name: str) -> list[User]:
    if kind == ATTRIBUTE:
        return used.of_attribute(name)
    return used.of_event(kind, name) if kind in EVENTS else []


def _user(user: User) -> dict[str, Any]:
    return {
        "kind": user.kind,
        "key": user.key,
        "id": user.id,
        "name": user.title,
        "pointer": user.pointer,
        "link": _link(user.kind, user.key),
    }


def _link(kind: str, key: str) -> str:
    return f"/v1/definitions/{kind}/{key}"


def _source(source: str, count: int) -> dict[str, Any]:
    label, _, name = source.partition(":")
    return {"label": label, "name": name.strip() or None, "seen": count}


def _sought(found: list[tuple[str, str]], part: str | None) -> list[tuple[str, str]]:
    if not part:
        return found
    wanted = part.casefold()
    return [(name, kind) for name, kind in found if wanted in name.casefold()]


async def _known(conn: Connection, workspace_id: int, kind: str, name: str) -> NameRead:
    what = "event" if kind in EVENTS else "attribute"
    if "\x00" in name or (name, kind) not in await store.names(conn, workspace_id, [kind]):
        raise NotFound(what, name)
    (entry,) = await store.read(conn, workspace_id, [(name, kind)])
    return entry


async def _identifying(conn: Connection, workspace_id: int) -> frozenset[str]:
    """The names that are identifiers here, where email may be an ordinary attribute (PPL-02)."""
    row = await definitions.get(conn, workspace_id, "settings", "workspace")
    document = None if row is None else read_definition(row.document)[0]
    plain = isinstance(document, SettingsDefinition) and document.identifiers == "id_only"
    return IDENTIFIERS - {"email"} if plain else IDENTIFIERS


__all__ = [
    "ATTRIBUTE",
    "DEFAULT",
    "EVENTS",
    "MOST",
    "describe",
    "file_of",
    "one",
    "page",
    "purge_page",
    "remove_attribute",
    "shown",
]
