"""Expressions as functions give what python-liquid's own evaluation of them gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from liquid.builtin.expressions import BooleanExpression, FilteredExpression
from liquid.exceptions import LiquidError
from liquid.stream import TokenStream
from liquid.token import TOKEN_EXPRESSION, Token

from rendering.errors import FAULTS, in_words
from rendering.evaluating import evaluation
from rendering.liquid import _ENVIRONMENT
from rendering.missing import BLANK, Missing
from rendering.running import Running
from rendering.words import tokenize

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DATA: dict[str, Any] = {
    "a": {"b": {"c": 7, "size": "own"}, "list": [1, {"k": "x"}], "text": "Ann", "none": None, "no": False},
    "key": "text",
}
VALUES = (
    "a.b.c",
    "a.text",
    "a['text']",
    "a[key]",
    "a.list[1].k",
    "a.list.first",
    "a.list.size",
    "a.b.size",
    "a.text.size",
    "a.text.more",
    "a.list.k",
    "a.nothing.here",
    "nothing",
    "nothing.here",
    "'text'",
    "-2.5",
    "(1..3)",
    "nil",
    "a.text | upcase",
    "a.text | append: key, key",
    "a.nothing | default: a.b.c",
    "a.no | default: 'x', allow_false: true",
    "a.nothing | upcase",
    "a.list | map: 'k' | join: ', '",
    "a.list | where_exp: 'item', 'item.k == nil'",
    "a.text | unheard_of",
    "a.b | plus: 1",
)
CONDITIONS = (
    *VALUES[:18],
    "a.text == 'Ann'",
    "a.none == nothing",
    "a.b.c != '7'",
    "a.no or a.text",
    "a.b.c > 6 and key",
)


def parsed(kind: Any, text: str) -> Any:
    return kind.parse(_ENVIRONMENT, TokenStream(tokenize(text, Token(TOKEN_EXPRESSION, text, 0, text))))


def outcome(function: Any, data: dict[str, Any]) -> Any:
    """The value, or in words why there is none."""
    try:
        value = function(Running(_ENVIRONMENT.template(""), now=NOW, globals=data))
    except (LiquidError, *FAULTS) as fault:
        return "failed", in_words(fault)
    return (type(value), value.name) if isinstance(value, Missing) else value


@pytest.mark.parametrize("data", [DATA, {**DATA, BLANK: True}, {}], ids=["strict", "lenient", "empty"])
@pytest.mark.parametrize(
    ("kind", "text"),
    [*[(FilteredExpression, text) for text in VALUES], *[(BooleanExpression, text) for text in CONDITIONS]],
)
def test_a_function_gives_what_evaluating_gives(kind: Any, text: str, data: dict[str, Any]) -> None:
    expression = parsed(kind, text)
    assert outcome(evaluation(expression), data) == outcome(expression.evaluate, data)
