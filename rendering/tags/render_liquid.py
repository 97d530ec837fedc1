"""`render_liquid`: Liquid that stands in data, which may be anybody's, so that it runs apart and not far (MSG-08, ACT-25)."""

from __future__ import annotations

from typing import Any, Final, TextIO

from liquid import Environment

from rendering.missing import Missing
from rendering.printing import printed
from rendering.tags.parts import ValueNode, ValueTag, fail

MAX_SOURCE: Final = 100_000


class _RenderLiquidNode(ValueNode):
    """The Liquid in a text, rendered with the same roots and variables of its own."""

    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Render it; one inside the other, not more than a few deep."""
        value = self.value.evaluate(context)
        text = str(value) if isinstance(value, Missing) else printed(value)
        if "{{" not in text and "{%" not in text:
            return buffer.write(text)
        if len(text) > MAX_SOURCE:
            fail(f"Liquid in data is longer than {MAX_SOURCE} characters", self.token)
        with context.deeper(self.token):
            context.look()
            template = context.env.passing(text)
            template.write(context.inner(template, context.globals), buffer)
        return 1


class _RenderLiquid(ValueTag):
    """`{% render_liquid journey.body %}`."""

    name = "render_liquid"
    node_class = _RenderLiquidNode


def register(env: Environment) -> None:
    """Add it."""
    env.add_tag(_RenderLiquid)


__all__ = ["register"]
