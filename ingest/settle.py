"""The one place that turns a change of a person into memberships, goals, exits, released waits and new journeys.

Always under the person's lock and in the caller's transaction; nothing else decides any of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from domain.blocks import WaitUntil, looks_again_at, released_path, wait_keys
from domain.condition_keys import Keys
from domain.conditions import Condition, decide, decide_at, reason_of
from domain.dates import Fire
from domain.definitions.triggers import DateTrigger
from domain.facts import EventFact, Facts, Position
from domain.goals import Goal, goal_event_matches, goal_segment_met
from domain.journeys import FrequencyInterval, exit_verdict
from domain.operations import Reevaluate
from domain.workflow_graph import resume_at
from ingest.catalog import Campaign, Segment, trigger_conditions
from ingest.conversions import convert
from ingest.dates import follow_date
from ingest.entry import checks, enter_by_date, enter_by_event, enter_by_match, try_again
from ingest.touching import KeyIndex
from ingest.unit import NOT_KEPT, OWN_SOURCE, Membership, Person, Unit, wait_state
from store.journeys import JourneyRow

NOT_ALL_REACHED = frozenset({"building", "unbuilt"})
"""The states of a segment in which no build has looked at everybody: one is at work, or the last was cancelled or failed."""


@dataclass(frozen=True)
class Change:
    """What happened to one person; `before` is what conditions saw of them until then.

    `refs` are memberships to look at whatever was touched; `quiet` changes start, end and release nothing, and stand in the
    log only where `because` says for what reason they happen. `moved` are
    segments that the change itself moved the person into or out of; with `everything` all conditions are asked. `records`
    are other things that changed, in the words of `Keys.records`. A `mute`
    change ends journeys by their exit rules and does no more: nobody begins, converts or is released (PPL-43). Waits on
    segments that are `looked_at` are asked although nobody moved. `came` are the instants for which the clock asks, by
    membership.
    """

    before: Facts
    at: Position
    attributes: frozenset[str] = frozenset()
    event: EventFact | None = None
    aged: bool = False
    refs: frozenset[Membership] = frozenset()
    quiet: bool = False
    moved: frozenset[int] = frozenset()
    everything: bool = False
    mute: bool = False
    looked_at: frozenset[int] = frozenset()
    records: frozenset[str] = frozenset()
    because: str | None = None
    came: Mapping[Membership, datetime] = field(default_factory=dict)


@dataclass
class _Touched:
    """The change with the memberships that moved because of it."""

    change: Change
    segments: set[int]
    entered: set[int]
    matched: list[tuple[Campaign, datetime | None]] = field(default_factory=list)
    fired: list[tuple[Campaign, Fire]] = field(default_factory=list)

    def by(self, keys: Keys, unit: Unit) -> bool:
        """Whether something these keys mention was touched."""
        change = self.change
        if change.everything:
            return True
        events = () if change.event is None else (change.event,)
        segments = self.segments | change.looked_at
        return keys.touched_by(
            change.attributes,
            events,
            segments,
            unit.catalog.segment_ids,
            aged=change.aged,
            records=change.records,
        )


async def settle(unit: Unit, person: Person, change: Change) -> None:
    """Derive everything that follows from the change."""
    touched = _Touched(change, set(change.moved), {s for s in change.moved if s in person.segments})
    compiled = unit.catalog.compiled
    counts = not change.quiet and not change.mute
    # What an event converts comes first: nobody is to be in for a moment who did it, but not by a message.
    for campaign in _event_goals(unit, change) if counts else ():
        await convert(unit, person, campaign, change.event, change.at)
    plain = _concerned(compiled.plain_segments, compiled.plain_index, "segment", person, touched)
    if plain:
        _settle_segments(unit, person, plain, touched)
    nested = _concerned(compiled.nested_segments, compiled.nested_index, "segment", person, touched)
    if nested:
        _settle_segments(unit, person, nested, touched)
    for campaign in _concerned(compiled.matching, compiled.matching_index, "trigger", person, touched):
        await _settle_trigger(unit, person, campaign, touched)
    person.fresh = False
    if change.quiet:
        return
    for campaign in _segment_goals(unit, touched) if counts else ():
        await convert(unit, person, campaign, change.event, change.at)
    for journey in list(person.journeys):
        # Who has only just begun stands before the first block; in between, the plan looks before every action.
        if (journey.parked and not journey.awaits_answer) or journey.block is None:
            _settle_standing(unit, person, journey, touched)
    await _begin_journeys(unit, person, touched)


async def _begin_journeys(unit: Unit, person: Person, touched: _Touched) -> None:
    """What waited comes first, then what the change itself may begin."""
    change = touched.change
    if person.retries and not change.mute:
        await try_again(unit, person, change.at, lambda keys: touched.by(keys, unit))
    for campaign, check in touched.matched:
        await enter_by_match(unit, person, campaign, change.at, check)
    for campaign, fire in touched.fired:
        await enter_by_date(unit, person, campaign, fire, change.at)
    if change.event is not None:
        compiled = unit.catalog.compiled
        for place in sorted(compiled.entry_index.of_event(change.event)):
            await enter_by_event(unit, person, compiled.by_event[place], change.event)


_Watched = TypeVar("_Watched", Segment, Campaign)


def _concerned(
    watched: Sequence[_Watched], index: KeyIndex, kind: str, person: Person, touched: _Touched
) -> Iterable[_Watched]:
    """Those whose answer the change may have moved, in their order; everything for somebody new.

    Memberships that move on the way concern those that come later.
    """
    change = touched.change
    if person.fresh or change.everything:
        return watched
    places = index.in_order(change.attributes, change.event, aged=change.aged, records=change.records)
    if change.refs:
        looked_at = {place for place, one in enumerate(watched) if (kind, one.id) in change.refs}
        places = tuple(sorted(looked_at.union(places)))
    if index.mentions_segments and (places or touched.segments):
        return _followers(watched, index, places, touched)
    return [watched[place] for place in places]


def _followers(
    watched: Sequence[_Watched], index: KeyIndex, places: Sequence[int], touched: _Touched
) -> Iterator[_Watched]:
    """Those at these places, and those whose segments have moved by the time it is their turn."""
    for place, one in enumerate(watched):
        if place in places or index.names_one_of(place, touched.segments):
            yield one


def _settle_segments(unit: Unit, person: Person, segments: Iterable[Segment], touched: _Touched) -> None:
    facts, moment, refs = unit.facts_of(person), unit.moment, touched.change.refs
    for segment in segments:
        if segment.nested:
            facts = person.facts or unit.facts_of(person)
        decision = decide_at(segment.condition, facts, moment)
        key = ("segment", segment.id)
        # Where the clock asked and nothing is so, the row that asked goes.
        if decision != person.memberships.get(key, NOT_KEPT) or key in refs:
            _settle_segment(unit, person, segment, touched, decision)


def _settle_segment(
    unit: Unit, person: Person, segment: Segment, touched: _Touched, decision: tuple[bool, datetime | None]
) -> None:
    matched, flips_at = decision
    key = ("segment", segment.id)
    change = touched.change
    reached = change.quiet or segment.state not in NOT_ALL_REACHED or _is_reached(person, key, change, unit)
    if matched and not reached and _was(person, segment.condition, change, unit):
        # Not the fact but the definition made them a member: the build comes to them, and to what is made of it. Where
        # somebody is only told that other records have changed, before may be after that, and the build have passed by.
        if change.records:
            look = Reevaluate(person_id=person.person_id, refs=[("segment", segment.id)], why="build")
            unit.append(look, OWN_SOURCE)
        return
    if not unit.set_membership(person, key, matched, flips_at):
        return
    unit.count("segment", segment.id, "members", 1 if matched else -1)
    touched.segments.add(segment.id)
    if matched:
        touched.entered.add(segment.id)
    if change.quiet and change.because is None:
        return
    kind = "segment_enter" if matched else "segment_leave"
    reason = change.because or reason_of(segment.condition, unit.facts_of(person), unit.now, matched=matched)
    data = {"segment_id": segment.id, "segment": segment.key, "reason": reason}
    unit.record(person, kind, segment.name, data, change.at)


async def _settle_trigger(unit: Unit, person: Person, campaign: Campaign, touched: _Touched) -> None:
    key = ("trigger", campaign.id)
    change = touched.change
    enters = campaign.enters and not change.quiet and not change.mute
    if isinstance(campaign.definition.trigger, DateTrigger):
        written, came = min(change.at.at, unit.now), change.came.get(key)
        fire = follow_date(unit, person, campaign, written=written, before=change.before, came=came)
        if fire is not None and enters:
            touched.fired.append((campaign, fire))
        return
    condition = trigger_conditions(campaign)
    matched, flips_at = decide(condition, unit.facts_of(person), unit.now)
    reached = _is_reached(person, key, change, unit)
    check: datetime | None = None
    if matched and isinstance(campaign.definition.often, FrequencyInterval):
        check, coming = await checks(unit, person, campaign, _came(person, key, change, unit))
        flips_at = min((at for at in (flips_at, coming) if at is not None), default=None)
    moved = unit.set_membership(person, key, matched, flips_at)
    if not matched or not enters or not (moved or check is not None):
        return
    if moved and campaign.state == "starting" and not reached and _was(person, condition, change, unit):
        if campaign.takes_current:
            # The build would take them in, and finds them taken in.
            touched.matched.append((campaign, check))
        return
    touched.matched.append((campaign, check))


def _came(person: Person, key: Membership, change: Change, unit: Unit) -> datetime | None:
    """The instant that the clock asks for, or is about to ask for."""
    kept = person.memberships.get(key)
    asked = kept.flips_at if kept is not None and kept.flips_at is not None and kept.flips_at <= unit.now else None
    return change.came.get(key, asked)


def _is_reached(person: Person, key: Membership, change: Change, unit: Unit) -> bool:
    """Whether what is kept of a membership says that the build at work has been to the person.

    Of one who is not in and whose turn by the clock is still to come it does not: by the conditions as they are now they
    cannot come to match before that turn but by the change itself, so that the turn is one of the conditions of before.
    """
    kept = person.memberships.get(key)
    if kept is None or kept.member or change.records:
        return kept is not None
    return kept.flips_at is None or kept.flips_at <= unit.now


def _was(person: Person, condition: Condition, change: Change, unit: Unit) -> bool:
    """Whether the condition held before, for somebody whom a build has not reached yet."""
    return not person.fresh and decide(condition, change.before, unit.now)[0]


def _event_goals(unit: Unit, change: Change) -> Sequence[Campaign]:
    """The campaigns whose goal the event of the change may be, in their order."""
    event = change.event
    if event is None or event.type != "event":
        return ()
    return unit.catalog.compiled.goal_events.get(event.name.strip(), ())


def _segment_goals(unit: Unit, touched: _Touched) -> list[Campaign]:
    """The campaigns whose goal is to enter or leave a segment that the person has entered or left, in their order."""
    if not touched.segments:
        return []
    return [campaign for campaign in unit.catalog.compiled.goal_segments if _moved_to_goal(campaign, touched, unit)]


def _moved_to_goal(campaign: Campaign, touched: _Touched, unit: Unit) -> bool:
    goal = campaign.definition.goal
    assert goal is not None, "only campaigns with a goal are asked"
    moved = touched.entered if goal.enters_segment is not None else touched.segments - touched.entered
    return _segment_id(goal, unit) in moved


def _segment_id(goal: Goal, unit: Unit) -> int | None:
    ref = goal.segment
    return unit.catalog.segment_ids.get(ref) if isinstance(ref, str) else ref


def _settle_standing(unit: Unit, person: Person, journey: JourneyRow, touched: _Touched) -> None:
    campaign = unit.catalog.campaigns.get(journey.campaign_id)
    if campaign is None:
        return
    ends = ("trigger", campaign.id) in touched.change.refs or touched.by(campaign.exit_keys, unit)
    if ends and end_if_over(unit, person, journey, campaign, touched):
        return
    if not touched.change.mute:
        release(unit, person, journey, campaign, touched)


def end_if_over(unit: Unit, person: Person, journey: JourneyRow, campaign: Campaign, touched: _Touched) -> bool:
    """End a waiting journey whose exit rule a change has just met (CMP-16)."""
    facts = unit.journey_facts(person, journey)
    definition = campaign.definition
    filters = campaign.rechecked
    goal_met = not touched.change.mute and _meets_goal(unit, journey, campaign, facts, touched)
    reason = exit_verdict(
        definition.exit,
        filters is None or decide(filters, facts, unit.now)[0],
        goal_met,
        rechecks_trigger=definition.trigger.rechecked,
    )
    if reason is None:
        return False
    unit.end_journey(
        person, journey, state="exited_early", reason=reason, explanation=EXPLANATIONS[reason], why=f"exit: {reason}"
    )
    return True


def _meets_goal(unit: Unit, journey: JourneyRow, campaign: Campaign, facts: Facts, touched: _Touched) -> bool:
    """Whether the goal is met; one that is younger than the journey has to be met by the change itself (CMP-26)."""
    goal, event = campaign.definition.goal, touched.change.event
    if goal is None:
        return False
    if goal.segment is not None:
        older = campaign.is_older_than_goal(journey.created_at, journey.started_seq)
        return goal_segment_met(goal, facts) and (not older or _segment_id(goal, unit) in touched.segments)
    return event is not None and goal_event_matches(goal, event, facts)


def release(unit: Unit, person: Person, journey: JourneyRow, campaign: Campaign, touched: _Touched) -> None:
    """Let a journey out of a wait whose path a fact has made true; the path stays chosen whatever happens next.

    Where the fact has brought nearer when the clock may do so, the journey is planned again: its timer stands too late.
    """
    workflow = campaign.definition.workflow
    key = resume_at(workflow, journey.block, campaign.removed_blocks) if journey.block else None
    block = workflow.blocks.get(key) if key is not None else None
    state = wait_state(journey)
    if not isinstance(block, WaitUntil) or state is None or state.released is not None or journey.arrived_at is None:
        return
    if not touched.by(wait_keys(block), unit):
        return
    arrived = Position(journey.arrived_at, journey.arrived_seq)
    facts = unit.journey_facts(person, journey)
    path = released_path(block, arrived, unit.now, facts)
    if path is None:
        again = looks_again_at(block, arrived, unit.now, facts)
        if again is not None and (journey.due_at is None or again < journey.due_at):
            unit.wake(journey, "earlier deadline")
        return
    journey.wait = state.model_copy(update={"released": path}).model_dump(mode="json")
    unit.changed_journey(journey)
    unit.wake(journey, f"path: {path}")


EXPLANATIONS = {
    "goal": "The person met the goal.",
    "filters": "The person stopped matching the filters.",
    "trigger": "The person stopped matching the trigger.",
}

__all__ = ["EXPLANATIONS", "Change", "end_if_over", "settle"]
