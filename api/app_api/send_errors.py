"""How transactional calls are refused: one sentence in `meta.error`, which is all that the vendor's clients read (CHN-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Response
from pydantic import Field

from api.management.schemas import Answer
from domain.errors import DomainError
from domain.sending.refusals import SendRefused

UNAUTHORIZED: Final = "Invalid App API key."
_ITS_OWN: Final[Mapping[str, int]] = {"forbidden_address": 401}
"""Codes that are answered with another status than elsewhere."""
_BEARER: Final = {"WWW-Authenticate": "Bearer"}
_SAID: Final[Mapping[int, str]] = {
    400: "Something in the call is wrong; `meta.field` says what, where it is one field.",
    401: "An unknown App API key, or a caller whose address is not allowed.",
    403: "The workspace or its channel does not send, an attachment is forbidden, or the key lacks the scope.",
    404: "There is no such workspace.",
    405: "There is no such endpoint, or it does not take the method.",
    413: "The attachments, or the whole call, are too large.",
    415: "The body is compressed in a way that is not taken here.",
    422: "The Idempotency-Key was used before with another request.",
    429: "Too many calls; `Retry-After` says when to call again.",
    503: "The database is away; nothing was sent, so try again.",
}


class SendProblem(Answer):
    """What is wrong with a transactional call."""

    error: str
    field: str | None = Field(None, description="The field that is wrong, where it is one.")


class SendErrors(Answer):
    """A refused transactional call."""

    meta: SendProblem


def refusal(error: DomainError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a refused call."""
    status = _ITS_OWN.get(error.code, status)
    problem: dict[str, Any] = {"error": UNAUTHORIZED if error.code == "unauthorized" else error.message}
    if isinstance(error, SendRefused) and error.field:
        problem["field"] = error.field
    sent = {**(headers or {}), **(_BEARER if status == 401 else {})}
    return Response(orjson.dumps({"meta": problem}), status, headers=sent, media_type="application/json")


def errors() -> dict[int | str, dict[str, Any]]:
    """Every refusal of a transactional call, for the API description."""
    return {status: {"model": SendErrors, "description": said} for status, said in _SAID.items()}


__all__ = ["UNAUTHORIZED", "SendErrors", "SendProblem", "errors", "refusal"]
