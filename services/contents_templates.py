"""What transactional messages say, in each of their languages, read and written as the App API has it (APP-08)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

from domain.definitions import TransactionalDefinition, read_definition
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from domain.values import to_unix
from services import contents_shown as shown
from services import definition_checks as checks
from services.contents_actions import code_of
from services.contents_saving import save
from services.contents_shown import Around
from services.contents_written import Writing
from services.definitions import workspace_of
from store import content_ids
from store import definitions as store
from store.content_ids import DEFAULT
from store.database import Connection, Database
from store.definitions import DefinitionRow

KIND: Final = "transactional"


@dataclass(frozen=True)
class _Template:
    """A transactional message that says something, with what stands around it."""

    row: DefinitionRow
    channel: str
    content: BaseModel
    around: Around

    @property
    def codes(self) -> list[str | None]:
        """Its languages, the default first."""
        return [None, *(code for code, _ in (getattr(self.content, "variants", None) or {}).values())]


async def listed(db: Database, workspace_id: int, ref: str | int, real_now: datetime) -> dict[str, Any]:
    """Everything that a message says, the default first; nothing where every call brings its own. Raises NotFound."""
    async with db.transaction() as conn:
        now = (await workspace_of(conn, workspace_id)).now(real_now)
        row, template = _found(await store.load_all(conn, workspace_id), ref)
        if template is None:
            return {"contents": []}
        assert row is not None, "it is the template's"
        return {"contents": [await _shown(conn, template, code, now) for code in template.codes]}


async def one(db: Database, workspace_id: int, ref: str | int, content: int, real_now: datetime) -> dict[str, Any]:
    """One of them by its number; raises NotFound, and `invalid_parameter` for the number of another message's."""
    async with db.transaction() as conn:
        now = (await workspace_of(conn, workspace_id)).now(real_now)
        template = _saying(await store.load_all(conn, workspace_id), ref, content)
        code = await _code(conn, template, content)
        return {"content": await _shown(conn, template, code, now)}


async def in_language(
    db: Database, workspace_id: int, ref: str | int, language: str | None, real_now: datetime
) -> dict[str, Any]:
    """What is said in a language (None: the default), a list of one; raises NotFound, `invalid_parameter`."""
    async with db.transaction() as conn:
        now = (await workspace_of(conn, workspace_id)).now(real_now)
        template = _saying(await store.load_all(conn, workspace_id), ref, language or "default")
        code = code_of(template.content, language)
        return {"content": [await _shown(conn, template, code, now)]}


async def change(
    db: Database,
    workspace_id: int,
    ref: str | int,
    body: Any,
    *,
    content: int | None = None,
    language: str | None = None,
    real_now: datetime,
) -> dict[str, Any]:
    """Write the fields that can be written, by the number of the content or by its language; raises as a read does.

    Also raises InvalidInput, with pointers into the request.
    """
    if not isinstance(body, dict):
        raise InvalidInput([Problem(code="type", message="Give an object.")])
    async with db.transaction() as conn:
        await store.lock(conn, workspace_id)
        workspace = await workspace_of(conn, workspace_id)
        now = workspace.now(real_now)
        rows = await store.load_all(conn, workspace_id)
        template = _saying(rows, ref, content or language or "default")
        code = code_of(template.content, language)
        if content is not None:
            code = await _code(conn, template, content)
        document = copy.deepcopy(template.row.document)
        said = shown.message(template.channel, _said(template, code), code or "", template.around)
        writing = Writing(template.channel, ("message",), document["message"], said, template.around, code)
        writing.message(body)
        row = await save(conn, workspace, rows, document, writing, real_now=real_now)
        changed = [row if one.kind == KIND and one.key == row.key else one for one in rows]
        return {"content": await _shown(conn, _saying(changed, ref, ""), code, now)}


async def _code(conn: Connection, template: _Template, number: int) -> str | None:
    """The language of a content by its number."""
    row = template.row
    owner = await content_ids.owner_of(conn, row.workspace_id, number)
    if owner is None:
        raise NotFound("content", number)
    if (owner.owner, owner.owner_id) != (KIND, row.definition_id):
        raise DomainError("invalid_parameter", f"The content {number} is another message's.")
    if owner.language == DEFAULT:
        return None
    variants = getattr(template.content, "variants", None) or {}
    if owner.language not in variants:
        raise NotFound("content", number)
    code: str = variants[owner.language][0]
    return code


def _said(template: _Template, code: str | None) -> BaseModel:
    content: BaseModel = template.content
    if code is not None:
        content = getattr(content, "variants")[code.casefold()][1]  # noqa: B009 - only translated contents have any
    return content


async def _shown(conn: Connection, template: _Template, code: str | None, now: datetime) -> dict[str, Any]:
    row = template.row
    number = await content_ids.content_id(conn, row.workspace_id, KIND, row.definition_id, language=code, now=now)
    updated = to_unix(row.updated_at)
    return {
        "id": number,
        "name": row.name,
        "created": to_unix(row.created_at),
        "updated": updated,
        "deduplicate_id": f"{number}:{updated}",
        **shown.message(template.channel, _said(template, code), code or "", template.around),
    }


def _found(rows: Sequence[DefinitionRow], ref: str | int) -> tuple[DefinitionRow, _Template | None]:
    row = next((row for row in rows if row.kind == KIND and ref in (row.key, row.definition_id)), None)
    if row is None:
        raise NotFound(KIND, ref)
    definition, _ = read_definition(row.document)
    if not isinstance(definition, TransactionalDefinition) or definition.content is None:
        return row, None
    return row, _Template(row, definition.channel, definition.content, Around(checks.library_of(rows)))


def _saying(rows: Sequence[DefinitionRow], ref: str | int, content: str | int) -> _Template:
    """The message, where it says something."""
    _, template = _found(rows, ref)
    if template is None:
        raise NotFound("content", content)
    return template


__all__ = ["KIND", "change", "in_language", "listed", "one"]
