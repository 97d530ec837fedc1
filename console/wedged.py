"""`journeys wedged` and `journeys restart` at work on the database and Temporal themselves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
from rich.console import Console
from rich.text import Text

from clock import system_now
from console.failure import Failure
from console.repairing import places_of
from console.showing import table
from console.words import instant, lasting, number
from domain.values import to_unix
from services import wedged as service
from services.gate import TemporalAway
from services.wedged import HINTS, Cause, Findings, Restart, Wedged
from settings import Settings
from store.database import Database
from workflows.gateway import Gateway

T = TypeVar("T")
WORDS: Mapping[Restart, str] = {
    "restarted": "started anew",
    "started": "started, nothing ran",
    "over": "over already",
    "unknown": "unknown",
    "refused": "refused by Temporal: its log and ours say why",
}


def find(settings: Settings, console: Console, workspace_id: int | None, older_than: timedelta) -> Findings:
    """Look at every late journey; says how far it is where somebody watches."""

    async def look(db: Database, gateway: Gateway) -> Findings:
        with console.status("Looking") as status:

            def report(so_far: Findings) -> None:
                status.update(f"{so_far.looked_at} late journeys looked at, {len(so_far.wedged)} stand still")

            return await service.find(
                db, gateway, system_now(), workspace_id=workspace_id, older_than=older_than, report=report
            )

    return _with_both(settings, look)


def restart_each(settings: Settings, console: Console, ids: Sequence[str]) -> dict[str, int]:
    """Start these journeys anew; how many, by what was done."""

    async def restart(db: Database, gateway: Gateway) -> dict[str, int]:
        done: Counter[str] = Counter()
        for journey_id in dict.fromkeys(ids):
            outcome = await service.restart_one(db, gateway, journey_id, system_now())
            if outcome != "restarted":
                console.print(f"{journey_id}: {WORDS[outcome]}", style="yellow")
            done[outcome] += 1
        return dict(done)

    return _with_both(settings, restart)


def restart_found(settings: Settings, console: Console, wedged: Sequence[Wedged]) -> dict[str, int]:
    """Start those anew that were found."""

    async def restart(_db: Database, gateway: Gateway) -> dict[str, int]:
        with console.status("Starting anew") as status:
            done = await service.restart_all(
                gateway, wedged, report=lambda count: status.update(f"{count} of {len(wedged)} started anew")
            )
        return {str(outcome): count for outcome, count in done.items()}

    return _with_both(settings, restart) if wedged else {}


def show(console: Console, found: Findings, limit: int) -> None:
    """A table of those that stand still, and what to do about each cause."""
    if not found.wedged:
        console.print(f"No journey stands still{_looked_at(found)}.", style="green")
        return
    rows = table("journey", "workspace", "campaign", "block", "since", "cause", "attempts")
    for one in found.wedged[:limit]:
        journey = one.late.journey
        rows.add_row(
            journey.journey_id,
            str(journey.workspace_id),
            journey.campaign_key,
            one.late.block or "-",
            _since(one),
            Text(one.cause, style="bold red"),
            str(one.attempts or "-"),
        )
    console.print(rows)
    if len(found.wedged) > limit:
        console.print(f"and {len(found.wedged) - limit} more; --limit shows them.", style="dim")
    console.print()
    summarise(console, found)


def summarise(console: Console, found: Findings) -> None:
    """How many there are by cause, what Temporal says of one of them, what helps."""
    for cause, count in _by_cause(found).items():
        console.print(Text(f"{count} {cause}", style="bold").append(f"  {HINTS[cause]}", style=""))
        told = next((one.told for one in found.wedged if one.cause == cause and one.told), None)
        if told is not None:
            console.print(Text(f"  Temporal: {told}", style="dim"))
    if found.wedged:
        console.print(f"{journeys(len(found.wedged))} of {found.looked_at} late ones stand still.")


def told(console: Console, done: Mapping[str, int]) -> None:
    """What a restart came to."""
    anew = done.get("restarted", 0) + done.get("started", 0)
    console.print(f"{journeys(anew)} started anew.", style="green" if anew else "")
    for outcome in ("over", "unknown", "refused"):
        if done.get(outcome):
            console.print(f"{done[outcome]} {outcome}.", style="yellow")


def as_json(found: Findings, limit: int) -> dict[str, Any]:
    """The same for machines; instants in Unix seconds."""
    return {
        "looked_at": found.looked_at,
        "count": len(found.wedged),
        "by_cause": _by_cause(found),
        "wedged": [_one(wedged) for wedged in found.wedged[:limit]],
    }


def journeys(count: int) -> str:
    """A count of journeys."""
    return number(count, "journey")


def _one(one: Wedged) -> dict[str, Any]:
    journey = one.late.journey
    return {
        "journey": journey.journey_id,
        "workspace_id": journey.workspace_id,
        "campaign": journey.campaign_key,
        "block": one.late.block,
        "due_at": None if one.late.at is None else to_unix(one.late.at),
        "since": None if one.since is None else to_unix(one.since),
        "cause": one.cause,
        "attempts": one.attempts,
        "told": one.told,
        "hint": one.hint,
        "restartable": one.restartable,
        "workflow_id": journey.workflow_id,
        "run_id": one.run_id,
    }


def _by_cause(found: Findings) -> dict[Cause, int]:
    return dict(Counter(one.cause for one in found.wedged).most_common())


def _since(one: Wedged) -> str:
    if one.since is None:
        return "-"
    ago = (system_now() - one.since).total_seconds()
    return f"{instant(to_unix(one.since))} ({lasting(max(ago, 0))})"


def _looked_at(found: Findings) -> str:
    return f" ({journeys(found.looked_at)} late, all in hand)" if found.looked_at else ""


def _with_both(settings: Settings, work: Callable[[Database, Gateway], Awaitable[T]]) -> T:
    """Have work done with a connection to the database and to Temporal."""
    places = places_of(settings)

    async def run() -> T:
        try:
            db = await Database.connect(places.database_url, min_size=1, max_size=4)
        except (OSError, asyncpg.PostgresError) as error:
            raise Failure(f"The database cannot be reached: {error}", "Is SOJOURN_DATABASE_URL right?") from None
        try:
            gateway = await Gateway.connect(places.temporal_address, places.temporal_namespace, lazy=False)
            return await work(db, gateway)
        except TemporalAway:
            hint = "Is it running, and is SOJOURN_TEMPORAL_ADDRESS right? Repeat the command when it answers."
            raise Failure(f"Temporal does not answer at {places.temporal_address}.", hint) from None
        finally:
            await db.close()

    return asyncio.run(run())


__all__ = [
    "as_json",
    "find",
    "journeys",
    "restart_each",
    "restart_found",
    "show",
    "summarise",
    "told",
]
