"""Whether the filters of a template get as many arguments as they take, which is known before any data is (MSG-35)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from liquid import BoundTemplate, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.arguments import KeywordArgument
from liquid.builtin.expressions.filtered import Filter, TernaryFilteredExpression


def wrong_arguments(template: BoundTemplate, filters: Mapping[str, Callable[..., Any]]) -> str | None:
    """What is wrong with the first filter that gets too few or too many; None where none does."""
    context = RenderContext(template)
    for used in _filters(template.nodes, context):
        least, most = filters[used.name].arguments  # type: ignore[attr-defined]
        given = sum(not isinstance(argument, KeywordArgument) for argument in used.args)
        if not least <= given <= most:
            return f"Wrong arguments for the filter '{used.name}'"
    return None


def _filters(nodes: Any, context: RenderContext) -> Iterator[Filter]:
    waiting: deque[Node] = deque(nodes)
    while waiting:
        node = waiting.popleft()
        for expression in node.expressions():
            if isinstance(expression, FilteredExpression | TernaryFilteredExpression):
                yield from expression.filters or ()
            if isinstance(expression, TernaryFilteredExpression):
                yield from expression.left.filters or ()
                yield from expression.tail_filters or ()
        waiting.extendleft(reversed(list(node.children(context, include_partials=False))))


__all__ = ["wrong_arguments"]
