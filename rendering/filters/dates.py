"""Dates: in a format and a zone, a few days on, as others write them (MSG-12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from liquid import Environment
from liquid.exceptions import FilterError
from liquid.filter import with_context

from domain.values import to_unix
from rendering.dates import format_date, instant_of, moved
from rendering.filters.guard import wrong_type
from rendering.filters.inputs import number
from rendering.printing import printed
from rendering.zones import Zoned, zone_by_hours

_FARTHEST: Final = 1_000_000


@with_context
def date(value: Any, pattern: Any = "%F", zone: Any = None, *, context: Any) -> str:
    """A date in a format, in a zone."""
    return format_date(value, pattern, zone, context.now)


def timezone(value: Any, zone: Any) -> str:
    """A date that the next `date` shows in this zone."""
    return Zoned(printed(value), zone_by_hours(zone))


@with_context
def date_to_string(value: Any, style: Any = None, variant: Any = None, *, context: Any) -> str:
    """A date such as `07 Nov 2008`."""
    return _spelled(value, "%b", style, variant, context)


@with_context
def date_to_long_string(value: Any, style: Any = None, variant: Any = None, *, context: Any) -> str:
    """A date such as `07 November 2008`; as "ordinal", "US" such as `November 7th, 2008`."""
    return _spelled(value, "%B", style, variant, context)


@with_context
def date_to_rfc822(value: Any, *, context: Any) -> str:
    """A date as mails have it."""
    return format_date(value, "%a, %d %b %Y %H:%M:%S %z", None, context.now)


@with_context
def date_to_xmlschema(value: Any, *, context: Any) -> str:
    """A date as XML has it."""
    return format_date(value, "%Y-%m-%dT%H:%M:%S%:z", None, context.now)


def _spelled(value: Any, month: str, style: Any, variant: Any, context: Any) -> str:
    if style != "ordinal":
        return format_date(value, f"%d {month} %Y", None, context.now)
    day = format_date(value, "%-d", None, context.now)
    if not day.isdecimal():
        return day
    nth = f"{day}{'th' if day in ('11', '12', '13') else {'1': 'st', '2': 'nd', '3': 'rd'}.get(day[-1], 'th')}"
    pattern = f"{month} {nth}, %Y" if variant == "US" else f"{nth} {month} %Y"
    return format_date(value, pattern, None, context.now)


def _mover(name: str, sign: int, unit: str) -> Callable[..., int]:
    @with_context
    def move(value: Any, count: Any = 1, *, context: Any) -> int:
        instant, steps = instant_of(value, context.now), number(count)
        if instant is None:
            raise wrong_type()
        if abs(steps) > _FARTHEST:
            raise FilterError(f"{name} moves by at most {_FARTHEST}", token=None)
        try:
            return to_unix(moved(instant, sign * int(steps), unit))
        except (OverflowError, ValueError):
            raise FilterError(f"{name} leaves the years that there are", token=None) from None

    move.__name__ = name
    return move


def register(env: Environment) -> None:
    """Add them."""
    for function in (date, timezone, date_to_string, date_to_long_string, date_to_rfc822, date_to_xmlschema):
        env.add_filter(function.__name__, function)
    for verb, sign in (("add", 1), ("subtract", -1)):
        for unit in ("day", "month", "year"):
            name = f"{verb}_{unit}"
            env.add_filter(name, _mover(name, sign, unit))


__all__ = ["register"]
