"""What a page of long work is given and what it comes to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from store.database import Connection, Database
from store.notify import Channel
from store.tasks import TaskRow
from store.workspaces import WorkspaceRow


class Moment(NamedTuple):
    """The present: the workspace's instant and the real one."""

    now: datetime
    real_now: datetime


@dataclass(frozen=True, slots=True)
class Around:
    """What work between two transactions has at hand."""

    db: Database
    workspace: WorkspaceRow
    clock: Callable[[], datetime]
    allow_private_urls: bool


@dataclass(frozen=True, slots=True)
class LongPage:
    """What a page came to; it has moved the task's cursor and counts itself.

    `queued`: it may not begin yet. `idle`: nothing could be done now, others work for it. `told` are to hear of the commit. `outside` is done after the
    commit, without a transaction, and before the next page.
    """

    state: Literal["queued", "running", "succeeded", "failed", "cancelled"] = "running"
    idle: bool = False
    told: tuple[Channel, ...] = ()
    outside: Callable[[Around], Awaitable[None]] | None = None


Ended = Callable[[Connection, TaskRow, str, datetime], Awaitable[None]]

__all__ = ["Around", "Ended", "LongPage", "Moment"]
