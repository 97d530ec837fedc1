"""Recording traces with the OpenTelemetry SDK; loaded where traces are on, and nowhere else."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from contextvars import Token
from types import TracebackType
from typing import Final, Self

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from telemetry.tracing import NOTHING, Attributes, Kind, Span

logger = logging.getLogger("sojourn.tracing")

TRACEPARENT: Final = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
EXPORT_SECONDS: Final = 5.0
CLOSING_MILLIS: Final = 1500
QUEUE: Final = 8192
_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}


def read(text: str) -> SpanContext | None:
    """The context that the text of a `traceparent` names; None where it names none."""
    found = TRACEPARENT.fullmatch(text)
    if found is None or (found[1] == "00" and found[5] is not None):
        return None
    context = SpanContext(int(found[2], 16), int(found[3], 16), True, TraceFlags(int(found[4], 16) & 1))
    return context if context.is_valid else None


def written(context: SpanContext) -> str | None:
    """The text that names a context, None where nothing is recorded of it."""
    if not context.is_valid or not context.trace_flags.sampled:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


class _Roots(Sampler):
    """Which traces are begun: those linked to one that is recorded, and of calls the given part."""

    def __init__(self, ratio: float) -> None:
        self._calls = TraceIdRatioBased(ratio)
        self._linked = TraceIdRatioBased(1.0)

    def should_sample(  # noqa: PLR0917 - the signature is the SDK's
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Mapping[str, object] | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Whether one is."""
        linked = any(link.context.trace_flags.sampled for link in links or ())
        chosen = self._linked if linked else self._calls
        return chosen.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)  # type: ignore[arg-type]

    def get_description(self) -> str:
        """For the resource."""
        return "sojourn"


class _Quiet(SpanExporter):
    """An exporter whose failures are told once, and its coming back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand spans to the collector."""
        result = self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away and not self._away:
            logger.warning("Traces cannot be handed to the collector; they are dropped until it answers.")
        elif self._away and not away:
            logger.warning("Traces are handed to the collector again.")
        self._away = away
        return result

    def shutdown(self) -> None:
        """Hand over nothing more."""
        self._exporter.shutdown()


class _Recorded(Span):
    """A span that is recorded, or one that at least carries the caller's decision not to."""

    __slots__ = ("_span", "_tokens")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._tokens: list[Token[Context]] = []

    def __enter__(self) -> Self:
        self._tokens.append(contexts.attach(trace.set_span_in_context(self._span)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        contexts.detach(self._tokens.pop())
        if kind is not None:
            # The type alone: messages of exceptions quote what people are called.
            self.fail(str(getattr(error, "code", None) or kind.__name__))
        self.end()

    @property
    def recorded(self) -> bool:
        """Whether anything is written down of it."""
        return self._span.is_recording()

    def note(self, **attributes: str | float | bool | None) -> None:
        """Say more of it."""
        self._span.set_attributes(_said(attributes))

    def rename(self, name: str) -> None:
        """Give it a better name."""
        self._span.update_name(name)

    def fail(self, code: str) -> None:
        """Say that it failed."""
        self._span.set_status(Status(StatusCode.ERROR, code))

    def within(self) -> Span:
        """A context in which what begins is part of it."""
        return _Within(self._span)

    def end(self) -> None:
        """It is over."""
        self._span.end()


class _Within(Span):
    """The inside of a span that goes on afterwards."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        self._token = contexts.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        contexts.detach(self._token)


class Recorder:
    """Makes spans and hands them to a collector in the background."""

    def __init__(
        self,
        service: str,
        *,
        endpoint: str,
        sample: float,
        headers: Mapping[str, str],
        resource: Mapping[str, str],
    ) -> None:
        """`endpoint` is the base address of an OTLP/HTTP collector, `sample` the part of calls that is recorded."""
        # What the exporter says of each failure; we say it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        url = endpoint if endpoint.endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
        exporter = OTLPSpanExporter(endpoint=url, headers=dict(headers), timeout=EXPORT_SECONDS)
        self._processor = BatchSpanProcessor(_Quiet(exporter), max_queue_size=QUEUE)
        self._provider = TracerProvider(
            sampler=ParentBased(_Roots(sample)),
            resource=Resource.create({"service.name": service, **resource}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("sojourn")

    def current(self) -> str | None:
        """The context of what is being recorded."""
        return written(trace.get_current_span().get_span_context())

    def call(self, headers: Sequence[tuple[bytes, bytes]], name: str, attributes: Attributes) -> Span:
        """A call, part of its caller's trace where it names one."""
        given = next((value for key, value in headers if key == b"traceparent"), b"")
        caller = read(given.decode("latin-1").strip())
        return _Recorded(self._begin(_in(caller), name, "server", attributes))

    def part(self, context: str | None, name: str, kind: Kind, attributes: Attributes) -> Span:
        """A piece of a recorded trace."""
        parent = None if context is None else read(context)
        return NOTHING if parent is None else _Recorded(self._begin(_in(parent), name, kind, attributes))

    def following(self, cause: str | None, origin: str | None, name: str, kind: Kind, attributes: Attributes) -> Span:
        """A later step: within its cause, linked to its origin."""
        begun = None if origin is None else read(origin)
        caused = None if cause is None else read(cause)
        if begun is None:
            return self.part(cause, name, kind, attributes)
        elsewhere = caused is None or caused.trace_id != begun.trace_id
        links = [Link(begun, {"sojourn.link": "begun by"})] if elsewhere else []
        return _Recorded(self._begin(_in(caused), name, kind, attributes, links))

    def link(self, context: str) -> None:
        """Link what is being recorded to another trace."""
        other = read(context)
        span = trace.get_current_span()
        if other is not None and span.is_recording() and span.get_span_context().trace_id != other.trace_id:
            span.add_link(other, {"sojourn.link": "is about"})

    def close(self) -> None:
        """Hand over what is left, if that is a matter of a moment."""
        # The processor's own end, because the provider's would wait for half a minute.
        self._processor._batch_processor.shutdown(CLOSING_MILLIS)  # noqa: SLF001

    def _begin(
        self, parent: Context, name: str, kind: Kind, attributes: Attributes, links: Sequence[Link] = ()
    ) -> trace.Span:
        return self._tracer.start_span(
            name,
            context=parent,
            kind=_KINDS[kind],
            attributes=_said(attributes),
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        )


def _in(context: SpanContext | None) -> Context:
    """Being in a context, or in none whatever is recorded here."""
    return Context() if context is None else trace.set_span_in_context(trace.NonRecordingSpan(context), Context())


def _said(attributes: Attributes) -> dict[str, str | float | bool]:
    return {_NAMES.get(name, f"sojourn.{name}"): value for name, value in attributes.items() if value is not None}


_NAMES: Final[Mapping[str, str]] = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
}
"""What has a name of its own in the conventions of OpenTelemetry."""

__all__ = ["Recorder", "read", "written"]
