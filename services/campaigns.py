"""A campaign's life: start, stop, restart (CMP-20, CMP-21)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from domain.definitions import CampaignDefinition, read_definition
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from services import definition_checks as checks
from services import journeys, tasks
from services.definitions import status_of, wire_problem, workspace_of
from store import definitions as store
from store import workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.workspaces import WorkspaceRow

Audience = Literal["future", "current_and_future"]
PAGES_AT_ONCE = 5
"""How many pages of journeys a stop ends before it answers; the rest follow in the background."""


@dataclass(frozen=True)
class _Found:
    workspace: WorkspaceRow
    rows: Sequence[DefinitionRow]
    row: DefinitionRow


async def start(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Start a draft; `body` is `{"audience"}` as received. Answers with the status and, under `problems`, what is odd.

    Raises NotFound, DomainError `invalid_state`, InvalidInput with everything that a start demands.
    """
    return await _begin(db, workspace_id, ref, body, real_now, verb="start", state="draft")


async def restart(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Start a stopped campaign again, as `start` does a draft."""
    return await _begin(db, workspace_id, ref, body, real_now, verb="restart", state="stopped")


async def stop(db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Let nobody in any more; with `{"journeys": "exit"}` end who is inside, with `finish` let them run out.

    `exit` while `stopping` ends those who remain. Raises NotFound, DomainError `invalid_state`, InvalidInput.
    """
    mode = _word(_fields(body, "journeys"), "journeys", ("exit", "finish"))
    if mode is None:
        raise _wrong("required", "/journeys", "Say whether active journeys exit or finish.")
    async with db.transaction() as conn:
        found = await _find(conn, workspace_id, ref)
        workspace, row = found.workspace, found.row
        if row.state not in ("starting", "running", "stopping"):
            raise _unfit("stop", row, "running")
        now = workspace.now(real_now)
        inside = (await store.active_journeys(conn, workspace_id, [row.definition_id])).get(row.definition_id, 0)
        state = "stopped" if mode == "exit" or not inside else "stopping"
        await store.set_state(conn, workspace_id, "campaign", row.definition_id, state)
        task_id = None
        if mode == "exit":
            task_id = await journeys.end_all_of_campaign(conn, workspace, row.definition_id, "stopped", now)
        await workspaces.bump_definitions(conn, workspace_id)
    if mode == "exit":
        await journeys.end_all(db, workspace, row.definition_id, "stopped", now, pages=PAGES_AT_ONCE)
    return await _status(db, replace(row, state=state), task_id)


async def _begin(
    db: Database, workspace_id: int, ref: str | int, body: Any, real_now: datetime, *, verb: str, state: str
) -> dict[str, Any]:
    asked = _word(_fields(body, "audience"), "audience", ("future", "current_and_future"))
    async with db.transaction() as conn:
        found = await _find(conn, workspace_id, ref)
        row, now = found.row, found.workspace.now(real_now)
        if row.state != state:
            raise _unfit(verb, row, state)
        campaign, warnings = _startable(found, asked)
        by_event = campaign.trigger.type == "event"
        fresh = "running" if by_event else "starting"
        await store.set_started(conn, workspace_id, row.definition_id, fresh, now)
        task_id = None
        if not by_event:
            # Who matches already is written down first, so that only those who come to match begin.
            payload = {"campaign_id": row.definition_id}
            task_id = await tasks.create(conn, workspace_id, "trigger_build", payload, now=now)
        await workspaces.bump_definitions(conn, workspace_id)
    started = replace(row, state=fresh, started_at=now, first_started=row.first_started or now)
    return await _status(db, started, task_id) | {"problems": [wire_problem(warning) for warning in warnings]}


async def _find(conn: Connection, workspace_id: int, ref: str | int) -> _Found:
    await store.lock(conn, workspace_id)
    workspace = await workspace_of(conn, workspace_id)
    rows = await store.load_all(conn, workspace_id)
    row = next((r for r in rows if r.kind == "campaign" and ref in (r.key, r.definition_id)), None)
    if row is None:
        raise NotFound("campaign", ref)
    return _Found(workspace, rows, row)


def _startable(found: _Found, asked: Any) -> tuple[CampaignDefinition, list[Problem]]:
    """The campaign with its warnings; raises InvalidInput with all that stands in the way of a start."""
    checked = checks.check([("", found.row.document)], found.rows, sandbox=found.workspace.sandbox)
    campaign, _ = read_definition(found.row.document)
    problems = list(checked.errors)
    if isinstance(campaign, CampaignDefinition):
        problems += _audience(campaign, asked)
    if problems:
        raise InvalidInput(problems)
    assert isinstance(campaign, CampaignDefinition), "what cannot be read has problems"
    return campaign, checked.warnings


def _audience(campaign: CampaignDefinition, asked: Any) -> list[Problem]:
    """Why the audience asked for cannot be had; the document's own is checked with the document."""
    if asked != "current_and_future":
        return []
    if campaign.trigger.type == "event":
        code, message = "audience_not_applicable", "Only events after the start begin a journey: leave audience out."
    else:
        code, message = "not_applicable", "Starting with people who match already is not in this version."
    return [Problem(code=code, pointer="/audience", message=message)]


async def _status(db: Database, row: DefinitionRow, task_id: str | None) -> dict[str, Any]:
    async with db.connection() as conn:
        status = status_of(row, await store.active_journeys(conn, row.workspace_id, [row.definition_id]))
    return status if task_id is None else status | {"task_id": task_id}


def _unfit(verb: str, row: DefinitionRow, state: str) -> DomainError:
    return DomainError("invalid_state", f"The campaign is {row.state}; {verb} needs it to be {state}.")


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
        raise InvalidInput([Problem(code="unknown_field", pointer=f"/{name}", message=message) for name in unknown])
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


__all__ = ["Audience", "restart", "start", "stop"]
