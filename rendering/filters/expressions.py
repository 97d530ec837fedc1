"""Expressions that filters are given as texts, with the name that items have in them (MSG-11)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from liquid.builtin.expressions import BooleanExpression, FilteredExpression
from liquid.exceptions import FilterError, LiquidError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.token import TOKEN_EXPRESSION, Token

from rendering.printing import printed
from rendering.words import tokenize

_LONGEST: Final = 1_000


def evaluated(name: Any, expression: Any, context: Any) -> Callable[[Any], Any]:
    """What makes the value of an expression for an item that goes by that name."""
    text, item_name = printed(expression), printed(name)
    parsed = _parsed(context.env, text)

    def value_for(item: Any) -> Any:
        context.spend()
        with context.extend({item_name: item}):
            return parsed.evaluate(context)

    return value_for


@lru_cache(maxsize=1024)
def _parsed(env: Any, text: str) -> Expression:
    """A value with filters, or a condition."""
    if len(text) > _LONGEST:
        raise FilterError(f"an expression is longer than {_LONGEST} characters", token=None)
    whole = Token(TOKEN_EXPRESSION, text, 0, text)
    try:
        try:
            return FilteredExpression.parse(env, TokenStream(tokenize(text, whole)))
        except LiquidError:
            return BooleanExpression.parse(env, TokenStream(tokenize(text, whole)))
    except (LiquidError, ValueError):
        raise FilterError(f"'{text[:60]}' is not an expression", token=None) from None


__all__ = ["evaluated"]
