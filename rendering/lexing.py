"""Templates as tokens, with what editors write put right and what is unfinished told in words (MSG-07, MSG-35).

The tokens are python-liquid's. Its own expression for them goes back and forth over white space and over what never ends, so
that one long line of blanks would take it hours; here every character is looked at a few times at most.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from liquid.exceptions import LiquidSyntaxError
from liquid.token import (
    TOKEN_COMMENT,
    TOKEN_CONTENT,
    TOKEN_DOC,
    TOKEN_EOF,
    TOKEN_EXPRESSION,
    TOKEN_OUTPUT,
    TOKEN_TAG,
    Token,
)

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
_BEGIN: Final = re.compile(r"\{[{%]")
_NAME: Final = re.compile(r"-?\s*+(#|\w++)")
_VERBATIM: Final = {
    name: (re.compile(rf"\{{%-?\s*+{name}\s*+(-?)%\}}"), re.compile(rf"\{{%-?\s*+end{name}\s*+-?%\}}"), kind)
    for name, kind in (("raw", TOKEN_CONTENT), ("doc", TOKEN_DOC))
}
"""What stands between these two tags is taken as it is: how they look, and what becomes of it."""


def tokens(source: str) -> Iterator[Token]:
    """The tokens of a template; raises LiquidSyntaxError where something was begun and never ended."""
    _check_closed(source)
    found = list(_Lexer(source).tokens())
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


class _Lexer:
    """Reads a template from its begin to its end, once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._last = {end: source.rfind(end) for end in ("}}", "%}")}
        self._place = 0
        self._strips = False
        """Whether the statement before took the white space behind it."""
        self._commented: list[int] = []
        """Where comments begin that have not ended, each within the one before."""

    def tokens(self) -> Iterator[Token]:
        """Every token."""
        source = self._source
        while self._place < len(source):
            begin = _BEGIN.search(source, self._place)
            at = len(source) if begin is None else begin.start()
            if at > self._place:
                yield from self._text(self._place, at)
            self._place = at
            if begin is None:
                break
            yield from self._output(at) if begin[0] == "{{" else self._tag(at)

    def _text(self, start: int, end: int) -> Iterator[Token]:
        if self._commented:
            return
        text = self._source[start:end]
        if self._strips:
            text = text.lstrip()
        if self._source.startswith("-", end + 2):
            text = text.rstrip()
        if text:
            yield Token(TOKEN_CONTENT, text, start, self._source)

    def _output(self, at: int) -> Iterator[Token]:
        end = self._end("}}", at)
        if end < 0 and self._source.startswith(("{{", "{%"), at + 1):
            # The brace is a text, and what stands behind it begins one later.
            yield from self._text(at, at + 1)
            self._place = at + 1
            return
        if end < 0:
            self._unfinished(at, _endless_variable(self._source, at))
            return
        self._place = end + 2
        if self._commented:
            return
        start, stop = self._inside(at + 2 + self._source.startswith("-", at + 2), end)
        yield Token(TOKEN_OUTPUT, self._source[at : self._place], at, self._source)
        yield Token(TOKEN_EXPRESSION, self._source[start:stop], start, self._source)

    def _tag(self, at: int) -> Iterator[Token]:
        source = self._source
        name, end = _NAME.match(source, at + 2), self._end("%}", at)
        if name is None or end < 0:
            shown = source[at : end + 2] if 0 <= end < at + 200 else "{%"
            self._unfinished(at, f"Tag '{shown}' was not properly terminated with regexp: /\\%}}/")
            return
        if name[1] in _VERBATIM:
            opening, closing, kind = _VERBATIM[name[1]]
            opened = opening.match(source, at)
            closed = closing.search(source, opened.end()) if opened is not None else None
            if opened is not None and closed is not None:
                self._place = closed.end()
                if not self._commented:
                    self._strips = bool(opened[1])
                    yield Token(kind, source[opened.end() : closed.start()], at, source)
                return
        self._place = end + 2
        begun = self._commented[0] if self._commented else None
        if name[1] == "comment":
            self._commented.append(self._place)
        elif name[1] == "endcomment" and self._commented:
            self._commented.pop()
        if begun is not None and self._commented:
            return
        start, stop = self._inside(name.end(), end)
        if begun is not None:
            yield Token(TOKEN_COMMENT, source[begun:at], begun, source)
        yield Token(TOKEN_TAG, name[1], name.start(1), source)
        if begun is None and start < stop:
            yield Token(TOKEN_EXPRESSION, source[start:stop], start, source)

    def _end(self, mark: str, at: int) -> int:
        """Where the statement from there ends; below 0 where it never does, which no search has to find out each time."""
        return self._source.find(mark, at + 2) if self._last[mark] >= at + 2 else -1

    def _inside(self, start: int, end: int) -> tuple[int, int]:
        """Where what is said in a statement begins and ends, without white space and the hyphen that takes it away."""
        self._strips = end > start and self._source[end - 1] == "-"
        said = self._source[start : end - self._strips]
        shown = said.strip()
        if not shown:
            return start, start
        start += len(said) - len(said.lstrip())
        return start, start + len(shown)

    def _unfinished(self, at: int, message: str) -> None:
        """Fail at what never ends; in a comment it is a text like any other."""
        if not self._commented:
            raise LiquidSyntaxError(message, token=Token(TOKEN_EOF, self._source[at:], at, self._source))
        self._place = at + 1


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
    for name, (opening, closing, _) in _VERBATIM.items():
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


__all__ = ["tokens"]
