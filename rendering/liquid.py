"""Liquid: templates parsed once, rendered within limits, against the clock of the workspace (MSG-01 to MSG-14)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from io import StringIO
from time import thread_time
from typing import Any, Final, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.output import LimitedStringIO
from liquid.token import Token
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from rendering import comparing, filters, tags
from rendering.errors import RenderError
from rendering.missing import Missing
from rendering.printing import printed

MAX_SOURCE: Final = 1_000_000
MAX_OUTPUT: Final = 2_000_000
MAX_SECONDS: Final = 1.0
CHECK_EVERY: Final = 64

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError)
"""What python-liquid lets through when data is not what a filter expects."""


class _Output(LimitedStringIO):
    """A buffer that counts characters and lets the context count steps."""

    def __init__(self, limit: int, context: _Context) -> None:
        super().__init__(limit)
        self._context = context

    def write(self, text: str, /) -> int:
        self._context.spend()
        self.size += len(text)
        if self.size > self.limit:
            raise ResourceLimitError(f"the output is longer than {MAX_OUTPUT} characters", token=None)
        return StringIO.write(self, text)


class _Context(RenderContext):
    """One render: its variables, its instant and its budget of processor time; no variable reads a clock."""

    def __init__(self, template: BoundTemplate, *, now: datetime, **options: Any) -> None:
        super().__init__(template, **options)
        self.now = now
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.liquid_depth = 0
        self._steps = 0
        self._deadline = thread_time() + MAX_SECONDS

    def spend(self) -> None:
        """Count one step; now and then look whether the time is up."""
        self._steps += 1
        if self._steps % CHECK_EVERY == 0 and thread_time() > self._deadline:
            raise ResourceLimitError(f"rendering takes longer than {MAX_SECONDS:g} s", token=None)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """The value at a path; what is not there is remembered under its whole name."""
        self.spend()
        try:
            found = self.scope[path[0]]  # type: ignore[index]
            for segment in path[1:]:
                found = self.get_item(found, segment)
        except (LookupError, TypeError):
            if default is not UNDEFINED:
                return default
            return Missing(_path_text(path), token=token)
        return found

    def assign(self, key: str, val: Any) -> None:
        """Set a variable of the template."""
        self.spend()
        super().assign(key, val)

    def filter(self, name: str, token: Token | None) -> Any:
        """The filter of that name."""
        self.spend()
        return super().filter(name, token)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """A buffer for a part of the output, which counts toward the whole."""
        used = buf.size if isinstance(buf, _Output) else 0
        return _Output(MAX_OUTPUT - used, self)


class _Template(BoundTemplate):
    """A parsed template without variables of its own."""

    def make_partial_namespace(self, _partial: bool, _render_args: Mapping[str, object]) -> Mapping[str, object]:
        """Nothing: `partial` is no variable of the dialect."""
        return {}


class _PrintedNode(OutputNode):
    """An output statement that prints as the dialect does."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Print the value."""
        return buffer.write(printed(self.expression.evaluate(context)))


class _Printed(Output):
    """The statement itself."""

    node_class = _PrintedNode


class _EchoNode(EchoNode):
    """The same statement as it is written inside `liquid`."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Print the value."""
        return buffer.write(printed(self.expression.evaluate(context)))


class _Echo(EchoTag):
    """The tag of that statement."""

    node_class = _EchoNode


class _Environment(Environment):
    """The dialect: tags, filters and limits."""

    template_class = _Template
    loop_iteration_limit = filters.MAX_ITEMS
    local_namespace_limit = 10_000_000
    output_stream_limit = MAX_OUTPUT
    suppress_blank_control_flow_blocks = False

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """The standard tags and filters with ours on top."""
        super().setup_tags_and_filters(extra=extra)
        self.add_tag(_Printed)
        self.add_tag(_Echo)
        tags.register(self)
        filters.register(self)


def _path_text(path: list[object]) -> str:
    text = str(path[0])
    for segment in path[1:]:
        text += f"[{segment}]" if isinstance(segment, int) else f".{segment}"
    return text


comparing.install()
_ENVIRONMENT: Final = _Environment(undefined=Missing)


@lru_cache(maxsize=512)
def _parsed(source: str) -> BoundTemplate:
    if len(source) > MAX_SOURCE:
        raise LiquidError(f"The template is longer than {MAX_SOURCE} characters", token=None)
    return _ENVIRONMENT.from_string(source)


def check_syntax(source: str) -> str | None:
    """What is wrong with a template before any data is known, None where nothing is (MSG-35)."""
    try:
        template = _parsed(source)
        unknown = sorted(set(template.analyze(include_partials=False).filters) - set(_ENVIRONMENT.filters))
    except (LiquidError, *_FAULTS) as fault:
        return _in_words(fault)
    return f"Unknown filter '{unknown[0]}'" if unknown else None


def variables(source: str) -> Mapping[str, Sequence[int]]:
    """The variables that a template reads and does not set itself, each with its places; none where it does not parse."""
    if "{{" not in source and "{%" not in source:
        return {}
    try:
        found = _parsed(source).analyze(include_partials=False).globals
    except (LiquidError, *_FAULTS):
        return {}
    return {name: [use.span.index for use in uses] for name, uses in found.items()}


def render(source: str, context: Mapping[str, Any], *, now: datetime) -> str:
    """The text of a template over the context; raises RenderError where it fails or takes too much."""
    if "{{" not in source and "{%" not in source:
        return storable(source)
    try:
        template = _parsed(source)
        running = _Context(template, now=now, globals=context)
        buffer = running.get_buffer()
        template.render_with_context(running, buffer)
    except (LiquidError, *_FAULTS) as fault:
        raise RenderError(_in_words(fault)) from None
    return storable(buffer.getvalue())


def storable(text: str) -> str:
    """The text without what neither the database nor a mail can hold: U+0000 and lone surrogates."""
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("", text)


_UNKNOWN_TAG = re.compile(r"unexpected tag '([^']*)'|unknown tag '?([^',]*)'?")
_UNCLOSED = re.compile(r"expected tag '?end(\w+)'?, found")


def _in_words(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return "The template is nested too deeply"
    if not isinstance(fault, LiquidError):
        return "A filter cannot work with the data it is given"
    message = str(fault.message or "The template cannot be read").strip().rstrip(".")
    unknown = _UNKNOWN_TAG.search(message)
    if unknown is not None:
        message = f"Unknown tag '{unknown[1] or unknown[2]}'"
    unclosed = _UNCLOSED.search(message)
    if unclosed is not None:
        message = f"{unclosed[1]} tag was never closed"
    line = _line_of(fault)
    return message if line is None or line == 1 else f"{message}, line {line}"


def _line_of(fault: LiquidError) -> int | None:
    try:
        where = fault.context()
    except ValueError:
        return None
    return where[0] if where is not None else None


__all__ = ["MAX_OUTPUT", "check_syntax", "render", "storable", "variables"]
