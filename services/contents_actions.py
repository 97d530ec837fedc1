"""The messages of campaigns and broadcasts, read and written as the App API has them (APP-04 to APP-06)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel

from domain.blocks import Block, DeliveringBlock, WebhookBlock
from domain.definitions import AutomationDefinition, read_definition
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.values import to_unix
from services import contents_shown as shown
from services import definition_checks as checks
from services.contents_saving import save
from services.contents_shown import Around
from services.contents_written import Writing
from services.definitions import workspace_of
from store import definitions as store
from store.database import Connection, Database
from store.definitions import DefinitionRow

Kind = Literal["campaign", "broadcast"]
PAGE: Final = 10
"""How many actions of a campaign one answer has; those of a broadcast come all at once."""


@dataclass(frozen=True)
class _Action:
    """One block that delivers something, with what stands around it."""

    row: DefinitionRow
    key: str
    number: int
    block: DeliveringBlock
    around: Around

    @property
    def content(self) -> BaseModel | None:
        """What its message says; None for a webhook, and for what says nothing."""
        content = getattr(self.block, "message", None)
        return content if isinstance(content, BaseModel) else None


async def page(db: Database, workspace_id: int, ref: str | int, *, start: str | None) -> dict[str, Any]:
    """The next ten messages and webhooks of a campaign by their id; `next` is empty after the last. Raises NotFound."""
    after = _cursor(start)
    async with db.connection() as conn:
        found = [action for action in await _actions(conn, workspace_id, "campaign", ref) if action.number > after]
    listed = found[:PAGE]
    return {
        "actions": [_shown(action, None) for action in listed],
        "next": str(listed[-1].number) if len(found) > PAGE else "",
    }


async def listed(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """Every message and webhook of a broadcast by its id; raises NotFound."""
    async with db.connection() as conn:
        return {"actions": [_shown(one, None) for one in await _actions(conn, workspace_id, "broadcast", ref)]}


async def one(
    db: Database, workspace_id: int, kind: Kind, ref: str | int, number: int, *, language: str | None = None
) -> dict[str, Any]:
    """One of them in a language (None: the default); raises NotFound, and `invalid_parameter` for another language."""
    async with db.connection() as conn:
        action = _of_number(await _actions(conn, workspace_id, kind, ref), number)
    return {"action": _shown(action, language)}


async def change(
    db: Database,
    workspace_id: int,
    kind: Kind,
    ref: str | int,
    number: int,
    *,
    body: Any,
    language: str | None = None,
    real_now: datetime,
) -> dict[str, Any]:
    """Write the fields that can be written, an edit of the document like any other; answers with what is said then.

    Raises NotFound, DomainError `locked` for what is archived, InvalidInput with pointers into the request.
    """
    if not isinstance(body, dict):
        raise InvalidInput([Problem(code="type", message="Give an object.")])
    async with db.transaction() as conn:
        await store.lock(conn, workspace_id)
        workspace = await workspace_of(conn, workspace_id)
        rows = await store.load_all(conn, workspace_id)
        action = _of_number(_found(rows, kind, ref), number)
        document = copy.deepcopy(action.row.document)
        writing = _written(action, document["workflow"]["blocks"][action.key], body, language)
        row = await save(conn, workspace, rows, document, writing, real_now=real_now)
        library = checks.library_of([row if r.kind == kind and r.key == row.key else r for r in rows])
        return {"action": _shown(_of_number(_actions_of(row, Around(library)), number), language)}


def _written(action: _Action, raw: dict[str, Any], body: dict[str, Any], language: str | None) -> Writing:
    at = ("workflow", "blocks", action.key)
    code = _code(action, language)
    seen = _shown(action, language)
    if isinstance(action.block, WebhookBlock):
        writing = Writing(action.block.type, (*at, "request"), raw["request"], seen, action.around)
        writing.request(body)
    else:
        said = raw.get("message") or {}
        writing = Writing(action.block.type, (*at, "message"), said, seen, action.around, code)
        writing.message(body)
        if said:
            raw["message"] = said
    if "sending_state" in body and code is None:
        raw["sending_state"] = body["sending_state"]
        writing.places[f"/workflow/blocks/{action.key}/sending_state"] = "/sending_state"
    told = body.get("send_to_unsubscribed")
    if action.block.type == "whatsapp" and isinstance(told, bool) and told != seen["send_to_unsubscribed"]:
        raw["subscription"] = "everyone" if told else "inherit"
    return writing


def _shown(action: _Action, language: str | None) -> dict[str, Any]:
    row, block = action.row, action.block
    code = _code(action, language)
    updated = to_unix(row.updated_at)
    names = {
        "id": action.number,
        f"{row.kind}_id": row.definition_id,
        "key": action.key,
        "name": block.name or "",
        "sending_state": block.sending_state,
        "created": to_unix(row.created_at),
        "updated": updated,
        "deduplicate_id": f"{action.number}:{updated}",
    }
    if isinstance(block, WebhookBlock):
        return names | shown.request(block, action.around)
    content = action.content
    if code is not None and content is not None:
        content = getattr(content, "variants")[code.casefold()][1]  # noqa: B009 - only translated contents have any
    said = shown.message(block.type, content, code or "", action.around)
    if block.type == "whatsapp":
        said |= {
            "send_to_unsubscribed": getattr(block, "subscription", "inherit") == "everyone",
            "tracked": bool(getattr(content, "link_tracking", False)),
        }
    return names | said


def _code(action: _Action, language: str | None) -> str | None:
    """The code of the variant that a path names as it is written in the document; None for the default."""
    return code_of(action.content, language)


def code_of(content: BaseModel | None, language: str | None) -> str | None:
    """The code of a variant, whatever its case, as it is written in the document; None for the default.

    Raises DomainError `invalid_parameter` where there is no such variant.
    """
    if not language:
        return None
    variants = getattr(content, "variants", None) or {}
    if language.casefold() not in variants:
        raise DomainError("invalid_parameter", f"The message has no variant in the language '{language}'.")
    code: str = variants[language.casefold()][0]
    return code


async def _actions(conn: Connection, workspace_id: int, kind: Kind, ref: str | int) -> list[_Action]:
    return _found(await store.load_all(conn, workspace_id), kind, ref)


def _found(rows: Sequence[DefinitionRow], kind: Kind, ref: str | int) -> list[_Action]:
    row = next((row for row in rows if row.kind == kind and ref in (row.key, row.definition_id)), None)
    if row is None:
        raise NotFound(kind, ref)
    return _actions_of(row, Around(checks.library_of(rows)))


def _actions_of(row: DefinitionRow, around: Around) -> list[_Action]:
    definition, _ = read_definition(row.document)
    blocks: dict[str, Block] = {}
    if isinstance(definition, AutomationDefinition):
        blocks = dict(definition.workflow.blocks)
    found = [
        _Action(row, key, row.actions[key], block, around)
        for key, block in blocks.items()
        if isinstance(block, DeliveringBlock) and key in row.actions
    ]
    return sorted(found, key=lambda action: action.number)


def _of_number(actions: Sequence[_Action], number: int) -> _Action:
    found = next((action for action in actions if action.number == number), None)
    if found is None:
        raise NotFound("action", number)
    return found


def _cursor(start: str | None) -> int:
    if not start:
        return 0
    if not (start.isascii() and start.isdecimal() and len(start) <= 10):
        raise DomainError("invalid_parameter", "`start` is the `next` of the page before.", "/start")
    return int(start)


__all__ = ["PAGE", "Kind", "change", "code_of", "listed", "one", "page"]
