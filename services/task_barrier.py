"""When a task that goes by definitions may begin: nobody writes by older ones any more."""

from __future__ import annotations

from store import tasks as store
from store.database import Connection
from store.tasks import TaskRow

_BARRIER = "barrier"


async def passed(conn: Connection, task: TaskRow) -> bool:
    """Whether the task may work; the caller holds its row and saves it.

    A transaction that read the definitions as they were before the task was created may still write by them. Those
    have their number before the barrier, which is taken once the task is there for all to see; when none of them is
    left, everything the task then finds is by the new definitions.
    """
    barrier = task.payload.get(_BARRIER)
    if barrier is None:
        task.payload = {**task.payload, _BARRIER: await store.own_number(conn)}
        return False
    return task.state == "running" or await store.oldest_running(conn) >= barrier


def taken(task: TaskRow) -> bool:
    """Whether the task has its barrier, so that it waits for others and not for itself."""
    return _BARRIER in task.payload


__all__ = ["passed", "taken"]
