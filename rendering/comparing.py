"""How values compare in templates: leniently and totally (MSG-05, MSG-06).

python-liquid keeps its comparisons in module functions without a hook, and they disagree with the dialect about missing
values, `blank`, and numbers written as text; `install` puts ours in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liquid.builtin.expressions import logical
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.builtin.tags import case_tag
from liquid.undefined import Undefined

from domain.values import as_number


def install() -> None:
    """Make templates compare with the functions of this module."""
    for module, name, function in (
        (logical, "_eq", equal),
        (case_tag, "_eq", equal),
        (logical, "_lt", less),
        (logical, "_le", less_or_equal),
        (logical, "_contains", contains),
    ):
        if not hasattr(module, name):
            raise ImportError(f"this version of python-liquid keeps no comparison in {module.__name__}.{name}")
        setattr(module, name, function)


def _plain(value: Any) -> Any:
    return None if isinstance(value, Undefined) else value


def is_blank(value: Any) -> bool:
    """Whether a value equals `blank`: missing, null, false, empty or only white space."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is False or (isinstance(value, list | dict | tuple) and not value)


def _is_empty(value: Any) -> bool:
    return isinstance(value, str | list | dict | tuple) and not value


def equal(left: Any, right: Any) -> bool:
    """`==`: numeric text equals numbers, `true` equals `"true"`, nil equals what is missing; text keeps its case."""
    if left.__class__ is str and right.__class__ is str:
        return bool(left == right)
    left, right = _plain(left), _plain(right)
    if isinstance(right, Blank | Empty):
        left, right = right, left
    if isinstance(left, Blank):
        return isinstance(right, Blank | Empty) or is_blank(right)
    if isinstance(left, Empty):
        return isinstance(right, Blank | Empty) or _is_empty(right)
    if isinstance(right, bool):
        left, right = right, left
    if isinstance(left, bool):
        return left is right or (isinstance(right, str) and right == ("true" if left else "false"))
    if isinstance(left, str) != isinstance(right, str):
        first, second = as_number(left), as_number(right)
        return first is not None and first == second
    return bool(left == right)


def _pair(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Two values that have an order: two texts, or two numbers, one of which may be written as text."""
    left, right = _plain(left), _plain(right)
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    first, second = as_number(left), as_number(right)
    return None if first is None or second is None else (first, second)


def less(_token: Any, left: Any, right: Any) -> bool:
    """`<`; false where there is no order."""
    pair = _pair(left, right)
    return pair is not None and bool(pair[0] < pair[1])


def less_or_equal(left: Any, right: Any) -> bool:
    """`<=`; false where there is no order."""
    pair = _pair(left, right)
    return pair is not None and bool(pair[0] <= pair[1])


def contains(_token: Any, left: Any, right: Any) -> bool:
    """`contains`: part of a text, element of an array, key of an object; false for everything else."""
    left, right = _plain(left), _plain(right)
    if right is None:
        return False
    if isinstance(left, str):
        return (right if isinstance(right, str) else str(right)) in left
    if isinstance(left, Mapping):
        return isinstance(right, str) and right in left
    return isinstance(left, Sequence) and any(equal(item, right) for item in left)


__all__ = ["contains", "equal", "install", "is_blank", "less", "less_or_equal"]
