"""Links that belong to one message: unsubscribing, preferences, the copy in a browser (MSG-08, SUB-08)."""

from __future__ import annotations

import re
from html import escape
from typing import Any, ClassVar, Final, TextIO

from liquid import Environment
from liquid.ast import Node
from liquid.exceptions import LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import Token

from rendering.tags.parts import argument_of, fail

UNSUBSCRIBE_URL: Final = "unsubscribe url"
"""The name under which the context of a message holds the link; no template can write it by accident."""
VIEW_URL: Final = "view url"
"""The name under which the context of an email holds the address of its copy in a browser."""
PREFERENCES_URL: Final = "preferences url"
"""The name under which it holds the address of the page of subscription preferences, where there is such a page."""

_LANGUAGE: Final = re.compile(r"""lang\s*[=:]\s*(["'])[A-Za-z0-9-]{1,35}\1""")


class _LinkNode(Node):
    """The link, bare or as a ready anchor."""

    __slots__ = ("link",)

    def __init__(self, token: Token, link: _Link) -> None:
        super().__init__(token)
        self.link = link
        self.blank = False

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Print it; messages that have none fail."""
        url = context.globals.get(self.link.key)
        if not isinstance(url, str):
            fail(self.link.without, self.token)
        if self.link.anchor is None:
            return buffer.write(url)
        return buffer.write(f'<a href="{escape(url)}" class="untracked">{self.link.anchor}</a>')


class _Link(Tag):
    """A tag that prints a link that the context holds."""

    block = False
    key: ClassVar[str]
    without: ClassVar[str]
    anchor: ClassVar[str | None] = None
    has_language: ClassVar[bool] = False

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag; the language that it may name is that of the page."""
        token = stream.current
        argument = argument_of(stream)
        if argument and not (self.has_language and _LANGUAGE.fullmatch(argument)):
            syntax = f"{self.name} lang='fr'" if self.has_language else self.name
            raise LiquidSyntaxError(f"Syntax Error in tag '{self.name}' - Valid syntax: {syntax}", token=token)
        return _LinkNode(token, self)


class _UnsubscribeUrl(_Link):
    """Where this person ends what brought this message."""

    name = "unsubscribe_url"
    key = UNSUBSCRIBE_URL
    without = "there is nothing to unsubscribe from here"
    has_language = True


class _Unsubscribe(_UnsubscribeUrl):
    """The same as a ready link."""

    name = "unsubscribe"
    anchor = "Unsubscribe"


class _PreferencesUrl(_Link):
    """The page on which this person chooses what to get."""

    name = "manage_subscription_preferences_url"
    key = PREFERENCES_URL
    without = "there is no page of subscription preferences"
    has_language = True


class _ViewUrl(_Link):
    """The copy of this email in a browser."""

    name = "view_in_browser_url"
    key = VIEW_URL
    without = "only an email can be viewed in a browser"


class _View(_ViewUrl):
    """The same as a ready link."""

    name = "view_in_browser"
    anchor = "View in browser"


def register(env: Environment) -> None:
    """Add them."""
    for tag in (_UnsubscribeUrl, _Unsubscribe, _PreferencesUrl, _ViewUrl, _View):
        env.add_tag(tag)


__all__ = ["PREFERENCES_URL", "UNSUBSCRIBE_URL", "VIEW_URL", "register"]
