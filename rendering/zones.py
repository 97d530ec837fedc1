"""The time zones that templates may name: regions, the names of the detailed list, and offsets (MSG-12)."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from typing import Any, Final, Self

from domain.values import as_number
from domain.zones import zone_named
from rendering.errors import RenderError
from rendering.printing import printed
from rendering.zone_names import DETAILED

_DAY: Final = 24 * 60
_NUMERIC: Final = re.compile(r"[+-]?[0-9]{1,4}(?:\.[0-9]{1,2})?")
_DETAILED: Final = re.compile(r"\(GMT[+-][0-9]{1,2}:[0-9]{2}\)\s*(.+)")


class Zoned(str):
    """A date as text, with the zone in which the next `date` shows it."""

    __slots__ = ("zone",)

    zone: tzinfo

    def __new__(cls, text: str, zone: tzinfo) -> Self:
        """The text with its zone."""
        made = super().__new__(cls, text)
        made.zone = zone
        return made


def zone_of(name: Any) -> tzinfo:
    """A zone by its name, or as minutes west of Greenwich, which is how JavaScript counts; raises RenderError for none."""
    return _zone(name, -1)


def zone_by_hours(name: Any) -> tzinfo:
    """A zone by its name, or as hours east of Greenwich, which is how the old filter `timezone` counts."""
    return _zone(name, 60)


def _zone(name: Any, minutes_each: int) -> tzinfo:
    if isinstance(name, str) and not _NUMERIC.fullmatch(name.strip()):
        text = name.strip()
        detailed = _DETAILED.fullmatch(text)
        city = detailed[1].strip() if detailed is not None else text
        found = zone_named(DETAILED.get(city, city))
        if found is None:
            raise RenderError(f"'{text[:80]}' is not a time zone")
        return found
    number = as_number(name.strip().removeprefix("+") if isinstance(name, str) else name)
    if number is None or not -_DAY < number * minutes_each < _DAY:
        raise RenderError(f"'{printed(name)[:80]}' is not a time zone")
    return timezone(timedelta(minutes=number * minutes_each))


__all__ = ["Zoned", "zone_by_hours", "zone_of"]
