"""`cio_link`: an address with the workspace's URL parameters, wherever links are not looked at by themselves (MSG-08)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.exceptions import LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import Token

from rendering.tags.parts import argument_of, fail
from rendering.url_parameters import with_parameters

URL_PARAMETERS: Final = "url parameters"
"""The name under which a context holds the workspace's URL parameters: by their names the templates of their values."""

_SYNTAX: Final = (
    "Syntax Error in tag 'cio_link' - Valid syntax: cio_link url:https://example.com [track:true] [url_params:true]"
)
_VARIABLE: Final = r"\{\{(?:(?!\}\}).)*\}\}"
_ARGUMENT: Final = re.compile(
    rf"""\s*+,?\s*+(?P<name>\w++)\s*+:\s*+(?:"(?P<double>(?:{_VARIABLE}|(?!\{{\{{)[^"])*)"|'(?P<single>(?:{_VARIABLE}|(?!\{{\{{)[^'])*)'"""
    rf"""|(?P<bare>(?:{_VARIABLE}|(?!\{{\{{)[^\s"'])+))""",
    re.DOTALL,
)
_WORDS: Final = {"true": True, "false": False}


class _LinkNode(Node):
    """The address."""

    __slots__ = ("extended", "template", "url")

    def __init__(self, token: Token, url: str, template: BoundTemplate | None, *, extended: bool) -> None:
        super().__init__(token)
        self.url = url
        self.template = template
        self.extended = extended
        self.blank = False

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        """Print it, with the parameters."""
        url = self.url if self.template is None else _text(self.template, context)
        return buffer.write(with_parameters(url.strip(), self._parameters(context), {}))

    def _parameters(self, context: Any) -> dict[str, str]:
        given = context.globals.get(URL_PARAMETERS) if self.extended else None
        found: dict[str, str] = {}
        for name, source in given.items() if isinstance(given, Mapping) else ():
            inner = context.inner(context.env.template(source), context.globals)
            found[name] = _text(inner.template, inner).strip()
            if not found[name]:
                fail(f"The value of the URL parameter {name} is empty", self.token)
        return found

    def children(self, _static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:  # noqa: ARG002
        """What stands in the address."""
        return self.template.nodes if self.template is not None else ()


def _text(template: BoundTemplate, context: Any) -> str:
    buffer = context.get_buffer()
    for node in template.nodes:
        node.render(context, buffer)
    return str(buffer.getvalue())


class _CioLink(Tag):
    """`{% cio_link url:https://example.com track:true url_params:true %}`."""

    name = "cio_link"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Read the tag."""
        token = stream.current
        argument, given, place = argument_of(stream), dict[str, str](), 0
        while place < len(argument):
            found = _ARGUMENT.match(argument, place)
            if found is None or found["name"] in given:
                raise LiquidSyntaxError(_SYNTAX, token=token)
            quoted = found["single"] if found["double"] is None else found["double"]
            given[found["name"]] = found["bare"].rstrip(",") if quoted is None else quoted
            place = found.end()
        url = given.pop("url", "").strip()
        if not url or not given.keys() <= {"track", "url_params"} or not set(given.values()) <= _WORDS.keys():
            raise LiquidSyntaxError(_SYNTAX, token=token)
        template = self.env.from_string(url) if "{{" in url else None
        return _LinkNode(token, url, template, extended=_WORDS[given.get("url_params", "true")])


def register(env: Environment) -> None:
    """Add it."""
    env.add_tag(_CioLink)


__all__ = ["URL_PARAMETERS", "register"]
