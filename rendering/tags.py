"""The tags of the platform: links that belong to one delivery (MSG-08, SUB-08)."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final, TextIO

from liquid import Environment
from liquid.ast import Node
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, Token

UNSUBSCRIBE_URL: Final = "unsubscribe url"
"""The name under which the context of a message holds the link; no template can write it by accident."""

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


def register(env: Environment) -> None:
    """Add the platform's tags, and take away those that would load other templates."""
    for tag in (_UrlTag, _PreferencesTag, _AnchorTag):
        env.add_tag(tag)
    for name in ("include", "render"):
        env.tags.pop(name, None)


__all__ = ["UNSUBSCRIBE_URL", "register"]
