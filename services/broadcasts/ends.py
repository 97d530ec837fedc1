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
    count = await broadcast_triggers.count_open(conn, row.workspace_id, row.definition_id)
    if count:
        several = "trigger of the broadcast is" if count == 1 else "triggers of the broadcast are"
        message = f"{count} {several} not over: wait until the messages are made, or cancel."
        raise DomainError("invalid_state", message)
    payload = {"campaign_id": row.definition_id}
    return await tasks.create(conn, row.workspace_id, "delete_drafts", payload, now=now, priority="high")


__all__ = ["end"]
