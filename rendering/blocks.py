"""Parts of templates as steps: what is rendered one after the other, without asking each node anew what it is (MSG-07)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.exceptions import LiquidError, LiquidInterrupt, LiquidSyntaxError
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.token import Token

Step = str | Callable[[Any, Any], int]
"""A text, or what writes to the output."""


def _steps(nodes: Iterable[Node]) -> list[Step]:
    return [node.text if isinstance(node, ContentNode) else node.render_to_output for node in nodes]


class Block(BlockNode):
    """What stands between a tag and its end."""

    __slots__ = ("steps",)

    def __init__(self, token: Token, nodes: list[Node]) -> None:
        super().__init__(token, nodes)
        self.steps = _steps(nodes)

    def render_to_output(self, context: Any, buffer: Any) -> int:
        """Write it out."""
        budget = context.budget
        for step in self.steps:
            if step.__class__ is str:
                buffer.write(step)
                continue
            budget.left -= 1
            if budget.left < 0:
                budget.look()
            step(context, buffer)  # type: ignore[operator]
        return 0

    render = render_to_output


class Template(BoundTemplate):
    """A parsed template without variables of its own."""

    def __init__(self, env: Environment, nodes: list[Node], *args: Any, **options: Any) -> None:
        super().__init__(env, nodes, *args, **options)
        self._steps = _steps(nodes)

    def make_partial_namespace(self, _partial: bool, _render_args: Mapping[str, object]) -> Mapping[str, object]:
        """Nothing: `partial` is no variable of the dialect."""
        return {}

    def write(self, context: Any, buffer: Any) -> None:
        """Render it; a failure that says no place is told with that of the node it happened in."""
        budget, at = context.budget, 0
        try:
            for at, step in enumerate(self._steps):  # noqa: B007 - where a failure happened
                if step.__class__ is str:
                    buffer.write(step)
                    continue
                budget.left -= 1
                if budget.left < 0:
                    budget.look()
                step(context, buffer)  # type: ignore[operator]
        except LiquidInterrupt as interrupt:
            raise LiquidSyntaxError(f"unexpected '{interrupt}'", token=self.nodes[at].token) from None
        except LiquidError as error:
            if not error.token:
                error.token = self.nodes[at].token
            raise


def parse_block(env: Environment, stream: TokenStream, ends: Container[str]) -> Block:
    """What stands before one of these tags, read from the stream."""
    read = get_parser(env).parse_block(stream, ends)
    return Block(read.token, read.nodes)


__all__ = ["Block", "Template", "parse_block"]
