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
    412: "The definition is at another revision than the header demands, or is there already.",
    413: "The body is too large.",
    415: "The body is not of a kind that is taken here.",
    422: "Every problem found in the request, not only the first.",
    503: "The database is away; try again.",
}
_WHERE: Final = ("status", "definitions")
"""Below what an answer has statuses."""
USUAL: Final = (400, 401, 403, 503)


def located(answer: Any, base_url: str) -> Any:
    """An answer in which the URLs of webhook campaigns say where we are reached: they stand in statuses as paths."""
    if isinstance(answer, list):
        return [located(one, base_url) for one in answer]
    if not isinstance(answer, dict):
        return answer
    found = {name: located(answer[name], base_url) for name in _WHERE if name in answer}
    if "webhook_url" in answer:
        found["webhook_url"] = f"{base_url}{answer['webhook_url']}"
    return {**answer, **found}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The usual error answers and these."""
    return {status: {"model": Errors, "description": _SAID[status]} for status in sorted({*USUAL, *statuses})}


__all__ = ["errors", "located"]
