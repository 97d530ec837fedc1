"""Important date: people enter by a date that one of their attributes holds (CMP-05)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, StringConstraints, field_validator

from domain.condition_keys import Keys
from domain.definitions.triggers.base import TriggerBase
from domain.documents import Refusal, refused
from domain.paths import compile_path
from domain.zones import ZONE_ATTRIBUTES, zone_named

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
    timezone: str
    use_customer_timezone: StrictBool = False

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, timezone: str) -> str:
        if zone_named(timezone) is None:
            raise refused(Refusal("format", "Not an IANA time zone; write it like 'Europe/Rome'.", (), timezone))
        return timezone.strip()

    @property
    def keys(self) -> Keys:
        """The attributes that decide when somebody enters."""
        zones = frozenset(ZONE_ATTRIBUTES) if self.use_customer_timezone else frozenset()
        return Keys(attributes=compile_path(self.field).keys | zones, clock=True)
