"""`if`, `unless`, `case`: with faults in words, and each matching branch rendered once (MSG-07, MSG-35)."""

from __future__ import annotations

from typing import Any, ClassVar, TextIO

from liquid import Environment, RenderContext
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.expressions import BooleanExpression, parse_primitive
from liquid.builtin.tags.case_tag import CaseNode, CaseTag, MultiExpressionBlockNode, _AnyExpression
from liquid.builtin.tags.if_tag import IfNode, IfTag
from liquid.builtin.tags.unless_tag import UnlessNode, UnlessTag
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_TAG, Token

from rendering.blocks import parse_block
from rendering.evaluating import evaluation
from rendering.tags.parts import told_as

_CASE = "Syntax Error in 'case' - Valid syntax: case [condition]"
_WHEN = "Syntax Error in tag 'case' - Valid when condition: {% when [condition] [or condition2...] %}"
_CASE_ELSE = "Syntax Error in tag 'case' - Valid else condition: {% else %} (no parameters)"


class _IfNode(IfNode):
    """The first branch whose condition holds."""

    __slots__ = ("_branches",)

    def __init__(self, token: Token, condition: Expression, consequence: BlockNode, *others: Any) -> None:
        super().__init__(token, condition, consequence, *others)
        branches = [(condition, consequence), *((other.expression, other.block) for other in self.alternatives)]
        self._branches = [(evaluation(asked), block) for asked, block in branches]

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Render it."""
        for holds, block in self._branches:
            if holds(context):
                return block.render(context, buffer)
            context.spend()
        return self.default.render(context, buffer) if self.default else 0


class _Condition(Tag):
    """A tag with a condition, others to be asked after it, and what happens where none holds."""

    node_class: ClassVar[type[IfNode | UnlessNode]]

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag; branches behind the `else` are passed over."""
        token = stream.eat(TOKEN_TAG)
        ends = frozenset({self.end, "elsif", "else"})
        condition = self._condition(stream, token)
        consequence = parse_block(self.env, stream, ends)
        others: list[ConditionalBlockNode] = []
        while stream.current.is_tag("elsif"):
            also = self._condition(stream, next(stream))
            at = stream.current
            others.append(ConditionalBlockNode(at, expression=also, block=parse_block(self.env, stream, ends)))
        default: BlockNode | None = None
        if stream.current.is_tag("else"):
            next(stream)
            if stream.current.kind == TOKEN_EXPRESSION:
                next(stream)
            default = parse_block(self.env, stream, ends)
        while stream.current.is_tag("else") or stream.current.is_tag("elsif"):
            if next(stream).value == "elsif" or stream.current.kind == TOKEN_EXPRESSION:
                next(stream)
            parse_block(self.env, stream, ends)
        stream.expect(TOKEN_TAG, value=self.end)
        return self.node_class(token, condition, consequence, others, default)

    def _condition(self, stream: TokenStream, token: Token) -> Expression:
        with told_as(f"Syntax Error in tag '{self.name}' - Valid syntax: {self.name} [expression]", token):
            return BooleanExpression.parse(self.env, stream.into_inner(tag=token))


class _If(_Condition):
    """`{% if %}`."""

    name = IfTag.name
    end = IfTag.end
    node_class = _IfNode


class _Unless(_Condition):
    """`{% unless %}`."""

    name = UnlessTag.name
    end = UnlessTag.end
    node_class = UnlessNode


class _When(MultiExpressionBlockNode):
    """One branch of a case."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Render it once where one of its values matches."""
        return self.block.render(context, buffer) if any(self.expression.evaluate(context)) else -1


class _Case(Tag):
    """`{% case %}`."""

    name = CaseTag.name
    end = CaseTag.end

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag; what stands before the first branch is passed over."""
        token = stream.eat(TOKEN_TAG)
        with told_as(_CASE, token):
            inner = stream.into_inner(tag=token)
            left = parse_primitive(self.env, inner)
            inner.expect_eos()
        ends = frozenset({self.end, "when", "else"})
        while stream.current.kind != TOKEN_EOF and not (
            stream.current.kind == TOKEN_TAG and stream.current.value in ends
        ):
            next(stream)
        blocks: list[MultiExpressionBlockNode | BlockNode] = []
        while stream.current.is_tag("when") or stream.current.is_tag("else"):
            branch = next(stream)
            if branch.value == "else":
                if stream.current.kind == TOKEN_EXPRESSION:
                    raise LiquidSyntaxError(_CASE_ELSE, token=branch)
                blocks.append(parse_block(self.env, stream, ends))
            else:
                values = self._values(stream, branch)
                blocks.append(_When(branch, parse_block(self.env, stream, ends), _AnyExpression(branch, left, values)))
        stream.expect(TOKEN_TAG, value=self.end)
        return CaseNode(token, left, blocks)

    def _values(self, stream: TokenStream, token: Token) -> list[Expression]:
        with told_as(_WHEN, token):
            inner = stream.into_inner(tag=token)
            values = [parse_primitive(self.env, inner)]
            while inner.current.kind in ("or", "comma"):
                next(inner)
                values.append(parse_primitive(self.env, inner))
            inner.expect_eos()
            return values


def register(env: Environment) -> None:
    """Add them."""
    for tag in (_If, _Unless, _Case):
        env.add_tag(tag)


__all__ = ["register"]
