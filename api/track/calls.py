"""What all Track endpoints do: find out who calls, accept operations, answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request, Response

from api.deps import parts, track_caller
from clock import system_now
from domain.track import Call, Rules

logger = logging.getLogger("sojourn.api.track")

DONE: Final = b"{}"


class Incoming:
    """One Track call from an accepted caller."""

    def __init__(self, request: Request, workspace_id: int, source: str, rules: Rules) -> None:
        self._request = request
        self._workspace_id = workspace_id
        self._source = source
        self.rules = rules

    @classmethod
    async def of(cls, request: Request) -> Incoming:
        """The call; raises DomainError `unauthorized` before anything of it is read."""
        inside = await track_caller(request)
        rules = await parts(request).access.rules(inside.caller)
        return cls(request, inside.workspace_id, f"Track API: {inside.caller.name}", rules)

    async def accept(self, calls: Sequence[Call]) -> None:
        """Return once the operations are committed, in this order."""
        ignored = sorted({name for call in calls for name in call.ignored})
        if ignored:
            logger.info("Accepted without effect: %s.", ", ".join(ignored), extra={"workspace": self._workspace_id})
        acceptor = parts(self._request).acceptor
        await acceptor.append(self._workspace_id, [call.operation for call in calls], self._source, system_now())


def done() -> Response:
    """The answer to every accepted call: exactly 200 with an empty object, which all client libraries take."""
    return Response(DONE, media_type="application/json")


def described(*contents: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """What the API description adds to a Track route: the credential, and the body by media type."""
    content = {media: {"schema": schema} for media, schema in contents}
    return {"security": [{"TrackPair": []}], "requestBody": {"required": True, "content": content}}


__all__ = ["Incoming", "described", "done"]
