"""Traces: which calls are followed, and how. Nothing of OpenTelemetry is loaded, and nothing done, where they are off.

A context is kept as the text of a `traceparent` header (W3C), and of calls that are recorded only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from telemetry.spans import Recorder

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attribute = str | int | float | bool


class Span:
    """A piece of work that may be recorded: this one is not. Used as a context, it is ended at the end of the block."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def recorded(self) -> bool:
        """Whether anything is written down of it."""
        return False

    def note(self, **attributes: Attribute | None) -> None:
        """Say more of it: ids, keys and words of ours, never anything of people. None says nothing."""

    def rename(self, name: str) -> None:
        """Give it a better name."""

    def fail(self, code: str) -> None:
        """Say that it failed, in a word."""

    def within(self) -> Span:
        """A context in which what begins is part of it, without ending it."""
        return self

    def end(self) -> None:
        """It is over."""


NOTHING = Span()

_recorder: Recorder | None = None


def use(recorder: Recorder | None) -> None:
    """Record with this from now on, or not at all."""
    global _recorder  # noqa: PLW0603 - a process has one
    _recorder = recorder


def on() -> bool:
    """Whether anything may be recorded in this process."""
    return _recorder is not None


def current() -> str | None:
    """The context of what is being recorded, to be kept with what comes of it; None where nothing is."""
    return None if _recorder is None else _recorder.current()


def trace_id() -> str | None:
    """The trace of what is being recorded."""
    context = current()
    return None if context is None else context[3:35]


def call(headers: Sequence[tuple[bytes, bytes]], name: str, **attributes: Attribute | None) -> Span:
    """A call from outside: part of its caller's trace where it names one, the beginning of one where chance says so."""
    return NOTHING if _recorder is None else _recorder.call(headers, name, attributes)


def span(name: str, kind: Kind = "internal", **attributes: Attribute | None) -> Span:
    """A piece of what is being recorded, of nothing where nothing is."""
    return NOTHING if _recorder is None else _recorder.part(_recorder.current(), name, kind, attributes)


def part_of(context: str | None, name: str, kind: Kind = "internal", **attributes: Attribute | None) -> Span:
    """A piece of the trace that a kept context belongs to."""
    return NOTHING if _recorder is None else _recorder.part(context, name, kind, attributes)


def following(
    cause: str | None, origin: str | None, name: str, kind: Kind = "internal", **attributes: Attribute | None
) -> Span:
    """A later step of something: part of the trace of what caused it, or a trace of its own, linked to where it all began.

    Without a cause that is recorded and without a recorded origin it is not recorded either.
    """
    return NOTHING if _recorder is None else _recorder.following(cause, origin, name, kind, attributes)


def link(context: str | None) -> None:
    """Say of what is being recorded that it has to do with another trace."""
    if _recorder is not None and context is not None:
        _recorder.link(context)


Attributes = Mapping[str, Attribute | None]

__all__ = [
    "NOTHING",
    "Attribute",
    "Attributes",
    "Kind",
    "Span",
    "call",
    "current",
    "following",
    "link",
    "on",
    "part_of",
    "span",
    "trace_id",
    "use",
]
