"""A campaign's life while it is in use: start, stop, restart, by hand or by its schedule (CMP-20 to CMP-22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, get_args

from domain.definitions import CampaignDefinition, read_definition
from domain.definitions.campaign_rules import audience_not_applicable
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.problems import pointer_of
from services import definition_checks as checks
from services import definitions, journeys, tasks
from services.definitions import wire_problem, workspace_of
from services.journeys import Ending
from services.private_urls import saved
from store import definitions as store
from store import log, schedules, workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

Audience = Literal["future", "current_and_future"]
CURRENT: Final[Audience] = "current_and_future"
Inside = Literal["exit", "finish"]
"""What becomes of those inside when a campaign stops."""
STARTABLE: Final[Mapping[str, str]] = {"start": "draft", "restart": "stopped"}
"""The verbs that begin a campaign, with the state that they begin from."""
STOPPABLE: Final = ("starting", "running", "stopping")
PAGES_AT_ONCE = 5
"""How many pages of journeys a stop ends before it answers; the rest follow in the background."""


@dataclass(frozen=True)
class Found:
    """A campaign among everything, while nobody else writes definitions."""

    workspace: WorkspaceRow
    rows: Sequence[DefinitionRow]
    row: DefinitionRow


@dataclass(frozen=True)
class Begun:
    """A campaign that has been started, the task that finds out who matches already, and what is odd about it."""

    row: DefinitionRow
    task_id: str | None
    warnings: Sequence[Problem]


async def start(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Start a draft; `body` is `{"audience"}` as received. Answers with the status and, under `problems`, what is odd.

    A start that its schedule had in mind is off. Raises NotFound, DomainError `invalid_state`, InvalidInput with
    everything that a start demands.
    """
    return await _begin(db, workspace_id, ref, body, real_now, verb="start")


async def restart(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Start a stopped campaign again, as `start` does a draft; refused while it is stopping."""
    return await _begin(db, workspace_id, ref, body, real_now, verb="restart")


async def stop(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Let nobody in any more; with `{"journeys": "exit"}` end who is inside, with `finish` let them run out.

    `exit` while `stopping` ends those who remain. Raises NotFound, DomainError `invalid_state`, InvalidInput.
    """
    mode: Any = _word(_fields(body, "journeys"), "journeys", get_args(Inside))
    if mode is None:
        raise _wrong("required", "/journeys", "Say whether active journeys exit or finish.")
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        if found.row.state not in STOPPABLE:
            raise unfit("stop", found.row, "running")
        now = found.workspace.now(real_now)
        row, ending = await halt(conn, found, mode, now)
    if ending is not None:
        await empty(db, found, ending, now)
    return await answered(db, row, None if ending is None else ending.task_id)


async def empty(db: Database, found: Found, ending: Ending, now: datetime) -> None:
    """End now what a page or some hold of the journeys of a campaign that has been stopped; its task ends the rest."""
    await journeys.end_all(
        db, found.workspace, found.row.definition_id, "stopped", now, pages=PAGES_AT_ONCE, up_to=ending.up_to
    )


async def find(conn: Connection, workspace_id: int, ref: str | int, kind: str = "campaign") -> Found:
    """The campaign, or what of another kind, whose state nobody else changes before this transaction ends; raises NotFound."""
    await store.lock(conn, workspace_id)
    workspace = await workspace_of(conn, workspace_id)
    rows = await store.load_all(conn, workspace_id)
    row = next((r for r in rows if r.kind == kind and ref in (r.key, r.definition_id)), None)
    if row is None:
        raise NotFound(kind, ref)
    return Found(workspace, rows, row)


async def begin(conn: Connection, found: Found, asked: Any, now: datetime) -> Begun:
    """Start a campaign that is in a state to be started, for the audience asked for or else its document's.

    Raises InvalidInput with all that stands in the way.
    """
    row = found.row
    campaign, warnings = _startable(found, asked)
    audience: Audience = asked or campaign.start_audience
    trigger = campaign.trigger
    # Who matches already is written down first, so that only those who come to match begin; others are let in by that.
    builds = trigger.single or (trigger.takes_current and audience == CURRENT)
    fresh = "starting" if builds else "running"
    await store.set_started(conn, row.workspace_id, row.definition_id, fresh, now, audience=audience)
    await schedules.drop(conn, row.workspace_id, row.definition_id, (schedules.START,))
    task_id = None
    if builds:
        payload: dict[str, Any] = {
            "campaign_id": row.definition_id,
            "anew": audience == CURRENT and row.first_started is not None,
            "since": await log.last_seq(conn, row.workspace_id),
        }
        task_id = await tasks.create(conn, row.workspace_id, "trigger_build", payload, now=now)
    await workspaces.bump_definitions(conn, row.workspace_id)
    started = replace(
        row,
        state=fresh,
        started_at=now,
        first_started=row.first_started or now,
        audience=audience,
        schedule_problems=None,
    )
    return Begun(started, task_id, warnings)


async def halt(conn: Connection, found: Found, mode: Inside, now: datetime) -> tuple[DefinitionRow, Ending | None]:
    """Stop a campaign that is in a state to be stopped; the row as it is then, and the ending of journeys, if they end."""
    workspace, row = found.workspace, found.row
    inside = (await store.active_journeys(conn, row.workspace_id, [row.definition_id])).get(row.definition_id, 0)
    state = "stopped" if mode == "exit" or not inside else "stopping"
    await store.set_state(conn, row.workspace_id, "campaign", row.definition_id, state)
    ending = None
    if mode == "exit":
        ending = await journeys.end_all_of_campaign(conn, workspace, row.definition_id, "stopped", now)
    await workspaces.bump_definitions(conn, row.workspace_id)
    return replace(row, state=state), ending


async def answered(db: Database, row: DefinitionRow, task_id: str | None) -> dict[str, Any]:
    """The status of a campaign as a verb answers it."""
    async with db.connection() as conn:
        status = await definitions.status(conn, row)
    return status if task_id is None else status | {"task_id": task_id}


def unfit(verb: str, row: DefinitionRow, state: str) -> DomainError:
    """The refusal of a verb that does not fit the state."""
    return DomainError("invalid_state", f"The campaign is {row.state}; {verb} needs it to be {state}.")


async def _begin(
    db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime, *, verb: str
) -> dict[str, Any]:
    asked = _word(_fields(body, "audience"), "audience", get_args(Audience))
    async with db.transaction() as conn:
        found = await find(conn, workspace_id, ref)
        if found.row.state != STARTABLE[verb]:
            raise unfit(verb, found.row, STARTABLE[verb])
        begun = await begin(conn, found, asked, found.workspace.now(real_now))
    answer = await answered(db, begun.row, begun.task_id)
    return answer | {"problems": [wire_problem(warning) for warning in begun.warnings]}


def _startable(found: Found, asked: Any) -> tuple[CampaignDefinition, list[Problem]]:
    """The campaign with its warnings; raises InvalidInput with all that stands in the way of a start."""
    checked = checks.check([("", found.row.document)], found.rows, sandbox=found.workspace.sandbox, private=saved)
    campaign, _ = read_definition(found.row.document)
    problems = list(checked.errors)
    if isinstance(campaign, CampaignDefinition) and asked == CURRENT and not campaign.trigger.takes_current:
        problems.append(audience_not_applicable(campaign, "/audience"))
    if problems:
        raise InvalidInput(problems)
    assert isinstance(campaign, CampaignDefinition), "what cannot be read has problems"
    return campaign, checked.warnings


def _wrong(code: str, pointer: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(code=code, pointer=pointer, message=message)])


def _fields(body: Any, known: str) -> Mapping[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise _wrong("type", "", "Send an object.")
    unknown = [name for name in body if name != known]
    if unknown:
        message = "There is no such field here."
        raise InvalidInput(
            [Problem(code="unknown_field", pointer=pointer_of((name,)), message=message) for name in unknown]
        )
    return body


def _word(fields: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str | None:
    if name not in fields:
        return None
    value = fields[name]
    if not isinstance(value, str):
        raise _wrong("type", f"/{name}", "Give a text.")
    if value not in words:
        raise _wrong("enum", f"/{name}", f"Write one of {', '.join(words)}.")
    return value


__all__ = [
    "CURRENT",
    "STARTABLE",
    "STOPPABLE",
    "Audience",
    "Begun",
    "Found",
    "Inside",
    "answered",
    "begin",
    "empty",
    "find",
    "halt",
    "restart",
    "start",
    "stop",
    "unfit",
]
