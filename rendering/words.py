"""Words inside expressions: what python-liquid keeps for itself may still be the name of a property or of a filter (MSG-02).

python-liquid keeps its tokens in a module function without a hook; `install` puts ours in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from liquid import stream
from liquid.builtin import output
from liquid.builtin.expressions import tokenize as with_keywords
from liquid.token import TOKEN_DOT, TOKEN_PIPE, TOKEN_WORD, Token

_BEFORE_NAMES: Final = (TOKEN_DOT, TOKEN_PIPE)
_READERS: Final[tuple[Any, ...]] = (stream, output)


def install() -> None:
    """Make templates be read with the function of this module."""
    for module in _READERS:
        if not hasattr(module, "tokenize"):
            raise ImportError(f"this version of python-liquid does not read expressions in {module.__name__}.tokenize")
        module.tokenize = tokenize


def tokenize(source: str, parent_token: Token) -> Iterator[Token]:
    """The tokens of an expression; behind a dot or a bar every word is a name."""
    before = ""
    for token in with_keywords(source, parent_token):
        named = before in _BEFORE_NAMES and token.kind == token.value and token.value.isalpha()
        before = token.kind
        yield token._replace(kind=TOKEN_WORD) if named else token


__all__ = ["install", "tokenize"]
