"""A workspace's clock: what time it is, setting it, moving it, waiting until everything due has happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import PydanticCustomError

from domain.durations import parse_duration
from domain.errors import DomainError, InvalidInput, Problem
from domain.values import from_unix, to_unix
from ingest.catalog import Catalogs
from services import due
from services.clock_holds import holds_of
from services.definitions import workspace_of
from services.due import TIMER_KINDS, Clock, journey_timer
from services.settling import NotSettled, Report, Settling, begin, conclude
from store import definitions as definition_store
from store import due as due_store
from store import quiescence, workspaces
from store.database import Database
from store.notify import Notifier
from store.workspaces import WorkspaceRow

SETTLE_SECONDS = 30.0
ADVANCE_SECONDS = 120.0
MOST_SECONDS = 300.0
LEAST_SECONDS = 0.1
LAST_INSTANT = 99_999_999_999


async def now_of(db: Database, catalogs: Catalogs, workspace_id: int, clock: Clock) -> dict[str, Any]:
    """What time it is in the workspace and, in a sandbox, what is due next."""
    async with db.transaction() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        now = catalog.now(clock())
        answer: dict[str, Any] = {"now": to_unix(now), "sandbox": catalog.workspace.sandbox}
        if not catalog.workspace.sandbox:
            return answer
        coming = await due_store.next_instant(conn, workspace_id, now)
    if coming is None:
        return answer | {"next_due": None}
    if coming.what == "journey" and coming.campaign_id is not None:
        kind = journey_timer(catalog, coming.campaign_id, coming.block)
    else:
        kind = TIMER_KINDS.get(coming.what, coming.what)
    return answer | {"next_due": {"at": to_unix(coming.at), "kind": kind}}


async def set_start(db: Database, catalogs: Catalogs, workspace_id: int, body: Any, clock: Clock) -> dict[str, Any]:
    """Set the time of a sandbox in which nothing has happened yet; `body` is `{"now"}` as received."""
    fields = _fields(body, {"now"})
    if "now" not in fields:
        raise _wrong("required", "/now", "Say what time it shall be, in Unix seconds.")
    at = _instant(fields["now"], "/now")
    async with holds_of(db).hold(workspace_id), db.transaction() as conn:
        await definition_store.lock(conn, workspace_id)
        _only_sandbox(await workspace_of(conn, workspace_id))
        if not await quiescence.is_untouched(conn, workspace_id):
            message = "The sandbox holds people, events or journeys; its clock can only be advanced."
            raise DomainError("clock_in_use", message, "/now")
        await workspaces.set_clock(conn, workspace_id, at)
    return await now_of(db, catalogs, workspace_id, clock)


async def settle(
    db: Database, catalogs: Catalogs, notifier: Notifier, workspace_id: int, body: Any, *, clock: Clock
) -> dict[str, Any]:
    """Wait until nothing is runnable at the workspace's instant; `body` is `{"timeout_seconds"}` or nothing.

    Raises DomainError `clock_busy`, NotSettled.
    """
    seconds = _timeout(_fields(body, {"timeout_seconds"}), SETTLE_SECONDS)
    async with holds_of(db).hold(workspace_id):
        watch = Settling(db, catalogs, notifier, workspace_id, timeout_seconds=seconds, clock=clock)
        report = await _begin(db, catalogs, workspace_id, clock)
        await watch.until_quiet()
        return await _conclude(db, catalogs, workspace_id, report, clock)


async def advance(
    db: Database, catalogs: Catalogs, notifier: Notifier, workspace_id: int, body: Any, *, clock: Clock
) -> dict[str, Any]:
    """Move a sandbox's clock, visiting in order each instant at which something is due; `body` is as received.

    Raises DomainError `not_sandbox` or `clock_busy`, InvalidInput, NotSettled with the clock left where it stands.
    """
    fields = _fields(body, {"by", "to", "timeout_seconds"})
    async with db.connection() as conn:
        workspace = await workspace_of(conn, workspace_id)
    _only_sandbox(workspace)
    seconds = _timeout(fields, ADVANCE_SECONDS)
    _target(fields, workspace.now(clock()))
    async with holds_of(db).hold(workspace_id):
        async with db.connection() as conn:
            here = (await workspace_of(conn, workspace_id)).now(clock())
        target = _target(fields, here)
        watch = Settling(db, catalogs, notifier, workspace_id, timeout_seconds=seconds, clock=clock)
        report = await _begin(db, catalogs, workspace_id, clock)
        await _Way(db, catalogs, notifier, watch, report, workspace_id=workspace_id, clock=clock).to(here, target)
        return await _conclude(db, catalogs, workspace_id, report, clock)


class _Way:
    """The way of a sandbox's clock from one instant to another."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        notifier: Notifier,
        watch: Settling,
        report: Report,
        *,
        workspace_id: int,
        clock: Clock,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._workspace_id = workspace_id
        self._watch = watch
        self._report = report
        self._clock = clock

    async def to(self, here: datetime, target: datetime) -> None:
        """Settle, then stop at every instant that has work, then at the target."""
        await self._watch.until_quiet()
        while True:
            async with self._db.connection() as conn:
                coming = await due_store.next_instant(conn, self._workspace_id, here)
            if coming is None or coming.at > target:
                break
            if self._watch.over:
                raise await self._out_of_time(here, target)
            here = coming.at
            self._report.add_step(here, await self._visit(here))
            await self._watch.until_quiet()
        if here < target:
            await self._visit(target)
            await self._watch.until_quiet()

    async def _visit(self, at: datetime) -> dict[str, int]:
        """Move the clock and set going what is due, in one transaction; where there is much, the rest in further ones."""
        counts: dict[str, int] = {}
        more = True
        while more:
            async with self._db.transaction() as conn:
                # Whoever writes definitions holds journeys before the workspace's row, and we the other way round.
                await definition_store.lock(conn, self._workspace_id)
                await workspaces.set_clock(conn, self._workspace_id, at)
                fired = await due.fire(conn, await self._catalogs.get(conn, self._workspace_id), self._clock())
            for kind, count in fired.counts.items():
                # Rows of `due` and flips are told apart: only some kinds come in pages.
                counts[kind] = counts.get(kind, 0) + count if kind in due.PAGED else max(counts.get(kind, 0), count)
            more = fired.more
        self._notifier.send("ingest", "outbox", "due")
        return counts

    async def _out_of_time(self, here: datetime, target: datetime) -> NotSettled:
        async with self._db.connection() as conn:
            pending = await quiescence.look(conn, self._workspace_id, here)
        refusal = await self._watch.refusal(pending)
        message = f"Real time ran out on the way to {to_unix(target)}; call again to go on."
        return NotSettled(message, refusal.now, refusal.pending)


async def _begin(db: Database, catalogs: Catalogs, workspace_id: int, clock: Clock) -> Report:
    async with db.transaction() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        return await begin(conn, catalog, catalog.now(clock()))


async def _conclude(
    db: Database, catalogs: Catalogs, workspace_id: int, report: Report, clock: Clock
) -> dict[str, Any]:
    async with db.transaction() as conn:
        catalog = await catalogs.get(conn, workspace_id)
        return await conclude(conn, catalog, report, catalog.now(clock()))


def _only_sandbox(workspace: WorkspaceRow) -> None:
    if not workspace.sandbox:
        raise DomainError("not_sandbox", "Only a sandbox has a clock that can be set or moved.")


def _wrong(code: str, pointer: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(code=code, pointer=pointer, message=message)])


def _fields(body: Any, known: set[str]) -> Mapping[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise _wrong("type", "", "Send an object.")
    unknown = sorted(set(body) - known)
    if unknown:
        raise InvalidInput(
            [
                Problem(code="unknown_field", pointer=f"/{name}", message="There is no such field here.")
                for name in unknown
            ]
        )
    return body


def _timeout(fields: Mapping[str, Any], usual: float) -> float:
    seconds = fields.get("timeout_seconds", usual)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise _wrong("type", "/timeout_seconds", "Give a number of seconds.")
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        message = f"The time-out is from {LEAST_SECONDS} to {MOST_SECONDS:g} seconds."
        raise _wrong("range", "/timeout_seconds", message)
    return float(seconds)


def _instant(value: Any, pointer: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong("type", pointer, "Give a whole number of Unix seconds.")
    if not 0 <= value <= LAST_INSTANT:
        raise _wrong("range", pointer, f"Unix seconds are from 0 to {LAST_INSTANT}.")
    return from_unix(value)


def _target(fields: Mapping[str, Any], now: datetime) -> datetime:
    """Where to go: not before `now`, and within what the contract can write."""
    if ("by" in fields) == ("to" in fields):
        if "by" in fields:
            raise _wrong("type", "/to", "Say by how much or to which instant, not both.")
        raise _wrong("required", "/by", "Say by how much, or `to` which instant.")
    if "to" in fields:
        target = _instant(fields["to"], "/to")
        if to_unix(target) < to_unix(now):
            raise _wrong("in_the_past", "/to", f"The clock already stands at {to_unix(now)}; it never goes back.")
        return max(target, now)
    try:
        span = parse_duration(fields["by"])
    except PydanticCustomError as error:
        raise _wrong(error.type, "/by", error.message()) from None
    if to_unix(now) + span.total_seconds() > LAST_INSTANT:
        raise _wrong("range", "/by", f"The clock goes no further than {LAST_INSTANT}.")
    return now + span


__all__ = ["ADVANCE_SECONDS", "SETTLE_SECONDS", "NotSettled", "advance", "now_of", "set_start", "settle"]
