"""How sends and broadcasts are named in Temporal, and what a turn of one answers: all that workflows ever see."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

SEND_AT: Final = "transactional"
"""The kind of `due` row that asks for a transactional send at its instant; its `ref` is the delivery id."""


class SendRef(BaseModel):
    """One delivery that was asked for, by its key in the database; with the trace of its call, where that is recorded."""

    model_config = ConfigDict(frozen=True)

    workspace_id: int
    delivery_id: str
    traceparent: str | None = None


class SendBatch(BaseModel):
    """Deliveries that were asked for at the same time; mostly one."""

    model_config = ConfigDict(frozen=True)

    sends: tuple[SendRef, ...]


class BroadcastRef(BaseModel):
    """One trigger of a broadcast by its key in the database; the workflow keeps nothing else."""

    model_config = ConfigDict(frozen=True)

    workspace_id: int
    broadcast_id: int
    trigger_no: int

    @property
    def workflow_id(self) -> str:
        """The id of the workflow that carries it."""
        return f"broadcast/{self.workspace_id}/{self.broadcast_id}/{self.trigger_no}"


class BroadcastTurn(BaseModel):
    """What a turn came to: `over`, or `more` to do now; else it waits until it is woken. `details` are for operators."""

    model_config = ConfigDict(frozen=True)

    state: str
    over: bool = False
    more: bool = False
    details: str = ""


__all__ = ["SEND_AT", "BroadcastRef", "BroadcastTurn", "SendBatch", "SendRef"]
