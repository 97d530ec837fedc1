"""Who a trigger is for: found page by page when its turn comes, and frozen (CHN-17 to CHN-19).

How far it is stands in the trigger's `progress`, in the same transaction as the places that were given: whoever is killed
goes on behind the last page. A file, of which nobody can ask for the middle, is fetched once more, and begun anew only where what
was read of it has become another.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from domain.broadcasts.faults import NOT_VALID
from domain.conditions import Condition
from domain.definitions.broadcast import EVERYONE, BroadcastDefinition
from ingest.catalog import Campaign, Catalog, Catalogs
from services.broadcasts.data_file import DownloadFailed, Mark, Reading, download, entries_of
from services.broadcasts.ending import end
from services.broadcasts.entries import Flags, Resolved, resolve
from services.broadcasts.forgetting import FILE, NAMES, forgotten
from services.broadcasts.owners import owners_of
from services.looking.matching import next_page
from services.looking.references import wrong_references
from store import broadcast_recipients as recipients
from store import broadcasts as store
from store.broadcasts import PROCESSING, SENDING, Key, TriggerRow
from store.database import Connection, Database

EVERYBODY_PAGE: Final = 10_000
DISCARDED: Final = 20_000
MOST_BEGUN: Final = 5
EVER_ANOTHER: Final = "failed to download data file: it was another one each time it was fetched"
NOBODY_NAMED: Final = "the broadcast names no recipients, and neither did the call"


def begin(trigger: TriggerRow, broadcast: Campaign) -> None:
    """Note whom to look for, as the call or the broadcast says it now: edits concern the next trigger (CHN-22)."""
    trigger.state = PROCESSING
    trigger.progress = {"frozen": 0, "after": 0, "source": _source(trigger.audience, broadcast)}


def _source(audience: Mapping[str, Any], broadcast: Campaign) -> Any:
    if "recipients" in audience:
        return {"condition": audience["recipients"]}
    if audience:
        return "call"
    definition = broadcast.definition
    assert isinstance(definition, BroadcastDefinition), "only broadcasts are triggered"
    wanted = definition.recipients
    return {"condition": wanted.dump()} if isinstance(wanted, Condition) else wanted


class Audiences:
    """Finds the audience of triggers."""

    def __init__(
        self, db: Database, catalogs: Catalogs, clock: Callable[[], datetime], *, allow_private_urls: bool = False
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._clock = clock
        self._allow_private = allow_private_urls

    async def step(self, trigger: TriggerRow, stopping: Callable[[], bool]) -> None:
        """The next page; a whole file, or what of it can be read before the process is to end."""
        source = trigger.progress.get("source")
        if source == "call" and FILE in trigger.audience:
            await self._file(trigger, stopping)
        elif source == "call":
            await self._list(trigger)
        elif source == EVERYONE:
            await self._everybody(trigger.key)
        elif source is None:
            await self._fail(trigger.key, [NOBODY_NAMED])
        else:
            await self._matching(trigger, Condition.parse(source["condition"]))

    async def _everybody(self, key: Key) -> None:
        async with self._held(key) as (conn, catalog, trigger):
            frozen, after = trigger.progress["frozen"], trigger.progress["after"]
            count, last = await recipients.freeze_everybody(conn, key, frozen + 1, beyond=after, limit=EVERYBODY_PAGE)
            trigger.progress |= {"frozen": frozen + count, "after": last}
            if count < EVERYBODY_PAGE:
                self._ready(catalog, trigger)
            await store.save(conn, trigger)

    async def _matching(self, trigger: TriggerRow, condition: Condition) -> None:
        """Look at the next people without holding anybody up, then give those who match their places."""
        before = trigger.progress["after"]
        async with self._db.connection() as conn:
            catalog = await self._catalogs.get(conn, trigger.workspace_id)
            # A segment that has been deleted since the call would match nobody, and turned around everybody.
            gone = [] if before else await wrong_references(conn, trigger.workspace_id, condition, "")
            page = None if gone else await next_page(conn, catalog, condition, catalog.now(self._clock()), after=before)
        if page is None:
            await self._fail(trigger.key, [f"{NOT_VALID}: {problem.message}" for problem in gone])
            return
        async with self._held(trigger.key) as (conn, catalog, held):
            if held.progress["after"] != before:
                return
            await self._freeze(conn, held, [(row.person_id, None) for row in page.matched])
            held.progress["after"] = page.last
            if not page.looked:
                self._ready(catalog, held)
            await store.save(conn, held)

    async def _list(self, trigger: TriggerRow) -> None:
        """Whoever a call names one by one; of ids and addresses those who are there, which was looked at when it came."""
        key, audience, workspace_id = trigger.key, trigger.audience, trigger.workspace_id
        (kind,) = [name for name in NAMES if name in audience]
        flags = Flags.of(audience)
        async with self._db.connection() as conn:
            if kind == "per_user_data":
                found = await resolve(conn, workspace_id, entries_of(audience[kind]), flags)
            else:
                found = Resolved(await _named(conn, workspace_id, kind, audience[kind], flags), [])
        if found.errors:
            await self._fail(key, found.errors)
            return
        async with self._held(key) as (conn, catalog, held):
            await self._freeze(conn, held, found.people)
            self._ready(catalog, held)
            await store.save(conn, held)

    async def _file(self, trigger: TriggerRow, stopping: Callable[[], bool]) -> None:
        key = trigger.key
        async with self._db.connection() as conn:
            workspace = (await self._catalogs.get(conn, trigger.workspace_id)).workspace
        with tempfile.TemporaryFile() as file:
            try:
                await download(self._db, workspace, trigger.audience[FILE], file, allow_private=self._allow_private)
            except DownloadFailed as error:
                await self._fail(key, [str(error)])
                return
            reading = Reading(file, Mark(*trigger.progress.get("read", ())))
            if not await reading.goes_on():
                if trigger.progress.get("begun", 0) >= MOST_BEGUN:
                    await self._fail(key, [EVER_ANOTHER])
                    return
                await self._discard(key)
            async for entries, mark in reading.pages():
                if stopping():
                    return
                await self._take(key, entries, mark, Flags.of(trigger.audience))
        async with self._held(key) as (conn, catalog, held):
            failed = bool(held.error_count)
            if not failed:
                self._ready(catalog, held)
                await store.save(conn, held)
        if failed:
            await self._fail(key, [])

    async def _take(self, key: Key, entries: Sequence[Any], mark: Mark, flags: Flags) -> None:
        """Give the people of some lines their places."""
        async with self._db.connection() as conn:
            found = await resolve(conn, key[0], entries, flags)
        async with self._held(key) as (conn, _, held):
            await store.add_errors(conn, held, found.errors)
            if not held.error_count:
                people = found.people
                if not flags.email_add_duplicates:
                    # Of somebody who is named again the later data holds.
                    known = await recipients.replace_data(conn, key, people)
                    people = [one for one in people if one[0] not in known]
                await self._freeze(conn, held, people)
            held.data_bytes = mark.size
            held.progress["read"] = list(mark)
            await store.save(conn, held)

    async def _freeze(
        self, conn: Connection, trigger: TriggerRow, people: Sequence[tuple[int, Mapping[str, Any] | None]]
    ) -> None:
        if people:
            await recipients.freeze(conn, trigger.key, trigger.progress["frozen"] + 1, people)
            trigger.progress["frozen"] += len(people)

    def _ready(self, catalog: Catalog, trigger: TriggerRow) -> None:
        """Everybody is known: the sending can begin."""
        trigger.state, trigger.processed_at = SENDING, catalog.now(self._clock())
        trigger.recipients_count = trigger.progress["frozen"]
        trigger.progress = {"handed": 0}
        trigger.audience = forgotten(trigger.audience)

    async def _fail(self, key: Key, errors: Sequence[str]) -> None:
        """Send nothing at all, and say why."""
        await self._discard(key, errors=False)
        async with self._held(key) as (conn, catalog, trigger):
            await store.add_errors(conn, trigger, errors)
            trigger.progress = {}
            await end(conn, trigger, "failed", catalog.now(self._clock()))

    async def _discard(self, key: Key, *, errors: bool = True) -> None:
        """Forget what an earlier attempt at the file has found."""
        while True:
            async with self._db.transaction() as conn:
                if await recipients.discard(conn, key, DISCARDED) < DISCARDED:
                    break
        async with self._held(key) as (conn, _, trigger):
            trigger.progress["frozen"] = 0
            trigger.progress["begun"] = trigger.progress.get("begun", 0) + 1
            if errors:
                await store.clear_errors(conn, trigger)
            await store.save(conn, trigger)

    @asynccontextmanager
    async def _held(self, key: Key) -> AsyncIterator[tuple[Connection, Catalog, TriggerRow]]:
        """The trigger, locked, while its audience is still looked for; raises `NotWanted` where that is over."""
        async with self._db.transaction() as conn:
            catalog = await self._catalogs.get(conn, key[0])
            trigger = await store.hold(conn, key)
            if trigger is None or trigger.state != PROCESSING:
                raise NotWanted
            yield conn, catalog, trigger


class NotWanted(Exception):
    """Somebody has ended the trigger, or finds its audience already."""


async def _named(
    conn: Connection, workspace_id: int, kind: str, listed: Sequence[str], flags: Flags
) -> list[tuple[int, Mapping[str, Any] | None]]:
    """Those of a list in its order, each once; an address of several people means all of them or none."""
    one = "id" if kind == "ids" else "email"
    owners = await owners_of(conn, workspace_id, listed if one == "id" else (), listed if one == "email" else ())
    people: dict[int, None] = {}
    for name in listed:
        found = owners.of(one, name)
        if len(found) <= 1 or flags.email_add_duplicates:
            people |= dict.fromkeys(found)
    return [(person_id, None) for person_id in people]


__all__ = ["NOBODY_NAMED", "Audiences", "NotWanted", "begin"]
