"""What the schedule of a campaign asks of the clock, and what may be said in one (CMP-22)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from domain.definitions import CampaignDefinition
from domain.definitions.campaign import LIVE_STATES
from domain.definitions.library import ARCHIVED
from domain.definitions.schedule import Schedule
from domain.errors import Problem
from domain.problems import below
from domain.values import from_unix
from services.definition_checks import Checked
from store import schedules as store
from store.database import Connection
from store.definitions import DefinitionRow

NONE = Schedule.model_construct()
"""The schedule of a campaign without one."""


def schedule_of(document: Mapping[str, Any]) -> Schedule:
    """The schedule in a stored document."""
    said = document.get("schedule")
    return Schedule.model_validate(said) if said else NONE


def check(checked: Checked, now: datetime) -> None:
    """Add to what is wrong with documents: instants already past, and what does not change while a campaign runs.

    What is said again as it stands is never wrong; `now` is the workspace's instant.
    """
    for item in checked.incoming:
        if isinstance(item.definition, CampaignDefinition) and (item.row is None or item.row.state != ARCHIVED):
            checked.errors += below(list(_problems(item.definition.schedule or NONE, item.row, now)), item.pointer)


def _problems(schedule: Schedule, row: DefinitionRow | None, now: datetime) -> Iterator[Problem]:
    before = NONE if row is None else schedule_of(row.document)
    fresh = schedule.start_at if schedule.start_at != before.start_at else None
    if fresh is not None and row is not None and row.state in LIVE_STATES:
        message = f"The campaign is {row.state}: only its stop may be set now."
        yield Problem(code="locked", pointer="/schedule/start_at", message=message)
    elif fresh is not None and from_unix(fresh) < now:
        yield Problem(code="in_the_past", pointer="/schedule/start_at", message="This instant has passed already.")
    if schedule.stop_at is not None and schedule.stop_at != before.stop_at and from_unix(schedule.stop_at) < now:
        yield Problem(code="in_the_past", pointer="/schedule/stop_at", message="This instant has passed already.")


async def arm(conn: Connection, row: DefinitionRow, before: Schedule | None, after: Schedule | None) -> None:
    """Have the clock start and stop a campaign as its document says now; what says the same as before stays as it is.

    So a start that has been used, or that somebody was faster than, does not come back by saving the document again.
    """
    old, new = before or NONE, after or NONE
    if new.start_at != old.start_at:
        await _set(conn, row, store.START, new.start_at)
    if new.stop_at != old.stop_at:
        await _set(conn, row, store.STOP, new.stop_at)


async def arm_again(conn: Connection, row: DefinitionRow, now: datetime) -> None:
    """The same for a campaign that the clock knows nothing of, as far as its instants lie ahead."""
    schedule = schedule_of(row.document)
    for turn, at in ((store.START, schedule.start_at), (store.STOP, schedule.stop_at)):
        if at is not None and from_unix(at) > now:
            await _set(conn, row, turn, at)


async def _set(conn: Connection, row: DefinitionRow, turn: store.Turn, at: int | None) -> None:
    if at is None:
        await store.drop(conn, row.workspace_id, row.definition_id, (turn,))
    else:
        await store.put(conn, row.workspace_id, turn, row.definition_id, from_unix(at))


__all__ = ["NONE", "arm", "arm_again", "check", "schedule_of"]
