"""What an operator hears of a process: log lines as JSON with ids, and whether it is well."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from telemetry import tracing

_IDS: ContextVar[dict[str, object]] = ContextVar("sojourn_log_ids", default={})  # noqa: B039 - never changed in place
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
REQUEST_LIMIT = 10.0


@contextlib.contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Put ids on every log line of the block, the tasks that it starts included."""
    token = _IDS.set({**_IDS.get(), **{name: value for name, value in ids.items() if value is not None}})
    try:
        yield
    finally:
        _IDS.reset(token)


class JsonFormatter(logging.Formatter):
    """One line of JSON per record: when, level, logger, message, the bound ids, the trace, the record's own extras, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_IDS.get(),
        }
        if (trace := tracing.trace_id()) is not None:
            line["trace_id"] = trace
        line |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def configure(level: str) -> None:
    """Log everything of this process from `level` up as JSON lines on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("sojourn").setLevel(level.upper())
    logging.captureWarnings(capture=True)


class Answer(NamedTuple):
    """What a path of the health endpoint answers."""

    status: int
    body: bytes
    content_type: str = "application/json"


Route = Callable[[], Awaitable[Answer]]


class HealthEndpoint:
    """A few paths answered over plain HTTP, without a web framework in the worker's memory."""

    def __init__(self, host: str, port: int, routes: Mapping[str, Route]) -> None:
        self._host, self._port, self._routes = host, port, routes
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen, and return the port; raises OSError where it is taken."""
        self._server = await asyncio.start_server(self._answer, self._host, self._port)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(REQUEST_LIMIT):
                answer = await self._route(await reader.readline())
                while (await reader.readline()).strip():
                    continue
                head = [
                    f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
                    f"Content-Type: {answer.content_type}",
                    f"Content-Length: {len(answer.body)}",
                    "Connection: close",
                ]
                writer.write("\r\n".join([*head, "", ""]).encode() + answer.body)
                await writer.drain()
        writer.close()

    async def _route(self, request: bytes) -> Answer:
        method, _, rest = request.decode("latin-1").partition(" ")
        route = self._routes.get(rest.split(" ")[0].partition("?")[0])
        if route is None:
            return Answer(404, b'{"status": "not_found"}\n')
        if method != "GET":
            return Answer(405, b'{"status": "method_not_allowed"}\n')
        return await route()


__all__ = [
    "Answer",
    "HealthEndpoint",
    "JsonFormatter",
    "bound",
    "configure",
]
