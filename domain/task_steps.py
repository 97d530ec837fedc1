"""How a task that a workflow carries is named, and what running it for a while answers: all that the workflow sees."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TaskRef(BaseModel):
    """One task by its key in the database; the workflow keeps nothing else."""

    model_config = ConfigDict(frozen=True)

    workspace_id: int
    task_id: str

    @property
    def workflow_id(self) -> str:
        """The id of the workflow that carries it."""
        return f"task/{self.workspace_id}/{self.task_id}"


class TaskProgress(BaseModel):
    """How far a task is; it is over in any `state` but queued and running. `details` are for the operator's view."""

    model_config = ConfigDict(frozen=True)

    state: str
    done: int = 0
    total: int | None = None
    details: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.state not in ("queued", "running")


__all__ = ["TaskProgress", "TaskRef"]
