"""Chance: `random` and `generate_uuid`; each render draws anew, and what was rendered is what is kept (MSG-08, ACT-20)."""

from __future__ import annotations

import secrets
from typing import Any, Final, TextIO
from uuid import UUID

from liquid import Environment
from liquid.ast import Node
from liquid.exceptions import LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.tag import Tag

from rendering.filters.inputs import number_in
from rendering.missing import Missing
from rendering.tags.parts import ValueNode, ValueTag, argument_of, fail

MOST_RANDOM: Final = 1_000_000_000


class _RandomNode(ValueNode):
    """A whole number from 0 to the value, both included."""

    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Draw it."""
        most = self.value.evaluate(context)
        if isinstance(most, Missing):
            return buffer.write(str(most))
        number = number_in(most)
        if number is None or number != int(number) or not 0 <= number <= MOST_RANDOM:
            fail(f"random takes a whole number from 0 to {MOST_RANDOM}", self.token)
        return buffer.write(str(secrets.randbelow(int(number) + 1)))


class _Random(ValueTag):
    """`{% random 9 %}`."""

    name = "random"
    node_class = _RandomNode


class _UuidNode(Node):
    """A UUID of the fourth version."""

    __slots__ = ()

    def render_to_output(self, _context: Any, buffer: TextIO) -> int:
        """Draw it."""
        return buffer.write(str(UUID(bytes=secrets.token_bytes(16), version=4)))


class _Uuid(Tag):
    """`{% generate_uuid %}`."""

    name = "generate_uuid"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag."""
        token = stream.current
        if argument_of(stream):
            raise LiquidSyntaxError("Syntax Error in tag 'generate_uuid' - Valid syntax: generate_uuid", token=token)
        node = _UuidNode(token)
        node.blank = False
        return node


def register(env: Environment) -> None:
    """Add them."""
    env.add_tag(_Random)
    env.add_tag(_Uuid)


__all__ = ["register"]
