"""The tags of the platform: links that belong to one delivery, chance, Liquid in data (MSG-08, SUB-08, ACT-20, ACT-25)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, TextIO

from liquid import Environment
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token

from rendering.missing import Missing
from rendering.printing import printed

UNSUBSCRIBE_URL: Final = "unsubscribe url"
"""The name under which the context of a message holds the link; no template can write it by accident."""

MOST_RANDOM: Final = 1_000_000_000
DEEPEST: Final = 3
"""How deep Liquid in data may lead to more of it."""

_LANGUAGE = re.compile(r"""lang\s*[=:]\s*(["'])[A-Za-z0-9-]{1,35}\1""")


class _LinkNode(Node):
    """The link, bare or as a ready anchor."""

    __slots__ = ("anchor",)

    def __init__(self, token: Token, *, anchor: bool) -> None:
        super().__init__(token)
        self.anchor = anchor
        self.blank = False

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Print it; only messages to a person have one."""
        url = context.globals.get(UNSUBSCRIBE_URL)
        if not isinstance(url, str):
            raise LiquidError("there is nothing to unsubscribe from here", token=self.token)
        return buffer.write(f'<a href="{url}" class="untracked">Unsubscribe</a>' if self.anchor else url)


class _UrlTag(Tag):
    """A tag that prints the link alone; the language it may name is that of the page."""

    name = "unsubscribe_url"
    block = False
    anchor: ClassVar[bool] = False

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag."""
        token = stream.current
        if stream.peek.kind == TOKEN_EXPRESSION:
            next(stream)
            argument = stream.current.value.strip()
            if argument and not _LANGUAGE.fullmatch(argument):
                message = f"Syntax Error in tag '{self.name}' - Valid syntax: {self.name} lang='fr'"
                raise LiquidSyntaxError(message, token=token)
        return _LinkNode(token, anchor=self.anchor)


class _PreferencesTag(_UrlTag):
    """The preferences page, which without a subscription center is the unsubscribe page (SUB-08)."""

    name = "manage_subscription_preferences_url"


class _AnchorTag(_UrlTag):
    """A ready link reading "Unsubscribe"."""

    name = "unsubscribe"
    anchor = True


class _ValueNode(Node):
    """A tag that does something with one value."""

    __slots__ = ("value",)

    def __init__(self, token: Token, value: Expression) -> None:
        super().__init__(token)
        self.value = value
        self.blank = False

    def expressions(self) -> Iterable[Expression]:
        """The value, for those who look at a template without rendering it."""
        yield self.value


class _ValueTag(Tag):
    """A tag followed by one value."""

    block = False
    node_class: ClassVar[type[_ValueNode]]

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag."""
        token = stream.eat(TOKEN_TAG)
        return self.node_class(token, FilteredExpression.parse(self.env, stream.into_inner(tag=token, eat=False)))


class _RandomNode(_ValueNode):
    """A whole number from 0 to the value, both included."""

    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Draw it: each render draws anew, and what was rendered is what is kept."""
        most = self.value.evaluate(context)
        if isinstance(most, Missing):
            raise most.fail()
        if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= MOST_RANDOM:
            raise LiquidError(f"random takes a whole number from 0 to {MOST_RANDOM}", token=self.token)
        return buffer.write(str(secrets.randbelow(most + 1)))


class _RandomTag(_ValueTag):
    """`{% random 9 %}` (ACT-20)."""

    name = "random"
    node_class = _RandomNode


class _RenderLiquidNode(_ValueNode):
    """The Liquid in a text, rendered with everything that the template around it sees."""

    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Render it; one inside the other, not more than a few deep."""
        value = self.value.evaluate(context)
        if isinstance(value, Missing):
            raise value.fail()
        with _deeper(context, self.token):
            context.env.from_string(printed(value)).render_with_context(context, buffer)
        return 1


@contextmanager
def _deeper(context: Any, token: Token) -> Iterator[None]:
    if context.liquid_depth >= DEEPEST:
        raise LiquidError(f"render_liquid is nested more than {DEEPEST} levels deep", token=token)
    context.liquid_depth += 1
    try:
        yield
    finally:
        context.liquid_depth -= 1


class _RenderLiquidTag(_ValueTag):
    """`{% render_liquid journey.body %}` (ACT-25)."""

    name = "render_liquid"
    node_class = _RenderLiquidNode


def register(env: Environment) -> None:
    """Add the platform's tags, and take away those that would load other templates."""
    for tag in (_UrlTag, _PreferencesTag, _AnchorTag, _RandomTag, _RenderLiquidTag):
        env.add_tag(tag)
    for name in ("include", "render"):
        env.tags.pop(name, None)


__all__ = ["UNSUBSCRIBE_URL", "register"]
