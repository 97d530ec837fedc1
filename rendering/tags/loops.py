"""`for`, with faults in words (MSG-07, MSG-35)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from liquid import Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.tags.for_tag import ForLoop, ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowTag
from liquid.exceptions import BreakLoop, ContinueLoop, LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG

from rendering.blocks import parse_block
from rendering.evaluating import Value, evaluation
from rendering.tags.parts import told_as


class _Loop(LoopExpression):
    """What a loop goes through; a limit of 0 is none at all."""

    __slots__ = ("_values", "name", "whole")

    def __init__(self, read: LoopExpression) -> None:
        super().__init__(
            read.token,
            read.identifier,
            read.iterable,
            limit=read.limit,
            offset=read.offset,
            reversed_=read.reversed,
            cols=None,
        )
        self.name = f"{self.identifier}-{self.iterable}"
        self.whole = read.limit is None and read.offset is None and not read.reversed
        self._values: Value = evaluation(read.iterable)

    def evaluate(self, context: RenderContext) -> tuple[Iterator[object], int]:
        """The items, and how many they are."""
        if not self.whole:
            return super().evaluate(context)
        values = self._values(context)
        found, length = (iter(values), len(values)) if values.__class__ is list else self._to_iter(values, context)
        context.stopindex(key=self.name, index=length)
        return found, length

    def _slice(
        self, it: Iterator[object], length: int, context: RenderContext, *, limit: int | None, offset: Any
    ) -> tuple[Iterator[object], int]:
        start = min(max(context.stopindex(self.name) if offset == "continue" else int(offset or 0), 0), length)
        stop = length if limit is None else min(max(start + limit, start), length)
        context.stopindex(key=self.name, index=stop)
        part = islice(it, start, stop)
        return (reversed(list(part)) if self.reversed else part), stop - start


class _ForNode(ForNode):
    """The loop itself."""

    __slots__ = ()
    expression: _Loop

    def render_to_output(self, context: Any, buffer: Any) -> int:
        """Render the block once for every item, or what stands in for it where there is none."""
        items, length = self.expression.evaluate(context)
        if not length:
            return self.default.render(context, buffer) if self.default else 0
        loop = ForLoop(self.expression.name, items, length, context.parentloop())
        name, render = str(self.expression.identifier), self.block.render
        variables: dict[str, object] = {"forloop": loop, name: None}
        context.enter(variables, loop)
        try:
            for item in items:
                loop.step()
                variables[name] = item
                try:
                    render(context, buffer)
                except ContinueLoop:
                    continue
                except BreakLoop:
                    break
        finally:
            context.leave()
        return 0


class _For(ForTag):
    """`{% for %}`."""

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag."""
        token = stream.eat(TOKEN_TAG)
        with told_as("Syntax Error in 'for loop' - Valid syntax: for [item] in [collection]", token):
            read = LoopExpression.parse(self.env, stream.into_inner(tag=token))
        block = parse_block(self.env, stream, frozenset({"endfor", "else"}))
        default = None
        if stream.current.is_tag("else"):
            next(stream)
            default = parse_block(self.env, stream, frozenset({"endfor"}))
        stream.expect(TOKEN_TAG, value="endfor")
        return _ForNode(token, expression=_Loop(read), block=block, default=default)


class _Tablerow(TablerowTag):
    """`{% tablerow %}`."""

    def parse(self, stream: TokenStream) -> Any:
        """Read the tag."""
        if stream.peek.kind != TOKEN_EXPRESSION:
            message = "Syntax Error in 'table_row loop' - Valid syntax: table_row [item] in [collection] cols=3"
            raise LiquidSyntaxError(message, token=stream.current)
        return super().parse(stream)


def register(env: Environment) -> None:
    """Add them."""
    env.add_tag(_For)
    env.add_tag(_Tablerow)


__all__ = ["register"]
