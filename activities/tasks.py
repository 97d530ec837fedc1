"""Working on long tasks: pages in PostgreSQL for some seconds, then word of how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.beating import beating
from domain.task_steps import TaskProgress, TaskRef

if TYPE_CHECKING:  # workers that only plan load nothing of files
    from services.long_tasks import LongTasks


class TaskActivities:
    """The working activity with what it needs."""

    def __init__(self, tasks: LongTasks) -> None:
        self._tasks = tasks

    @activity.defn(name="run_task")
    async def run_task(self, call: TaskRef) -> TaskProgress:
        """Do pages of the task until it is over, some seconds have passed, or the worker is to end."""
        async with beating():
            return await self._tasks.run(call, activity.is_worker_shutdown)


__all__ = ["TaskActivities"]
