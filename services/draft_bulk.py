"""Asking for many drafts to be sent or deleted, or for failures to be tried again: a task (CMP-28)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, get_args

from domain.definitions.transactional import UNCATEGORIZED
from domain.drafts import BulkAction
from domain.errors import InvalidInput, NotFound, Problem
from services import tasks
from services.draft_tasks import chosen_by
from store import definitions, workspaces
from store import drafts as store
from store import tasks as task_store
from store.database import Connection, Database
from store.definitions import DefinitionRow

MOST_IDS: Final = 10_000
FIELDS: Final = ("action", "ids", "campaign", "broadcast", "block", "newsletter", "transactional", "per_second")
_AUTOMATIONS: Final = ("campaign", "broadcast")
_SOURCES: Final = (*_AUTOMATIONS, "newsletter", "transactional")
_ACTIONS: Final[tuple[str, ...]] = get_args(BulkAction)
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_LARGEST = 2**31 - 1


async def begin(db: Database, workspace_id: int, body: Any, real_now: datetime) -> dict[str, Any]:
    """Begin the task that `body`, as received, asks for; answers with the task. Raises InvalidInput.

    Without ids and without a source it is about everything in the workspace that is there now.
    """
    problems = list(_faults(body))
    if problems:
        raise InvalidInput(problems)
    async with db.transaction() as conn:
        workspace = await workspaces.get(conn, workspace_id)
        if workspace is None:
            raise NotFound("workspace", workspace_id)
        now = workspace.now(real_now)
        payload = await _payload(conn, workspace_id, body)
        action: BulkAction = body["action"]
        chosen = chosen_by(payload, now, failed=action == "retry_failed")
        ids = payload.get("ids")
        total = len(ids) if ids is not None else await store.count(conn, workspace_id, chosen)
        task_id = await tasks.create(conn, workspace_id, action, payload, now=now, total=total)
        row = await task_store.get(conn, workspace_id, task_id)
        assert row is not None, "it was made just now"
    return tasks.wire(row)


async def _payload(conn: Connection, workspace_id: int, body: Mapping[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    if "ids" in body:
        payload["ids"] = list(dict.fromkeys(body["ids"]))
    if "per_second" in body:
        payload["per_second"] = float(body["per_second"])
    kind = next((kind for kind in _SOURCES if kind in body), None)
    if kind is None:
        return payload
    if kind == "transactional" and body[kind] == UNCATEGORIZED:
        return payload | {"transactional_id": UNCATEGORIZED}
    row = await definitions.get(conn, workspace_id, kind, body[kind])
    if row is None:
        raise InvalidInput([_unknown(kind, body[kind])])
    if kind == "transactional":
        return payload | {"transactional_id": row.definition_id}
    payload["campaign_id"] = row.definition_id
    if "block" in body:
        payload["action_ids"] = [_action_of(row, body["block"])]
    return payload


def _action_of(row: DefinitionRow, block: str) -> int:
    number = row.actions.get(block)
    if number is None:
        message = f"The {row.kind} '{row.key}' has no block '{block}'."
        raise InvalidInput([Problem(code="unknown_block", pointer="/block", message=message)])
    return number


def _faults(body: Any) -> Iterator[Problem]:
    if not isinstance(body, dict):
        yield Problem(code="type", message="Send an object.")
        return
    for name in body:
        if name not in FIELDS:
            pointer = name.replace("~", "~0").replace("/", "~1")
            yield Problem(code="unknown_field", pointer=f"/{pointer}", message="There is no such field here.")
    if "action" not in body:
        yield Problem(code="required", pointer="/action", message=f"Say one of {', '.join(_ACTIONS)}.")
    elif body["action"] not in _ACTIONS:
        code = "enum" if isinstance(body["action"], str) else "type"
        yield Problem(code=code, pointer="/action", message=f"Say one of {', '.join(_ACTIONS)}.")
    if "ids" in body:
        yield from _faults_of_ids(body["ids"])
    named = [name for name in _SOURCES if name in body]
    for name in named:
        yield from _faults_of_reference(name, body[name])
    for name in named[1:]:
        yield Problem(code="not_applicable", pointer=f"/{name}", message="They come of one source only.")
    if "block" in body:
        yield from _faults_of_block(body)
    if "per_second" in body:
        yield from _faults_of_rate(body)


def _faults_of_ids(ids: Any) -> Iterator[Problem]:
    if not isinstance(ids, list):
        yield Problem(code="type", pointer="/ids", message="Give a list of ids.")
        return
    if len(ids) > MOST_IDS:
        yield Problem(code="length", pointer="/ids", message=f"At most {MOST_IDS} ids at a time.")
        return
    for index, name in enumerate(ids):
        if not isinstance(name, str):
            yield Problem(code="type", pointer=f"/ids/{index}", message="An id is a text.")


def _faults_of_reference(name: str, ref: Any) -> Iterator[Problem]:
    if isinstance(ref, bool) or not isinstance(ref, str | int):
        yield Problem(code="type", pointer=f"/{name}", message="Give a key or an integer id.")
    elif isinstance(ref, str) and not _KEY.fullmatch(ref):
        yield Problem(code="format", pointer=f"/{name}", message="This is neither a key nor an integer id.")
    elif isinstance(ref, int) and not 1 <= ref <= _LARGEST:
        yield Problem(code="range", pointer=f"/{name}", message="An id is a whole number from 1.")
    elif name == "newsletter":
        # There are none in this version.
        yield _unknown(name, ref)


def _faults_of_block(body: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(body["block"], str):
        yield Problem(code="type", pointer="/block", message="Give the key of a block.")
    elif not _KEY.fullmatch(body["block"]):
        yield Problem(code="format", pointer="/block", message="This is no key.")
    if not any(name in body for name in _AUTOMATIONS):
        yield Problem(code="required", pointer="/campaign", message="Say whose block that is.")


def _faults_of_rate(body: Mapping[str, Any]) -> Iterator[Problem]:
    rate = body["per_second"]
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        yield Problem(code="type", pointer="/per_second", message="Give a number.")
    elif rate <= 0:
        yield Problem(code="range", pointer="/per_second", message="It has to be more than none.")
    elif body.get("action") == "delete_drafts":
        yield Problem(code="not_applicable", pointer="/per_second", message="Deleting takes no time.")


def _unknown(kind: str, ref: str | int) -> Problem:
    return Problem(code="unknown_reference", pointer=f"/{kind}", message=f"There is no {kind} {ref!r}.")


__all__ = ["MOST_IDS", "begin"]
