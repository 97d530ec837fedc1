"""`for`, with faults in words (MSG-07, MSG-35)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from liquid import Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowTag
from liquid.exceptions import LiquidSyntaxError
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG

from rendering.tags.parts import told_as


class _Loop(LoopExpression):
    """What a loop goes through; a limit of 0 is none at all."""

    __slots__ = ()

    def _slice(
        self, it: Iterator[object], length: int, context: RenderContext, *, limit: int | None, offset: Any
    ) -> tuple[Iterator[object], int]:
        key = f"{self.identifier}-{self.iterable}"
        start = min(max(context.stopindex(key) if offset == "continue" else int(offset or 0), 0), length)
        stop = length if limit is None else min(max(start + limit, start), length)
        context.stopindex(key=key, index=stop)
        part = islice(it, start, stop)
        return (reversed(list(part)) if self.reversed else part), stop - start


class _For(ForTag):
    """`{% for %}`."""

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag."""
        token = stream.eat(TOKEN_TAG)
        with told_as("Syntax Error in 'for loop' - Valid syntax: for [item] in [collection]", token):
            read = LoopExpression.parse(self.env, stream.into_inner(tag=token))
        loop = _Loop(
            read.token,
            read.identifier,
            read.iterable,
            limit=read.limit,
            offset=read.offset,
            reversed_=read.reversed,
            cols=None,
        )
        parse_block = get_parser(self.env).parse_block
        block = parse_block(stream, frozenset({"endfor", "else"}))
        default = None
        if stream.current.is_tag("else"):
            next(stream)
            default = parse_block(stream, frozenset({"endfor"}))
        stream.expect(TOKEN_TAG, value="endfor")
        return ForNode(token, expression=loop, block=block, default=default)


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
