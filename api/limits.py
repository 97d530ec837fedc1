"""What holds for every call whose caller is known: from where, how many, and a note of those that are refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from fastapi import Request

from api.paths import decoded
from clock import system_now
from domain.errors import DomainError
from services import allowed_ips
from services.access import Caller
from services.rates import RateClass

if TYPE_CHECKING:
    from api.deps import Parts

logger = logging.getLogger("sojourn.api")

NOTED: Final = frozenset({207, 400, 413, 415, 422})
"""Refusals that the Data In log keeps: the caller's mistakes. Too many calls, or calls from elsewhere, write nothing."""


async def admit(request: Request, caller: Caller, kind: RateClass, source: str | None = None) -> None:
    """Let a call of a workspace's key pass, or refuse it (`forbidden_address`, `rate_limited`).

    `source` is what the Data In log calls the caller, where it keeps their refused calls.
    """
    if caller.workspace_id is None:
        return
    allowed_ips.check(caller.allowed_ips, request.client.host if request.client else None)
    rates = _parts(request).rates
    if rates is not None and not caller.sandbox:
        await rates.take(caller.workspace_id, kind)
    if source is not None:
        request.state.caller = (caller.workspace_id, source)


def app_class(request: Request) -> RateClass:
    """The class of a call with an App key."""
    return "sends" if request.scope["path"].startswith("/v1/send/") else "app"


async def note_refused(request: Request, status: int, errors: Sequence[str]) -> None:
    """Keep a refused call for the Data In log, where its caller is known and it is of those that are kept."""
    known: tuple[int, str] | None = getattr(request.state, "caller", None)
    rejections = _parts(request).rejections
    if known is None or rejections is None or status not in NOTED:
        return
    workspace_id, source = known
    await rejections.note(
        workspace_id,
        source=source,
        path=_path(request),
        status=status,
        errors=errors,
        body=getattr(request.state, "body", b""),
        at=system_now(),
    )


async def note_faults(request: Request, status: int, faults: Sequence[Mapping[str, object]]) -> None:
    """The same for faults listed by field, of a batch that was taken in part."""
    await note_refused(request, status, [str(fault["message"]) for fault in faults])


def _path(request: Request) -> str:
    try:
        return decoded(request.scope["path"])
    except DomainError:
        return str(request.scope["path"])


def _parts(request: Request) -> Parts:
    found: Parts = request.app.state.parts
    return found


__all__ = ["NOTED", "admit", "app_class", "note_faults", "note_refused"]
