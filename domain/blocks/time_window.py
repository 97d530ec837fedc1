"""Time window: a gate open on certain days and hours of a zone (ACT-07)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from domain.blocks.base import Planned, StepBlock, Visit, content_hash
from domain.documents import Document, NonEmpty, Refusal, TimeZone, refused
from domain.effects import Wait, WaitState
from domain.facts import Facts
from domain.timing import ALL_DAY, Hours, WeeklyWindow, is_open, next_opening
from domain.zones import PersonZone, person_zone, zone_named

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)
ClockTime = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


class ClockRange(Document):
    """A half-open range of local time; an end not after the start crosses midnight and belongs to its start day."""

    from_: ClockTime = Field(alias="from")
    to: ClockTime

    @property
    def hours(self) -> Hours:
        """The range in minutes of the day."""
        return Hours(_minutes(self.from_), _minutes(self.to))


_RANGES: TypeAdapter[tuple[ClockRange, ...]] = TypeAdapter(Annotated[tuple[ClockRange, ...], NonEmpty])


def _read_hours(value: Any, _handler: ValidatorFunctionWrapHandler) -> Literal["all_day"] | tuple[ClockRange, ...]:
    if isinstance(value, str):
        if value == "all_day":
            return "all_day"
        raise refused(Refusal("enum", "Hours are 'all_day' or a list of ranges.", (), value))
    return _RANGES.validate_python(value)


class TimeWindow(StepBlock):
    """A gate that holds only the step after it; whoever finds it open passes at once."""

    waits_on: ClassVar[tuple[str, ...]] = ("days", "hours", "timezone", "use_customer_timezone")

    type: Literal["time_window"]
    days: Annotated[tuple[Weekday, ...], NonEmpty]
    hours: Annotated[Literal["all_day"] | tuple[ClockRange, ...], WrapValidator(_read_hours)]
    timezone: TimeZone
    use_customer_timezone: StrictBool = False

    @field_validator("days")
    @classmethod
    def _each_once(cls, days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
        repeated = [i for i, day in enumerate(days) if day in days[:i]]
        if repeated:
            raise refused(
                *(Refusal("duplicate", f"The day '{days[i]}' is listed twice.", (i,), days[i]) for i in repeated)
            )
        return days

    @property
    def window(self) -> WeeklyWindow:
        """The weekly pattern."""
        ranges = (
            (ALL_DAY,) if self.hours == "all_day" else tuple(r.hours for r in self.hours if isinstance(r, ClockRange))
        )
        return WeeklyWindow(frozenset(WEEK.index(day) for day in self.days), tuple(sorted(ranges)))

    def zone_for(self, facts: Facts) -> PersonZone:
        """The zone whose clock counts for this person now."""
        fixed = zone_named(self.timezone) or ZoneInfo("UTC")
        return person_zone(facts.attributes, fixed) if self.use_customer_timezone else PersonZone(fixed, "fixed")

    def definition_hash(self) -> str:
        """A digest of the pattern and the zone rule, in whatever order days and ranges are listed."""
        window = self.window
        zone = {"timezone": self.timezone, "use_customer_timezone": self.use_customer_timezone}
        return content_hash(
            {"type": self.type, "days": sorted(window.days), "hours": [list(h) for h in window.hours], **zone}
        )

    def perform(self, visit: Visit, /) -> Planned:
        """Pass an open gate, else wait for the next opening in the zone as it is read at this moment.

        A wait that has begun keeps its opening, whatever zone the person moves to, until that opening is reached;
        then, or when the window itself was edited, the zone is read again.
        """
        kept = self._kept_opening(visit.wait)
        if kept is not None and visit.now < kept:
            return self._hold(kept)
        moment = max(visit.now, visit.arrived_at.at)
        chosen = self.zone_for(visit.facts)
        if is_open(self.window, moment, chosen.zone):
            return self.go_on(explanation=_note(chosen))
        return self._hold(next_opening(self.window, moment, chosen.zone))

    def _kept_opening(self, wait: WaitState | None) -> datetime | None:
        """The opening a wait that has begun keeps; None on arrival and once the window was edited."""
        return wait.due_at if wait is not None and wait.definition_hash == self.definition_hash() else None

    def _hold(self, due_at: datetime) -> Planned:
        state = WaitState(due_at=due_at, definition_hash=self.definition_hash())
        return Planned(effect=Wait(kind="window", due_at=due_at), wait=state)


def _note(chosen: PersonZone) -> str | None:
    """What the step log should say about the zone: only what might surprise."""
    ignored = f" {' and '.join(chosen.ignored)} named no time zone." if chosen.ignored else ""
    if chosen.source == "fallback":
        return f"The fallback zone {chosen.zone.key} was used.{ignored}"
    return f"The zone {chosen.zone.key} was used.{ignored}" if ignored else None
