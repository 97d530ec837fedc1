"""The guard that every filter runs behind: what it may be given, and how large what it makes may be (MSG-05, MSG-35)."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, Final

from liquid.exceptions import FilterArgumentError, FilterError, ResourceLimitError

from rendering.missing import KINDS, Silent

MAX_TEXT: Final = 1_000_000
MAX_ITEMS: Final = 10_000
MAX_NUMBER: Final = 10**30
MAX_LIST: Final = 100_000

Filter = Callable[..., Any]
_AS_THEY_ARE: Final = frozenset({str, int, float, bool, type(None)})
_POSITIONAL: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def guarded(name: str, function: Filter) -> Filter:
    """A filter that refuses missing data (but for `default`), wrong arguments, and results of any length."""
    takes_missing, (least, most), known = name == "default", arguments_of(function), _options_of(function)

    def guard(value: Any, *args: Any, **options: Any) -> Any:
        if value.__class__ in KINDS and not takes_missing:
            if isinstance(value, Silent):
                return value
            raise value.fail()
        # The render itself may come along as an option, which is no argument of the template.
        if not least <= len(args) <= most or (options and not known.issuperset(options)):
            raise FilterArgumentError(f"Wrong arguments for the filter '{name}'", token=None)
        if args:
            args = tuple(map(_given, args))
        try:
            result = function(value if takes_missing else _given(value), *args, **options)
            return result if result.__class__ is str and len(result) <= MAX_TEXT else bounded(result)
        except TypeError:
            raise wrong_type() from None

    for mark in ("with_context", "with_environment"):
        if getattr(function, mark, False):
            setattr(guard, mark, True)
    guard.arguments = (least, most)  # type: ignore[attr-defined]
    return guard


def wrong_type() -> FilterError:
    """The failure of a filter that is given what it has no use for (MSG-35)."""
    return FilterError("Unidentified method", token=None)


def too_long() -> ResourceLimitError:
    """The failure of a filter that would make too long a text."""
    return ResourceLimitError("a text grows too long", token=None)


def arguments_of(function: Filter) -> tuple[int, int]:
    """How many arguments a filter takes at least and at most, besides its input."""
    given = list(signature(function).parameters.values())[1:]
    plain = [parameter for parameter in given if parameter.kind in _POSITIONAL]
    most = 1_000 if any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in given) else len(plain)
    return sum(parameter.default is Parameter.empty for parameter in plain), most


def _options_of(function: Filter) -> frozenset[str]:
    return frozenset(
        name for name, parameter in signature(function).parameters.items() if parameter.kind is Parameter.KEYWORD_ONLY
    )


def _given(value: Any) -> Any:
    """A value as filters know them: arrays instead of ranges, null for what may be missing."""
    if value.__class__ in _AS_THEY_ARE:
        return value
    if value.__class__ in KINDS:
        return value.used()
    if isinstance(value, range):
        if len(value) > MAX_ITEMS:
            raise ResourceLimitError(f"a range has more than {MAX_ITEMS} numbers", token=None)
        return list(value)
    return value


def bounded(result: Any) -> Any:
    """A result that is not too large; raises ResourceLimitError for one that is."""
    if isinstance(result, str):
        if len(result) > MAX_TEXT:
            raise too_long()
    elif isinstance(result, int):
        if abs(result) > MAX_NUMBER:
            raise ResourceLimitError("a number grows too large", token=None)
    elif isinstance(result, float):
        if not math.isfinite(result):
            raise ResourceLimitError("a number grows too large", token=None)
    elif isinstance(result, list) and len(result) > MAX_LIST:
        raise ResourceLimitError("an array grows too large", token=None)
    return result


__all__ = ["MAX_ITEMS", "MAX_TEXT", "Filter", "arguments_of", "bounded", "guarded", "too_long", "wrong_type"]
