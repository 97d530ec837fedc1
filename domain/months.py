"""Calendar months: the same day some months later or earlier, or the last one of a month that is shorter (APP-04, SUB-25)."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime


def months_after(at: datetime, months: int) -> datetime:
    """The instant so many calendar months later, earlier where there are less than none."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


__all__ = ["months_after"]
