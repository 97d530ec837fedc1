"""Which private addresses definitions may name: those the deployment allows, and those a sandbox lets pass (ACT-29)."""

from __future__ import annotations

from collections.abc import Callable

from domain.captured import FaultRule
from store.database import Connection
from store.reads import mailbox
from store.workspaces import WorkspaceRow

Allowed = Callable[[str], bool]
"""Whether an address may be named although it is private."""


class _Deployment:
    """What the process that serves definitions was told by its settings."""

    allowed = False


def configure(*, allowed: bool) -> None:
    """Say once, where the process is put together, whether private addresses may be called in this deployment."""
    _Deployment.allowed = allowed


def nowhere(_url: str) -> bool:
    """No address but where the deployment allows all."""
    return _Deployment.allowed


def saved(_url: str) -> bool:
    """Every address, of a document that was looked at when it was saved."""
    return True


async def allowed_in(conn: Connection, workspace: WorkspaceRow) -> Allowed:
    """The addresses of one workspace: in a sandbox those that a fault rule has really called are reachable."""
    if _Deployment.allowed or not workspace.sandbox:
        return nowhere
    rules = [FaultRule.model_validate(rule) for rule, _ in await mailbox.faults(conn, workspace.workspace_id)]
    passing = [rule for rule in rules if rule.outcome == "pass_through"]
    return lambda url: any(rule.fits_call(url, rule.channel) for rule in passing)


__all__ = ["Allowed", "allowed_in", "configure", "nowhere", "saved"]
