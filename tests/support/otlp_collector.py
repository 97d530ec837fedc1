"""A collector of traces: takes what OTLP/HTTP exporters send, as protobuf, and keeps the spans."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Kept:
    """One span as it was exported; `links` are the traces that it names."""

    name: str
    service: str
    trace: str
    span: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Any]
    failed: bool
    resource: dict[str, Any]


@dataclass
class Collector:
    """A collector on `url`; while it is `away` it takes connections and answers none."""

    url: str = ""
    spans: list[Kept] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    away: bool = False

    def of_trace(self, trace: str) -> dict[str, list[Kept]]:
        """The spans of one trace, by their names."""
        found: dict[str, list[Kept]] = {}
        for span in self.spans:
            if span.trace == trace:
                found.setdefault(span.name, []).append(span)
        return found

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The calls of one connection."""
        try:
            while True:
                head = (await reader.readuntil(HEAD_END)).decode("latin-1")
                first, *lines = head.rstrip().split("\r\n")
                pairs = (line.partition(":") for line in lines)
                headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, answer = self._answer(first, headers, body)
                writer.write(
                    f"HTTP/1.1 {status} Answered\r\nContent-Type: application/x-protobuf\r\n"
                    f"Content-Length: {len(answer)}\r\n\r\n".encode()
                    + answer
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever called has gone
        finally:
            writer.close()

    def _answer(self, first: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        method, path, _ = first.split(" ")
        if self.away:
            return 503, b""
        if path != "/v1/traces":
            return 404, b""
        if method != "POST":
            return 405, b""
        if headers.get("content-type") != "application/x-protobuf":
            return 415, b""
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        self.headers.append(headers)
        for resource in request.resource_spans:
            about = _plain(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_kept(span, about) for span in scope.spans]
        return 200, ExportTraceServiceResponse().SerializeToString()


def _kept(span: Any, about: dict[str, Any]) -> Kept:
    return Kept(
        name=span.name,
        service=about["service.name"],
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        attributes=_plain(span.attributes) | {"status.message": span.status.message, "events": len(span.events)},
        failed=span.status.code == 2,
        resource=about,
    )


def _plain(attributes: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector that listens until the end."""
    collector = Collector()
    server = await asyncio.start_server(collector.serve, "127.0.0.1", 0)
    collector.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield collector
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None


__all__ = ["Collector", "Kept", "collecting"]
