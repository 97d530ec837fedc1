"""What follows when a layout says something else: the drafts that it stands around are rendered again (MSG-16)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from domain.blocks import MessageBlock
from domain.content import EmailMessage
from domain.definitions import AutomationDefinition, LayoutDefinition, TransactionalDefinition, read_definition
from services import tasks
from store import definitions as store
from store import drafts
from store.database import Connection
from store.definitions import DefinitionRow

KIND: Final = "transactional"


async def follow(conn: Connection, before: DefinitionRow | None, row: DefinitionRow, now: datetime) -> None:
    """Have those drafts rendered again that stand in the layout of this row, or have stood in it until now.

    `before` is the row as it was; of anything but a layout nothing follows.
    """
    if before is None or row.kind != "layout":
        return
    known, after = read_definition(before.document)[0], read_definition(row.document)[0]
    if not isinstance(known, LayoutDefinition) or not isinstance(after, LayoutDefinition):
        return
    if _shown(known) == _shown(after):
        return
    names: frozenset[str | int] = frozenset((row.key, row.definition_id))
    usual = known.default or after.default
    for other in await store.load_all(conn, row.workspace_id):
        payload = _stands_in(other, names, usual=usual)
        if payload is None:
            continue
        count = await drafts.count(conn, row.workspace_id, drafts.Chosen(**payload))
        if count:
            await tasks.create(conn, row.workspace_id, "rerender_drafts", payload, total=count, now=now)


def _shown(layout: LayoutDefinition) -> tuple[str, str, bool]:
    return layout.name, layout.body, layout.default


def _stands_in(row: DefinitionRow, names: Collection[str | int], *, usual: bool) -> dict[str, Any] | None:
    """Which drafts of a document stand in the layout of these names, or (`usual`) in whatever is the default; None for none."""
    if row.kind == KIND:
        definition, _ = read_definition(row.document)
        content = definition.content if isinstance(definition, TransactionalDefinition) else None
        return {"transactional_id": row.definition_id} if _is_in(content, names, usual=usual) else None
    automation = read_definition(row.document)[0] if row.first_started is not None else None
    if not isinstance(automation, AutomationDefinition):
        return None
    actions = [
        row.actions[key]
        for key, block in automation.workflow.blocks.items()
        if isinstance(block, MessageBlock) and any(_is_in(arm.content, names, usual=usual) for arm in block.arms)
    ]
    return {"campaign_id": row.definition_id, "action_ids": actions} if actions else None


def _is_in(content: object, names: Collection[str | int], *, usual: bool) -> bool:
    if not isinstance(content, EmailMessage):
        return False
    return content.layout_reference in names or (usual and content.uses_workspace_layout)


__all__ = ["follow"]
