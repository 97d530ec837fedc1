"""Templates as tokens: python-liquid's, with what editors write put right and what is unfinished told in words (MSG-07, MSG-35)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

MAX_EXPRESSION: Final = 50_000
MAX_BRACKETS: Final = 200
"""What python-liquid reads once per bracket, it would read for very long."""

_ENTITY: Final = re.compile(r"&(lt|gt|amp|quot|apos|nbsp|#34|#39|#160|#x22|#x27|#xA0);", re.IGNORECASE)
_CHARACTERS: Final = {
    "lt": "<",
    "gt": ">",
    "amp": "&",
    "quot": '"',
    "apos": "'",
    "nbsp": " ",
    "#34": '"',
    "#39": "'",
    "#160": " ",
    "#x22": '"',
    "#x27": "'",
    "#xa0": " ",
}
_QUOTED: Final = re.compile(r"""("[^"]*"|'[^']*')""")
_ELSE_IF: Final = re.compile(r"if\b\s*(.*)", re.DOTALL)
_OPENING: Final = {
    name: (re.compile(rf"\{{%-?\s*{name}\s*-?%\}}"), re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}"))
    for name in ("raw", "doc")
}

Lexer = Callable[[str], Iterator[Token]]


def tokens(source: str, lexer: Lexer) -> Iterator[Token]:
    """The tokens of a template; raises LiquidSyntaxError where something was begun and never ended."""
    _check_closed(source)
    try:
        found = list(lexer(source))
    except LiquidSyntaxError as error:
        raise _unfinished(error, source) from None
    for place, token in enumerate(found):
        if token.kind != TOKEN_EXPRESSION or not place:
            continue
        before, shown = found[place - 1], _expression(token, found[place - 1].kind)
        if (
            before.kind == TOKEN_TAG
            and before.value == "else"
            and (condition := _ELSE_IF.match(shown.value)) is not None
        ):
            found[place - 1], shown = before._replace(value="elsif"), shown._replace(value=condition[1])
        found[place] = shown
    return iter(found)


def _expression(token: Token, kind: str) -> Token:
    text = token.value
    if "&" in text:
        # Editors write entities for what is typed; in a quoted text they may be meant.
        parts = _QUOTED.split(text)
        parts[::2] = [_ENTITY.sub(lambda found: _CHARACTERS[found[1].lower()], part) for part in parts[::2]]
        text = "".join(parts)
        token = token._replace(value=text)
    if len(text) > MAX_EXPRESSION:
        raise LiquidSyntaxError(f"An expression is longer than {MAX_EXPRESSION} characters", token=token)
    if text.count("(") + text.count("[") > MAX_BRACKETS:
        raise LiquidSyntaxError("An expression has too many brackets", token=token)
    if kind == TOKEN_OUTPUT and "}" in text and "}" in _QUOTED.sub("", text):
        raise LiquidSyntaxError(
            _endless_variable(token.source, token.source.rfind("{{", 0, token.start_index)), token=token
        )
    return token


def _check_closed(source: str) -> None:
    for name, (opening, closing) in _OPENING.items():
        if name not in source:
            continue
        last = deque(opening.finditer(source), maxlen=1)
        if last and closing.search(source, last[0].end()) is None:
            token = Token(TOKEN_TAG, name, last[0].start(), source)
            raise LiquidSyntaxError(f"{name} tag was never closed", token=token)


def _endless_variable(source: str, start: int) -> str:
    end = source.find("}", start)
    begun = source[start : end + 1] if 0 <= end < start + 200 else "{{"
    return f"Variable {begun} was not properly terminated with regexp: /}}}}/"


def _unfinished(error: LiquidSyntaxError, source: str) -> LiquidSyntaxError:
    """The same in words where python-liquid met a statement or a tag without an end."""
    if error.token is None or error.token.kind != TOKEN_EOF:
        return error
    start = error.token.start_index
    if source.startswith("{{", start):
        message = _endless_variable(source, start)
    else:
        end = source.find("%}", start)
        begun = source[start : end + 2] if 0 <= end < start + 200 else "{%"
        message = f"Tag '{begun}' was not properly terminated with regexp: /\\%}}/"
    return LiquidSyntaxError(message, token=error.token)


__all__ = ["tokens"]
