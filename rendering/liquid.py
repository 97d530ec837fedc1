"""Liquid: templates parsed once, rendered within limits, against the clock of the workspace (MSG-01 to MSG-14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from liquid import Environment
from liquid.ast import Node
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.parser import get_parser
from liquid.stream import TokenStream

from rendering import comparing, filters, tags, words
from rendering.arguments import wrong_arguments
from rendering.blocks import Template
from rendering.errors import FAULTS, RenderError, in_words
from rendering.lexing import tokens
from rendering.missing import Missing
from rendering.running import MAX_OUTPUT, Output, Running
from rendering.storing import storable

MAX_SOURCE: Final = 1_000_000


class _Environment(Environment):
    """The dialect: tags, filters and limits."""

    template_class = Template
    loop_iteration_limit = filters.MAX_ITEMS
    local_namespace_limit = 10_000_000
    output_stream_limit = MAX_OUTPUT
    suppress_blank_control_flow_blocks = False

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """The standard tags and filters with ours on top."""
        super().setup_tags_and_filters(extra=extra)
        tags.register(self)
        filters.register(self)
        self.plain_filters = filters.plain(self)

    def template(self, source: str) -> Template:
        """A parsed template of the workspace, from the cache where it was used before; raises LiquidError."""
        return _parsed(source)

    def passing(self, source: str) -> Template:
        """The same of a text of one person, which must not drive out what everybody gets."""
        return _parsed_data(source)

    def _parse(self, source: str) -> list[Node]:
        if len(source) > MAX_SOURCE:
            raise LiquidSyntaxError(f"The template is longer than {MAX_SOURCE} characters", token=None)
        return get_parser(self).parse(TokenStream(tokens(source)))


comparing.install()
words.install()
_ENVIRONMENT: Final = _Environment(undefined=Missing)


@lru_cache(maxsize=512)
def _parsed(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)  # type: ignore[return-value]


@lru_cache(maxsize=64)
def _parsed_data(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)  # type: ignore[return-value]


def check_syntax(source: str) -> str | None:
    """What is wrong with a template before any data is known, None where nothing is (MSG-35)."""
    try:
        template = _parsed(source)
        unknown = sorted(set(template.analyze(include_partials=False).filters) - set(_ENVIRONMENT.filters))
        return f"Unknown filter '{unknown[0]}'" if unknown else wrong_arguments(template, _ENVIRONMENT.filters)
    except (LiquidError, *FAULTS) as fault:
        return in_words(fault)


def variables(source: str) -> Mapping[str, Sequence[int]]:
    """The variables that a template reads and does not set itself, each with its places; none where it does not parse."""
    if "{{" not in source and "{%" not in source:
        return {}
    try:
        found = _parsed(source).analyze(include_partials=False).globals
    except (LiquidError, *FAULTS):
        return {}
    return {name: [use.span.index for use in uses] for name, uses in found.items()}


def paths(source: str, root: str) -> Sequence[Sequence[object]]:
    """What a template reads below a variable: each path, its first step the variable; steps that are paths are computed."""
    if root not in source:
        return []
    try:
        found = _parsed(source).analyze(include_partials=False).globals.get(root, [])
    except (LiquidError, *FAULTS):
        return []
    return [use.segments for use in found]


def render(source: str, context: Mapping[str, Any], *, now: datetime) -> str:
    """The text of a template over the context; raises RenderError where it fails or takes too much."""
    if "{{" not in source and "{%" not in source:
        return storable(source)
    try:
        template = _parsed(source)
        buffer = Output()
        template.write(Running(template, now=now, globals=context), buffer)
    except (LiquidError, *FAULTS) as fault:
        raise RenderError(in_words(fault)) from None
    return storable(buffer.getvalue())


__all__ = ["MAX_OUTPUT", "check_syntax", "paths", "render", "storable", "variables"]
