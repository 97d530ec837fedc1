"""Important date: people enter by a date that one of their attributes holds (CMP-05)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, StringConstraints

from domain.condition_keys import Keys
from domain.definitions.triggers.base import TriggerBase
from domain.documents import TimeZone
from domain.paths import compile_path
from domain.zones import ZONE_ATTRIBUTES

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class DateTrigger(TriggerBase):
    """Entry at a time of day, some days before or after the date, once, every month or every year.

    `timezone` is the zone of `at`; with `use_customer_timezone` it is the fallback for people without one of their own.
    """

    single: ClassVar[bool] = True

    type: Literal["date"]
    field: Annotated[str, Field(min_length=1)]
    recurrence: Literal["once", "monthly", "yearly"]
    offset_days: Annotated[int, Field(ge=-366, le=366, strict=True)] = 0
    at: TimeOfDay
    timezone: TimeZone
    use_customer_timezone: StrictBool = False

    @property
    def keys(self) -> Keys:
        """The attributes that decide when somebody enters."""
        zones = frozenset(ZONE_ATTRIBUTES) if self.use_customer_timezone else frozenset()
        return Keys(attributes=compile_path(self.field).keys | zones, clock=True)
