"""Output statements, which print as the dialect does (MSG-06)."""

from __future__ import annotations

from typing import TextIO

from liquid import Environment, RenderContext
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.token import Token
from liquid.undefined import is_undefined

from rendering.evaluating import evaluation
from rendering.printing import printed
from rendering.tags.parts import told_as


class _PrintedNode(OutputNode):
    """`{{ ... }}`."""

    __slots__ = ("_value",)

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token, expression)
        self._value = evaluation(expression)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Print the value."""
        value = self._value(context)
        return buffer.write(value if value.__class__ is str else printed(value))


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


class _CycleNode(CycleNode):
    """One value after the other, a round at a time."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Print the value whose turn it is."""
        name = self.group.evaluate(context) if self.group is not None else None
        key = str(self.args) if name is None or is_undefined(name) else printed(name)
        turn = context.cycle(key, len(self.args))
        return buffer.write(printed(self.args[turn].evaluate(context)))


class _Cycle(CycleTag):
    """`{% cycle 'odd', 'even' %}`."""

    node_class = _CycleNode

    def parse(self, stream: TokenStream) -> CycleNode:
        """Read the tag."""
        with told_as("Syntax Error in 'cycle' - Valid syntax: cycle [name :] var [, var2, var3 ...]", stream.current):
            node = super().parse(stream)
            if not node.args:
                raise LiquidSyntaxError("nothing to cycle", token=stream.current)
            return node


def register(env: Environment) -> None:
    """Add them."""
    for tag in (_Printed, _Echo, _Cycle):
        env.add_tag(tag)


__all__ = ["register"]
