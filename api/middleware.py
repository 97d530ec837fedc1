"""What surrounds every call: the raw path is what is routed, an id for the log, a count, a last resort."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
from typing import Any, Final

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import counts
from api.errors import respond
from api.paths import MAX_PATH, dialect_of, normalised
from domain.errors import DomainError
from observability import bound
from store.failures import is_unavailable
from telemetry import tracing

logger = logging.getLogger("sojourn.api")

_GIVEN_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_LOOKS: Final = ("/v1/health/", "/metrics")
_UNAVAILABLE = "The service cannot take calls at the moment; try again."


class Front:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = normalised(scope["raw_path"].decode("latin-1"))
        call = _Call(send, self._id_of(scope))
        clock = asyncio.get_running_loop().time
        began = clock()
        with bound(request=call.id), _span(scope, call.id) as span:
            try:
                await self._answer(scope, receive, call)
            finally:
                _note(scope, call.status, clock() - began)
                if span.recorded:
                    _tell(span, scope, call.status)

    async def _answer(self, scope: Scope, receive: Receive, call: _Call) -> None:
        request = Request(scope)
        try:
            if len(scope["path"]) > MAX_PATH:
                raise DomainError("invalid_parameter", f"The path is longer than {MAX_PATH} characters.")
            if b"%00" in scope["query_string"]:
                raise DomainError("invalid_parameter", "The query must not contain the character U+0000.")
            await self._app(scope, receive, call.send)
        except ClientDisconnect:
            logger.debug("The caller went away before its call was read.")
        except DomainError as error:
            await respond(request, error)(scope, receive, call.send)
        except Exception as error:
            if call.status:
                raise
            refusal = self._last_resort(error)
            await respond(request, refusal)(scope, receive, call.send)

    def _last_resort(self, error: Exception) -> DomainError:
        """What the caller is told of a failure of ours: nothing but a word to look for in the log."""
        if is_unavailable(error):
            logger.warning("A call was refused: the database is away (%s).", type(error).__name__)
            return DomainError("unavailable", _UNAVAILABLE)
        error_id = secrets.token_hex(8)
        logger.error("A call failed.", exc_info=error, extra={"error_id": error_id})
        return DomainError("internal_error", f"Something went wrong on our side; the log calls it {error_id}.")

    def _id_of(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _GIVEN_ID.fullmatch(value):
                return str(value.decode("ascii"))
        return f"{self._prefix}-{next(self._numbers)}"


def _span(scope: Scope, request: str) -> tracing.Span:
    """What is recorded of a call; of those that only look whether the process is well, nothing."""
    if not tracing.on() or scope["path"].startswith(_LOOKS):
        return tracing.NOTHING
    return tracing.call(scope["headers"], scope["method"], method=scope["method"], request=request)


def _tell(span: tracing.Span, scope: Scope, status: int) -> None:
    """Name the span of a call by its route: paths hold the names of people."""
    route = getattr(scope.get("route"), "path", None)
    dialect = dialect_of(scope["method"], scope["path"]).value
    span.rename(f"{scope['method']} {route or dialect}")
    span.note(route=route, status=status, dialect=dialect)
    if status >= 500:
        span.fail(str(status))


def _note(scope: Scope, status: int, seconds: float) -> None:
    method, path = scope["method"], scope["path"]
    counts.count(dialect_of(method, path).value, method, status, seconds)
    level = logging.DEBUG if status < 400 else logging.INFO if status < 500 else logging.WARNING
    if logger.isEnabledFor(level):
        route = getattr(scope.get("route"), "path", None)
        facts: dict[str, Any] = {"method": method, "route": route, "status": status, "ms": round(seconds * 1e3, 1)}
        logger.log(level, "%s %s", method, status, extra=facts)


class _Call:
    """One call's way out: knows its status, and puts the id on the answer."""

    def __init__(self, send: Send, identity: str) -> None:
        self._send = send
        self.id = identity
        self.status = 0

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message.setdefault("headers", [])
            message["headers"] = [*message["headers"], (b"x-request-id", self.id.encode())]
        await self._send(message)


__all__ = ["Front"]
