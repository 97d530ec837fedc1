"""Expressions as functions: what is known of one when it is read is done then, and not again in every render.

They give what python-liquid's own `evaluate` gives; an expression that has no function here is evaluated by that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path
from liquid.builtin.expressions.arguments import KeywordArgument
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Literal
from liquid.exceptions import FilterArgumentError, LiquidTypeError
from liquid.expression import Expression

from rendering.comparing import equal
from rendering.missing import KINDS
from rendering.running import path_text

Value = Callable[[Any], Any]
"""Gives a value in a render."""
_COUNTED: Final = ("size", "first", "last")
"""Steps of a path that mean more than a key."""


def evaluation(expression: Expression) -> Value:
    """What gives the value of an expression."""
    make = _FUNCTIONS.get(type(expression))
    return expression.evaluate if make is None else make(expression)


def _path(path: Path) -> Value:
    root, *keys = path.path
    if not isinstance(root, str) or not all(isinstance(key, str) and key not in _COUNTED for key in keys):
        return path.evaluate
    name, token = path_text([root, *keys]), path.token

    def read(context: Any) -> Any:
        try:
            found = context.root(root)
            for key in keys:
                found = found[key]
        except (LookupError, TypeError):
            return context.undefined(name, token=token)
        return found

    return read


def _filtered(expression: FilteredExpression) -> Value:
    first = evaluation(expression.left)
    if not expression.filters:
        return first
    filters = [_filter(used) for used in expression.filters]

    def filtered(context: Any) -> Any:
        value = first(context)
        for function in filters:
            value = function(value, context)
        return value

    return filtered


def _filter(used: Filter) -> Callable[[Any, Any], Any]:
    if any(isinstance(argument, KeywordArgument) for argument in used.args):
        return used.evaluate
    name, token = used.name, used.token
    given = [argument.value for argument in used.args]
    arguments = [evaluation(value) for value in given]
    known = tuple(value.value for value in given if isinstance(value, Literal))
    all_known = len(known) == len(given)

    def apply(value: Any, context: Any) -> Any:
        function = context.env.plain_filters.get(name)
        if function is None:
            return used.evaluate(value, context)
        budget = context.budget
        budget.left -= 1
        if budget.left < 0:
            budget.look()
        try:
            return function(value, *(known if all_known else [argument(context) for argument in arguments]))
        except (LiquidTypeError, FilterArgumentError) as error:
            error.token = token
            raise

    return apply


def _condition(expression: BooleanExpression) -> Value:
    asked = evaluation(expression.expression)

    def holds(context: Any) -> bool:
        value = asked(context)
        return value is True or not (value is False or value is None or value.__class__ in KINDS)

    return holds


def _equal(expression: EqExpression) -> Value:
    left, right = evaluation(expression.left), evaluation(expression.right)
    return lambda context: equal(left(context), right(context))


def _unequal(expression: NeExpression) -> Value:
    left, right = evaluation(expression.left), evaluation(expression.right)
    return lambda context: not equal(left(context), right(context))


def _literal(expression: Literal[Any]) -> Value:
    value = expression.value
    return lambda _context: value


_FUNCTIONS: Final[dict[type[Expression], Callable[[Any], Value]]] = {
    Path: _path,
    FilteredExpression: _filtered,
    BooleanExpression: _condition,
    EqExpression: _equal,
    NeExpression: _unequal,
    **dict.fromkeys(Literal.__subclasses__(), _literal),
}


__all__ = ["Value", "evaluation"]
