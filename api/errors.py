"""The one table from what went wrong to a status and a body, in each dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api import app_errors
from api.app_api import send_errors as sends
from api.limits import note_refused
from api.paths import Dialect, dialect_of
from api.pipelines import answers
from domain.errors import DomainError, InvalidInput, Problem
from domain.pipelines import MessageRefused
from domain.problems import STATUS_OF, pointer_of
from domain.track import CallRefused, Fault
from services.definitions import wire_problem
from services.settling import NotSettled

STATUSES: Final[Mapping[str, int]] = {
    **STATUS_OF,
    "invalid_call": 400,
    "invalid_form": 400,
    "invalid_send": 400,
    "sending_off": 403,
    "channel_off": 403,
    "forbidden_file": 403,
    "attachments_too_large": 413,
    "key_reused": 422,
    "method_not_allowed": 405,
    "too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "internal_error": 500,
    "unavailable": 503,
}
"""The status of every code that is answered."""

TRACK_UNAUTHORIZED: Final = {"meta": {"error": "Unauthorized request"}}
_OF_HTTP: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not take that method."),
}
_TRACK_STATUS: Final[Mapping[str, int]] = {"too_large": 400}
_PIPELINES_STATUS: Final[Mapping[str, int]] = {"too_large": 400, "unsupported_media_type": 400}
_BEARER: Final = {"WWW-Authenticate": "Bearer"}
_BASIC: Final = {"WWW-Authenticate": 'Basic realm="Sojourn Track API"'}


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(value), status, headers=headers, media_type="application/json")


def respond(request: Request, error: DomainError) -> Response:
    """The answer to a refused call, in the dialect of its path."""
    dialect = _dialect(request)
    status = _status_of(error)
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    if dialect is Dialect.MANAGEMENT:
        extra = {"now": error.now, "pending": error.pending} if isinstance(error, NotSettled) else None
        if status == 429:
            return app_errors.refusal(status, app_errors.referenced(error.message), error.code, headers)
        return management(error.problems, status, headers | (_BEARER if status == 401 else {}), extra)
    if dialect is Dialect.SENDS:
        return sends.refusal(error, status, headers)
    if dialect is Dialect.PIPELINES:
        pipelines_faults = error.faults if isinstance(error, MessageRefused) else []
        pipelines_status = _PIPELINES_STATUS.get(error.code, status)
        return answers.refusal(error.code, error.message, pipelines_faults, pipelines_status, headers)
    if status == 401:
        return json_response(TRACK_UNAUTHORIZED, 401, _BASIC)
    if status in (403, 429):
        dialect = Dialect.TRACK_V1
    faults = error.faults if isinstance(error, CallRefused) else [_fault_of(error)]
    return track(dialect, faults, _TRACK_STATUS.get(error.code, status), headers)


def management(
    problems: Sequence[Problem], status: int, headers: Mapping[str, str] | None = None, extra: Any = None
) -> Response:
    """The envelope of the management API, in the words of the App API too (APP-01); `extra` stands beside the errors."""
    body = app_errors.in_both_words([wire_problem(problem) for problem in problems], status)
    return json_response(body | (extra or {}), status, headers)


def track(dialect: Dialect, faults: Sequence[Fault], status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The envelope of the Track API: `meta` with both spellings of the errors in the first version, a list in the second."""
    if dialect is Dialect.TRACK_V2:
        return json_response({"errors": [fault._asdict() for fault in faults]}, status, headers)
    messages = [fault.message for fault in faults]
    return json_response({"meta": {"error": messages[0], "errors": messages}}, status, headers)


def install(app: FastAPI) -> None:
    """Answer every kind of refusal on this application."""
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_malformed_parameter)
    app.add_exception_handler(HTTPException, _on_http_exception)


def _status_of(error: DomainError) -> int:
    """The status of a refusal; several problems that would each have another are something wrong with the content."""
    if not isinstance(error, InvalidInput):
        return STATUSES.get(error.code, 400)
    of_each = {STATUSES.get(problem.code, 422) for problem in error.problems}
    return of_each.pop() if len(of_each) == 1 else 422


def _dialect(request: Request) -> Dialect:
    """The dialect of the path, where the route does not know better."""
    said: Dialect | None = request.scope.get("dialect")
    return said or dialect_of(request.method, request.scope["path"])


def _fault_of(error: DomainError) -> Fault:
    return Fault("too_long" if error.code == "too_large" else "invalid", "", error.message)


async def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError), "registered for these only"
    response = respond(request, error)
    faults = error.faults if isinstance(error, CallRefused | MessageRefused) else [_fault_of(error)]
    await note_refused(request, response.status_code, [fault.message for fault in faults])
    return response


async def _on_malformed_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for these only"
    problems = [
        Problem(code="invalid_parameter", pointer=pointer_of(detail["loc"][1:]), message=_sentence(detail["msg"]))
        for detail in error.errors()
    ]
    if _dialect(request) is Dialect.MANAGEMENT:
        return management(problems, 400)
    return respond(request, DomainError("invalid_parameter", problems[0].message))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for these only"
    code, message = _OF_HTTP.get(error.status_code, ("invalid_parameter", str(error.detail)))
    response = respond(request, DomainError(code, message))
    misspelt = error.status_code == 404 and _dialect(request) is Dialect.SENDS
    response.status_code = 405 if misspelt else error.status_code
    response.headers.update(error.headers or {})
    return response


def _sentence(message: str) -> str:
    return message if message.endswith((".", "!", "?")) else f"{message}."


__all__ = ["STATUSES", "install", "json_response", "management", "respond", "track"]
