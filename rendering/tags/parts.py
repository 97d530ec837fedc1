"""What tags have in common: one value behind the name, and faults in words (MSG-35)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar, NoReturn

from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token


class ValueNode(Node):
    """A tag that does something with one value."""

    __slots__ = ("value",)

    def __init__(self, token: Token, value: Expression) -> None:
        super().__init__(token)
        self.value = value
        self.blank = False

    def expressions(self) -> Iterable[Expression]:
        """The value, for those who look at a template without rendering it."""
        yield self.value


class ValueTag(Tag):
    """A tag followed by one value."""

    block = False
    node_class: ClassVar[type[ValueNode]]

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag."""
        token = stream.eat(TOKEN_TAG)
        return self.node_class(token, FilteredExpression.parse(self.env, stream.into_inner(tag=token, eat=False)))


@contextmanager
def told_as(message: str, token: Token) -> Iterator[None]:
    """Tell whatever is wrong with the head of a tag by one sentence."""
    try:
        yield
    except LiquidSyntaxError:
        raise LiquidSyntaxError(message, token=token) from None


def argument_of(stream: TokenStream) -> str:
    """What stands behind the name of a tag that has no end tag; the stream is left where the tag ends."""
    if stream.peek.kind != TOKEN_EXPRESSION:
        return ""
    next(stream)
    return stream.current.value.strip()


def fail(message: str, token: Token) -> NoReturn:
    """Fail the render."""
    raise LiquidError(message, token=token)


__all__ = ["ValueNode", "ValueTag", "argument_of", "fail", "told_as"]
