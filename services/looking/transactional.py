"""Transactional messages in the vendor's shape (APP-08)."""

from __future__ import annotations

from typing import Any, Final

from domain.definitions import read_definition
from domain.definitions.transactional import UNCATEGORIZED, TransactionalDefinition
from domain.errors import NotFound
from domain.values import to_unix
from services.looking.sources import TRANSACTIONAL
from services.transactional.automation import UNCATEGORIZED_NAME
from store import definitions, workspaces
from store.database import Connection, Database
from store.definitions import DefinitionRow
from store.reads import messages as reads
from store.reads.messages import MessageFilter

_SENT_SO: Final = MessageFilter(transactional_id=UNCATEGORIZED)


async def list_all(db: Database, workspace_id: int) -> dict[str, Any]:
    """Every transactional message, oldest first; what is sent without one comes first, as soon as something was."""
    async with db.connection() as conn:
        rows = [row for row in await definitions.load_all(conn, workspace_id) if row.kind == TRANSACTIONAL]
        used = await reads.page(conn, workspace_id, _SENT_SO, before=None, limit=1)
        without = [await _uncategorized(conn, workspace_id)] if used else []
    return {"messages": [*without, *(message for row in rows if (message := _shown(row)) is not None)]}


async def one(db: Database, workspace_id: int, ref: str | int) -> dict[str, Any]:
    """One transactional message; that of sends without a template is always there. Raises NotFound."""
    async with db.connection() as conn:
        if ref == UNCATEGORIZED:
            return {"message": await _uncategorized(conn, workspace_id)}
        row = await definitions.get(conn, workspace_id, TRANSACTIONAL, ref)
    message = None if row is None else _shown(row)
    if message is None:
        raise NotFound("transactional message", ref)
    return {"message": message}


def _shown(row: DefinitionRow) -> dict[str, Any] | None:
    definition, _ = read_definition(row.document)
    if not isinstance(definition, TransactionalDefinition):
        return None
    content = definition.content
    return {
        "id": row.definition_id,
        "key": row.key,
        "name": row.name,
        "description": definition.description or "",
        "channel": definition.channel,
        "trigger_name": definition.trigger_name or row.key,
        "created_at": to_unix(row.created_at),
        "updated_at": to_unix(row.updated_at),
        "send_to_unsubscribed": definition.send_to_unsubscribed,
        "link_tracking": bool(getattr(content, "link_tracking", True)),
        "open_tracking": bool(getattr(content, "open_tracking", definition.channel == "email")),
        "hide_message_body": definition.hide_message_body,
        "queue_drafts": definition.queue_drafts,
    }


async def _uncategorized(conn: Connection, workspace_id: int) -> dict[str, Any]:
    workspace = await workspaces.details(conn, workspace_id)
    if workspace is None:
        raise NotFound("workspace", workspace_id)
    begun = to_unix(workspace.created_at)
    return {
        "id": UNCATEGORIZED,
        "key": None,
        "name": UNCATEGORIZED_NAME,
        "description": "What is sent without a template.",
        "channel": None,
        "trigger_name": None,
        "created_at": begun,
        "updated_at": begun,
        "send_to_unsubscribed": True,
        "link_tracking": True,
        "open_tracking": True,
        "hide_message_body": False,
        "queue_drafts": False,
    }


__all__ = ["list_all", "one"]
