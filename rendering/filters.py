"""The filters that differ from python-liquid's, and the guard that all of them run behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from liquid import Environment
from liquid.exceptions import FilterArgumentError, FilterError, ResourceLimitError
from liquid.filter import num_arg, with_context

from rendering.dates import format_date
from rendering.missing import Missing
from rendering.printing import printed

MAX_TEXT: Final = 1_000_000
MAX_ITEMS: Final = 10_000
MAX_NUMBER: Final = 10**30

_TEXT = frozenset(
    [
        "append",
        "base64_decode",
        "base64_encode",
        "base64_url_safe_decode",
        "base64_url_safe_encode",
        "capitalize",
        "downcase",
        "encode",
        "escape",
        "escape_once",
        "lstrip",
        "newline_to_br",
        "prepend",
        "remove",
        "remove_first",
        "remove_last",
        "replace",
        "replace_first",
        "replace_last",
        "rstrip",
        "split",
        "squish",
        "strip",
        "strip_html",
        "strip_newlines",
        "truncate",
        "truncatewords",
        "upcase",
        "url_decode",
        "url_encode",
    ]
)
"""The filters whose input is text whatever it was: printed first, as the template would print it."""


def register(env: Environment) -> None:
    """Add our filters and put the guard around every filter."""
    env.add_filter("date", _date)
    env.add_filter("json", _json)
    env.add_filter("to_json", _json)
    env.add_filter("encode", env.filters["url_encode"])
    env.add_filter("modulo", _modulo)
    env.add_filter("replace", _replace)
    env.add_filter("join", _join)
    for name, function in list(env.filters.items()):
        env.filters[name] = _guarded(name, function)


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that refuses missing data (but for `default`) and results of any length."""
    is_text, takes_missing = name in _TEXT, name == "default"

    def guarded(value: Any, *args: Any, **options: Any) -> Any:
        if not takes_missing:
            for item in (value, *args):
                if isinstance(item, Missing):
                    raise item.fail()
        if isinstance(value, range) and len(value) > MAX_ITEMS:
            raise ResourceLimitError(f"a range has more than {MAX_ITEMS} numbers", token=None)
        if is_text and not isinstance(value, str):
            value = printed(value)
        return _bounded(function(value, *args, **options))

    for mark in ("with_context", "with_environment"):
        if getattr(function, mark, False):
            setattr(guarded, mark, True)
    return guarded


def _bounded(result: Any) -> Any:
    if isinstance(result, str):
        if len(result) > MAX_TEXT:
            raise ResourceLimitError("a text grows too long", token=None)
    elif isinstance(result, int) and abs(result) > MAX_NUMBER:
        raise ResourceLimitError("a number grows too large", token=None)
    return result


@with_context
def _date(value: Any, pattern: Any = "%F", zone: Any = None, *, context: Any) -> str:
    return format_date(value, pattern, zone, context.now)


def _json(value: Any, indent: Any = None) -> str:
    spaces = int(indent) if isinstance(indent, int) and 0 < indent <= 10 else None
    separators = (",", ":") if spaces is None else None
    try:
        return json.dumps(value, ensure_ascii=False, indent=spaces, separators=separators, default=printed)
    except (ValueError, RecursionError):
        raise FilterError("the value cannot be written as JSON", token=None) from None


def _modulo(value: Any, other: Any) -> Any:
    """The remainder, never negative for a positive divisor (MSG-10)."""
    number, divisor = num_arg(value, default=0), num_arg(other, default=0)
    if divisor == 0:
        raise FilterArgumentError("modulo: can't divide by 0", token=None)
    return number % divisor


def _replace(value: str, old: Any, new: Any = "") -> str:
    before, after = printed(old), printed(new)
    if len(value) + value.count(before) * len(after) > MAX_TEXT:
        raise ResourceLimitError("a text grows too long", token=None)
    return value.replace(before, after)


def _join(value: Any, separator: Any = " ") -> str:
    items = [printed(item) for item in value] if isinstance(value, list | tuple | range) else [printed(value)]
    between = printed(separator)
    if sum(map(len, items)) + len(items) * len(between) > MAX_TEXT:
        raise ResourceLimitError("a text grows too long", token=None)
    return between.join(items)


__all__ = ["MAX_ITEMS", "MAX_TEXT", "register"]
