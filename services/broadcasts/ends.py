"""What is left of a broadcast that goes: triggers that are not over forbid it, drafts go with it (CHN-15)."""

from __future__ import annotations

from datetime import datetime

from domain.errors import DomainError
from services import tasks
from store import broadcast_triggers
from store.database import Connection
from store.definitions import DefinitionRow


async def end(conn: Connection, row: DefinitionRow, now: datetime) -> str:
    """Have its drafts deleted; returns the task. Raises DomainError `invalid_state` while triggers are not over.

    The caller has changed or deleted the broadcast's row, which whoever triggers holds to the end of the transaction: so
    nobody is overlooked.
    """
    message = await busy(conn, row)
    if message is not None:
        raise DomainError("invalid_state", message)
    payload = {"campaign_id": row.definition_id}
    return await tasks.create(conn, row.workspace_id, "delete_drafts", payload, now=now, priority="high")


async def busy(conn: Connection, row: DefinitionRow) -> str | None:
    """What forbids a broadcast to go now, None where nothing does."""
    count = await broadcast_triggers.count_open(conn, row.workspace_id, row.definition_id)
    if not count:
        return None
    several = "trigger of the broadcast" if count == 1 else "triggers of the broadcast"
    is_or_are = "is" if count == 1 else "are"
    return f"{count} {several} '{row.key}' {is_or_are} not over: wait until the messages are made, or cancel."


__all__ = ["busy", "end"]
