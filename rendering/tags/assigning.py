"""`assign` and `capture`; a dotted name shadows for the rest of the render and never writes a profile (MSG-07)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from liquid import Environment, RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import FilteredExpression, Identifier, Path, parse_primitive
from liquid.builtin.expressions.primitive import IntegerLiteral, StringLiteral
from liquid.builtin.tags.assign_tag import AssignTag
from liquid.builtin.tags.capture_tag import CaptureTag
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.token import TOKEN_ASSIGN, TOKEN_TAG, Token
from liquid.undefined import Undefined

from rendering.blocks import parse_block
from rendering.tags.parts import told_as
from rendering.weights import Composed, composed


class _Shadow(Composed):
    """An object with some keys in front of another that knows the rest."""

    behind: Mapping[str, Any]

    def __missing__(self, key: str) -> Any:
        return self.behind[key]


class _Named(Node):
    """A tag that gives a value a name, of one word or of several with dots between."""

    __slots__ = ("path",)

    def __init__(self, token: Token, path: Sequence[str]) -> None:
        super().__init__(token)
        self.path = path

    def template_scope(self) -> Iterable[Identifier]:
        """The variable that is set; a dotted name leaves the root what it is."""
        if len(self.path) == 1:
            yield Identifier(self.path[0], token=self.token)

    def set(self, context: RenderContext, value: Any) -> None:
        """Give the value its name."""
        root, *rest = self.path
        context.assign(root, _with(context.get([root], token=self.token, default=None), rest, value) if rest else value)


def _with(holder: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    whole: dict[str, Any] = dict(holder) if isinstance(holder, dict) else {}
    other = isinstance(holder, Mapping) and not isinstance(holder, dict | Undefined)
    if rest:
        try:
            under = holder[first] if isinstance(holder, Mapping) else None
        except LookupError:
            under = None
        value = _with(under, rest, value)
    made = composed({**whole, first: value})
    if not other:
        return made
    shadow = _Shadow(made)
    shadow.weight, shadow.behind = made.weight, holder
    return shadow


class _AssignNode(_Named):
    """`{% assign name = value %}`."""

    __slots__ = ("expression",)

    def __init__(self, token: Token, path: Sequence[str], expression: Expression) -> None:
        super().__init__(token, path)
        self.expression = expression

    def render_to_output(self, context: RenderContext, _buffer: TextIO) -> int:
        """Set the variable."""
        self.set(context, self.expression.evaluate(context))
        return 0

    def expressions(self) -> Iterable[Expression]:
        """The value."""
        yield self.expression


class _CaptureNode(_Named):
    """`{% capture name %}`."""

    __slots__ = ("block",)

    def __init__(self, token: Token, path: Sequence[str], block: BlockNode) -> None:
        super().__init__(token, path)
        self.block = block

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Set the variable to the text of the block."""
        within = context.get_buffer(buffer)
        self.block.render(context, within)
        self.set(context, within.getvalue())
        return 0

    def children(self, _static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:  # noqa: ARG002
        """The block."""
        yield self.block


class _Assign(AssignTag):
    """The tag `assign`."""

    def parse(self, stream: TokenStream) -> Any:
        """Read the tag."""
        token = stream.eat(TOKEN_TAG)
        with told_as("Syntax Error in tag 'assign' - Valid syntax: assign [var] = [source]", token):
            inner = stream.into_inner(tag=token, eat=False)
            path = _name(parse_primitive(self.env, inner))
            inner.eat(TOKEN_ASSIGN)
            return _AssignNode(token, path, FilteredExpression.parse(self.env, inner))


class _Capture(CaptureTag):
    """The tag `capture`."""

    def parse(self, stream: TokenStream) -> Any:
        """Read the tag."""
        token = stream.eat(TOKEN_TAG)
        with told_as("Syntax Error in tag 'capture' - Valid syntax: capture [var]", token):
            inner = stream.into_inner(tag=token)
            path = _name(parse_primitive(self.env, inner))
            inner.expect_eos()
        block = parse_block(self.env, stream, frozenset({"endcapture"}))
        stream.expect(TOKEN_TAG, value="endcapture")
        return _CaptureNode(token, path, block)


def _name(written: Expression) -> list[str]:
    """The words of a variable's name, which may stand in quotes."""
    if isinstance(written, StringLiteral | IntegerLiteral):
        return [str(written.value)]
    words = written.path if isinstance(written, Path) else [None]
    if not all(isinstance(word, str) and word and not word.endswith("?") for word in words):
        raise LiquidSyntaxError("not a name", token=written.token)
    return [str(word) for word in words]


def register(env: Environment) -> None:
    """Add them."""
    env.add_tag(_Assign)
    env.add_tag(_Capture)


__all__ = ["register"]
