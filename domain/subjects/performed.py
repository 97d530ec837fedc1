"""`performed`: what a person has done, or not done, so many times, within a window, since an instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, StrictBool, StrictStr, model_validator

from domain.condition_keys import EventMatch, Keys
from domain.documents import Document, Refusal, refused
from domain.durations import Duration
from domain.facts import EventFact, Facts, is_later
from domain.form_events import FORM_EVENT, is_of_form
from domain.operators import Decision, earliest
from domain.patterns import NamePattern, compile_name, fold_name
from domain.subjects.base import Moment, Subject
from domain.subjects.counting import Between, Counting
from domain.subjects.times import Times
from domain.subjects.windows import WindowCount
from domain.values import to_unix, to_unix_ceiling
from domain.wheres import Where

Since = Literal["ever", "trigger", "wait_start"]
Kind = Literal["event", "page", "screen", "form"]
_KINDS: tuple[Kind, ...] = ("event", "page", "screen", "form")


class PerformedBody(Document):
    """The wire body of the leaf."""

    event: StrictStr | None = Field(default=None, min_length=1, max_length=100)
    page: StrictStr | None = Field(default=None, min_length=1)
    screen: StrictStr | None = Field(default=None, min_length=1)
    form: StrictStr | None = Field(default=None, min_length=1)
    where: Where | None = None
    times: Times | None = None
    within: Duration | None = None
    between: Between | None = None
    since: Since = "ever"
    inverse: StrictBool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        named = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if not named:
            raise refused(Refusal("required", f"Name what was done: one of {', '.join(_KINDS)}.", ()))
        if len(named) > 1:
            raise refused(Refusal("type", f"Name only one of {', '.join(named)}.", ()))
        if compile_name(getattr(self, named[0])).is_empty:
            raise refused(Refusal("length", "The name is empty.", (named[0],), getattr(self, named[0])))
        if self.within is not None and self.between is not None:
            raise refused(Refusal("type", "Give either within or between.", ()))
        return self

    @property
    def named(self) -> tuple[Kind, str]:
        """What was done, as it is written."""
        kind = next(kind for kind in _KINDS if getattr(self, kind) is not None)
        return kind, getattr(self, kind)

    @property
    def match(self) -> EventMatch:
        """The events meant; a form that was sent is an event, whose data say which form."""
        kind, pattern = self.named
        return EventMatch("event", FORM_EVENT) if kind == "form" else EventMatch(kind, pattern)


@dataclass(frozen=True)
class Performed(Subject):
    """Did it as often as `times` says, with `where` holding on one and the same event (PPL-35).

    `inverse`, and `times` that zero satisfies, look for something not done: with `within` these also demand that the
    person has been known for at least the window (PPL-36).
    """

    root: ClassVar[str] = "performed"

    body: PerformedBody

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The leaf of a body."""
        return cls(PerformedBody.model_validate(body))

    def dump(self) -> Any:
        """The body without what is absent or default."""
        return self.body.model_dump(mode="json", exclude_defaults=True)

    @cached_property
    def match(self) -> EventMatch:
        """The events that count."""
        return self.body.match

    @cached_property
    def times(self) -> Times:
        """How often; at least once where nothing is said."""
        return self.counting.times

    @cached_property
    def counting(self) -> Counting:
        """The test of how often."""
        return Counting.of(self.body.times, self.body.within, inverse=self.body.inverse)

    @property
    def needs_age(self) -> bool:
        """Whether the person must have been known for the length of the window."""
        return self.counting.needs_age

    @cached_property
    def _name(self) -> NamePattern:
        return compile_name(self.match.pattern)

    @cached_property
    def _form(self) -> NamePattern | None:
        return None if self.body.form is None else compile_name(self.body.form)

    @property
    def since(self) -> Since:
        """From where on events count."""
        return self.body.since

    def decide(self, facts: Facts, moment: Moment) -> Decision:
        """Counts the events, and finds when the clock will change the answer."""
        window, where_flip = self._count(facts, moment, stop_early=True)
        matched, flip = self.counting.decide(window, facts)
        return matched, earliest(flip, where_flip)

    def prepared(self) -> Callable[[Facts, Moment], Decision]:
        """Where it is only counted what was ever done, as most segments ask, nothing but the names is looked at."""
        body, pattern = self.body, self._name
        others = (body.where, body.within, body.between, body.form)
        if any(part is not None for part in others) or body.since != "ever" or pattern.searches:
            return self.decide
        kind, names, times, inverse = self.match.type, pattern.names, self.times, body.inverse

        def counting(facts: Facts, _moment: Moment) -> Decision:
            count = 0
            for event in facts.events:
                if event.type == kind and fold_name(event.name) in names:
                    count += 1
            return times.allows(count) != inverse, None

        return counting

    def _count(self, facts: Facts, moment: Moment, *, stop_early: bool) -> tuple[WindowCount, int | None]:
        window = WindowCount(moment.unix)
        where, span, enough = self.body.where, self.counting.span, self.counting.enough
        if not stop_early or span is not None or (where is not None and where.clock):
            enough = -1
        flip: int | None = None
        for event in self._candidates(facts):
            end = None if span is None else to_unix_ceiling(event.at) + span
            if end is not None and end <= moment.unix:
                continue
            if where is not None:
                fits, turn = where.decide(event.data, facts, moment.unix)
                flip = earliest(flip, turn)
                if not fits:
                    continue
            window.add(moment.unix if span is None else to_unix(event.at), end)
            if window.count == enough:
                break
        return window, flip

    def _candidates(self, facts: Facts) -> Iterator[EventFact]:
        """The events of the right kind and name, since and between where these are given."""
        kind, name, form = self.match.type, self._name, self._form
        between, since = self.body.between, self.body.since
        for event in facts.events:
            if event.type != kind or not name.matches(event.name):
                continue
            if form is not None and not is_of_form(event.data, form):
                continue
            if between is not None and not between[0] <= to_unix(event.at) <= between[1]:
                continue
            if since == "ever" or _later(event, since, facts):
                yield event

    def look(self, facts: Facts, moment: Moment) -> tuple[Any, str]:
        """How many events count now."""
        window, _ = self._count(facts, moment, stop_early=False)
        return window.count, f"{window.count} matching events{self.counting.age_note(facts, moment)}"

    def keys(self) -> Keys:
        """The events, the attributes that `where` looks up, the clock and the age."""
        where = self.body.where
        return Keys(
            attributes=where.customer_attributes if where else frozenset(),
            events=(self.match,),
            clock=self.body.within is not None or (where is not None and where.clock),
            age=self.needs_age,
        )

    def wheres(self) -> Iterator[tuple[str, Where]]:
        """What is asked of an event's data."""
        if self.body.where is not None:
            yield "/where", self.body.where

    def describe(self) -> str:
        """The leaf in words."""
        body = self.body
        words = f"{'has not' if body.inverse else 'has'} performed {' '.join(body.named)}"
        if body.times is not None:
            words += f" {body.times.describe()}"
        if body.within is not None:
            words += f" within {body.within.raw}"
        if body.between is not None:
            words += f" between {body.between[0]} and {body.between[1]}"
        if body.since != "ever":
            words += f" since {body.since}"
        return words + (f" where {body.where.describe()}" if body.where is not None else "")


def _later(event: EventFact, since: Since, facts: Facts) -> bool:
    """Whether the event stands after the trigger or the start of the wait, by position; never the trigger itself."""
    journey = facts.journey
    if journey is None:
        return False
    if since == "wait_start":
        return journey.wait_started is not None and is_later(event.position, journey.wait_started)
    trigger = journey.trigger_event
    if trigger is None:
        return is_later(event.position, journey.started)
    if trigger.event_id is not None and event.event_id == trigger.event_id:
        return False
    return is_later(event.position, trigger.position)
