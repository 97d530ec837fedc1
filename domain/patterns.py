"""The small pattern language of conditions: `|` or, `+` and, `*` any run, backslash escapes; no regular expressions (PPL-32).

A pattern is compiled once into text searches from left to right, so its cost never explodes whatever somebody writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_STAR = "*"
_SPECIAL = "|+*\\"
_Token = tuple[str, bool]
"""One character and whether it is an operator (unescaped)."""


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A compiled `contains` pattern: alternatives of pieces, a piece being runs of text that follow one another."""

    alternatives: tuple[tuple[tuple[str, ...], ...], ...]

    def search(self, text: str) -> bool:
        """Whether the text contains, case ignored, every piece of one alternative."""
        folded = text.casefold()
        return any(all(_follows(piece, folded) for piece in pieces) for pieces in self.alternatives)


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A compiled event, page, screen or form name: exact names, and searches for the alternatives that hold a `*`."""

    names: frozenset[str]
    searches: tuple[tuple[str, ...], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all can match, because nothing is written between the bars."""
        return not self.names and not self.searches

    def matches(self, name: str) -> bool:
        """Whether the name, trimmed and case ignored, is one of the alternatives."""
        folded = fold_name(name)
        return folded in self.names or any(_follows(piece, folded) for piece in self.searches)


@lru_cache(maxsize=16_384)
def fold_name(name: str) -> str:
    """The form in which event names are compared: trimmed, case ignored."""
    return name.strip().casefold()


def literal_name(name: str) -> str:
    """The pattern that means exactly this name, whatever characters it holds."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in name)


@lru_cache(maxsize=4_096)
def compile_text(pattern: str) -> TextPattern:
    """A `contains` pattern; empty alternatives and pieces count for nothing, so that `a|` is `a`."""
    alternatives = []
    for alternative in _split(_tokens(pattern), "|"):
        pieces = tuple(_runs(piece) for piece in _split(alternative, "+") if piece)
        if pieces:
            alternatives.append(pieces)
    return TextPattern(tuple(alternatives))


@lru_cache(maxsize=4_096)
def compile_literal(text: str) -> TextPattern:
    """A search for exactly this text: what a value taken from data means, whatever characters it holds."""
    return TextPattern((((text.casefold(),),),) if text else ())


@lru_cache(maxsize=4_096)
def compile_name(pattern: str) -> NamePattern:
    """A name pattern: `|` separates alternatives, one without `*` is an exact name, `+` is an ordinary character."""
    names, searches = [], []
    for alternative in _split(_tokens(pattern), "|"):
        if any(token == (_STAR, True) for token in alternative):
            searches.append(tuple(run for run in _runs(_trimmed(alternative)) if run))
        elif name := fold_name("".join(char for char, _ in alternative)):
            names.append(name)
    return NamePattern(frozenset(names), tuple(searches))


@lru_cache(maxsize=4_096)
def compile_search(pattern: str) -> NamePattern:
    """A pattern looked for anywhere in a text, as in the address of a link: `|` separates alternatives, `+` is ordinary."""
    alternatives = (_trimmed(alternative) for alternative in _split(_tokens(pattern), "|"))
    return NamePattern(frozenset(), tuple(_runs(alternative) for alternative in alternatives if alternative))


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and pattern[index + 1 : index + 2] and pattern[index + 1] in _SPECIAL:
            tokens.append((pattern[index + 1], False))
            index += 2
            continue
        tokens.append((char, char in "|+*"))
        index += 1
    return tokens


def _split(tokens: list[_Token], operator: str) -> list[list[_Token]]:
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token == (operator, True):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _runs(tokens: list[_Token]) -> tuple[str, ...]:
    return tuple("".join(char for char, _ in run).casefold() for run in _split(tokens, _STAR))


def _trimmed(tokens: list[_Token]) -> list[_Token]:
    while tokens and tokens[0][0].isspace():
        tokens = tokens[1:]
    while tokens and tokens[-1][0].isspace():
        tokens = tokens[:-1]
    return tokens


def _follows(runs: tuple[str, ...], text: str) -> bool:
    """Whether the runs occur in this order; taking each at its first place is enough, as nothing is anchored."""
    start = 0
    for run in runs:
        found = text.find(run, start)
        if found < 0:
            return False
        start = found + len(run)
    return True
