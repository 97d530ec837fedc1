"""The error answers of management routes, for the API description."""

from __future__ import annotations

from typing import Any, Final

from api.management.schemas import Errors

_SAID: Final[dict[int, str]] = {
    400: "Not JSON or YAML, or a malformed parameter.",
    401: "Missing or unknown credential.",
    403: "The key lacks the scope.",
    404: "No such thing in this workspace.",
    409: "The state of things forbids this.",
    413: "The body is too large.",
    415: "The body is not of a kind that is taken here.",
    422: "Every problem found in the request, not only the first.",
    503: "The database is away; try again.",
}
USUAL: Final = (400, 401, 403, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The usual error answers and these."""
    return {status: {"model": Errors, "description": _SAID[status]} for status in sorted({*USUAL, *statuses})}


__all__ = ["errors"]
