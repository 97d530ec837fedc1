"""`liquid`: a tag for every line; read line by line, and no line twice (MSG-07).

How python-liquid looks for the end of a line goes back and forth over blanks, so that a long run of them would take it minutes.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from liquid import Environment
from liquid.builtin.tags.liquid_tag import LiquidTag, _tokenize_liquid_expression

_LINES: Final = re.compile(
    r"(?P<LIQUID_EXPR>[ \t]*+(?P<name>#|\w++)[ \t\r]*+(?P<expr>[^\n]*+)(\n++|$))|(?P<SKIP>\s++)|(?P<illegal>.)",
    re.DOTALL,
)


class _Lines(LiquidTag):
    """The tag `liquid`."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self._tokenize = partial(_tokenize_liquid_expression, rules=_LINES, comment_start_string="")


def register(env: Environment) -> None:
    """Add it."""
    env.add_tag(_Lines)


__all__ = ["register"]
