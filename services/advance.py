"""Planning a journey under its person's lock: walk until it has to wait, to deliver, or is over.

One plan is one transaction with everything it writes: the journey's row, its steps, what blocks changed of the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.blocks import Block, DataBlock, DeliveringBlock, StepBlock
from domain.blocks.base import ActionBlock
from domain.conditions import evaluate
from domain.effects import Act, Assign, Deliver, Exit, Goto, Wait, WaitState
from domain.facts import Facts, Position
from domain.goals import Goal, goal_event_matches, goal_segment_met
from domain.journeys import exit_verdict, first_arrival
from domain.steps import StepResult
from domain.workflow_graph import next_after, resume_at
from ingest.catalog import Campaign, Catalog
from ingest.settle import EXPLANATIONS
from ingest.unit import Person, Unit, step_of, trigger_event, wait_state
from services.actions import ACTIONS, ActionContext
from services.data_drafts import draft_action
from services.journey_details import details_of
from services.variables import variables_of
from store import cohorts
from store import journeys as store
from store.database import Connection
from store.journeys import JourneyRow, StepRow

CLOCK_SKEW = timedelta(seconds=1)
DELAYS = frozenset({"time_delay", "random_delay", "time_window"})


@dataclass(frozen=True)
class Delivered:
    """How the hand-over of a block's message ended; the journey goes on behind it whatever it says."""

    block: str
    action_id: int
    outcome: Literal["done", "skipped", "drafted", "failed"]
    explanation: str | None = None
    delivery_id: str | None = None
    draft: bool = False
    pending: bool = False
    """Whether the delivery is not over yet, so that who waits for its outcome goes on standing here (ACT-31)."""
    path: str | None = None
    """The arm of the block's test that was drawn (ACT-17)."""
    noted: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Walk:
    """One plan of one journey: the facts it stands on and the steps it knows."""

    unit: Unit
    person: Person
    journey: JourneyRow
    campaign: Campaign
    instant: datetime
    steps: dict[int, StepRow] = field(default_factory=dict)

    @property
    def facts(self) -> Facts:
        """What conditions can see from where the journey stands, the paths that it took included."""
        keys = {number: key for key, number in self.campaign.actions.items()}
        taken = {keys[number]: step.path for number, step in self.steps.items() if step.path and number in keys}
        return self.unit.journey_facts(self.person, self.journey, taken)

    @property
    def here(self) -> Position:
        """This moment in the person's order of facts."""
        return Position(self.instant, self.person.last_seq)


async def advance(
    conn: Connection,
    catalog: Catalog,
    unit: Unit,
    journey: JourneyRow,
    now: datetime,
    *,
    why: str,
    delivered: Delivered | None = None,
) -> StepResult:
    """What the journey needs next. `journey` is one of the unit's; the caller flushes the unit and commits.

    `delivered` is the outcome of the message the journey stood at. `why` is for people to read; a timer may come a
    moment early by this machine's clock, which is why the instant of a step after a wait is never before its deadline.
    """
    person = unit.people[journey.person_id]
    campaign = catalog.campaigns.get(journey.campaign_id)
    if not journey.active:
        return _ended(journey, campaign, await store.steps_of(conn, journey))
    state = wait_state(journey)
    due = state.due_at if state is not None else None
    instant = due if due is not None and now < due <= now + CLOCK_SKEW and why == "timer" else now
    steps = {step.action_id: step for step in await store.steps_of(conn, journey)}
    if campaign is None or campaign.state in ("stopped", "archived", "draft"):
        return _stop(unit, person, journey, campaign, list(steps.values()))
    walk = _Walk(unit, person, journey, campaign, instant, steps)
    if delivered is not None:
        _note_delivery(walk, delivered)
    elif journey.block is None:
        _enter(walk)
    else:
        _resume(walk)
    return await _walk(walk)


async def _walk(walk: _Walk) -> StepResult:
    journey = walk.journey
    fresh = True
    while journey.active:
        if journey.block is None:
            return _finish(walk, "completed", None)
        block = walk.campaign.definition.workflow.blocks[journey.block]
        if (fresh or isinstance(block, ActionBlock)) and not journey.parked and _is_over(walk):
            break
        # What a block changes may end its own journey, whatever comes next.
        fresh = isinstance(block, ActionBlock)
        result = await _step(walk, journey.block, block)
        if result is not None:
            return result
    return _ended(journey, walk.campaign, list(walk.steps.values()))


async def _step(walk: _Walk, key: str, block: Block) -> StepResult | None:
    """Carry out one block as far as planning can; None where the walk goes on."""
    journey = walk.journey
    action_id = walk.campaign.actions[key]
    if isinstance(block, ActionBlock) and action_id in walk.steps and not journey.awaits_answer:
        # It had its turn in this journey before it was moved or edited (CMP-25).
        _go_on(walk, key, block.next)
        return None
    assert journey.arrived_at is not None, "whoever stands in a block has arrived"
    arrived = Position(journey.arrived_at, journey.arrived_seq)
    effect = (planned := block.plan(key, arrived, walk.instant, wait_state(journey), walk.facts)).effect
    match effect:
        case Wait():
            wait = None if planned.wait is None else planned.wait.model_dump(mode="json")
            return _park(walk, key, block, effect, wait or {})
        case Goto():
            _leave(walk, key, block, outcome=effect.outcome, effect=effect)
            _go_on(walk, key, effect.next)
        case Exit():
            _leave(walk, key, block, outcome="exited", effect=effect)
            return _finish(walk, effect.reason, effect.explanation)
        case Act() if isinstance(block, DataBlock) and block.calls_out and block.sending_state != "draft":
            return _hand_out(walk, key, block, effect.action)
        case Act():
            await _act(walk, key, block, effect)
        case Assign():
            await _assign(walk, key, block, effect)
        case Deliver():
            return _hand_out(walk, key, block, effect.channel)
    return None


def _hand_out(walk: _Walk, key: str, block: Block, channel: str) -> StepResult:
    """Leave it to the activity that may take its time: a delivery, or a call to the outside."""
    walk.unit.changed_journey(walk.journey)
    return StepResult(
        kind="deliver",
        block=key,
        label=block.label(key),
        action_id=walk.campaign.actions[key],
        channel=channel,
        sandbox=walk.unit.catalog.workspace.sandbox,
        details=details_of(walk.journey, walk.campaign, list(walk.steps.values())),
    )


async def _act(walk: _Walk, key: str, block: Block, effect: Act) -> None:
    assert isinstance(block, StepBlock), "only steps act"
    if isinstance(block, DataBlock) and block.sending_state == "draft":
        draft = await draft_action(walk.unit, walk.campaign, walk.journey, key, block, now=walk.instant)
        _leave(walk, key, block, outcome="drafted", effect=effect, draft=True, delivery_id=draft)
    else:
        variables = variables_of(walk.unit.catalog, walk.campaign, walk.person, walk.journey)
        context = ActionContext(walk.unit, walk.person, walk.journey, walk.campaign, block, walk.here, variables, key)
        done = await ACTIONS[effect.action](context)
        _leave(walk, key, block, outcome=done.outcome, effect=effect, explanation=done.explanation, noted=done.noted)
    _go_on(walk, key, block.next)


async def _assign(walk: _Walk, key: str, block: Block, effect: Assign) -> None:
    """Take the path of the person's object; who has several of them leaves at once, who has none was drawn for (ACT-15)."""
    path, told = effect.drawn, None
    conn, workspace_id = walk.unit.conn, walk.journey.workspace_id
    number = walk.unit.catalog.directory.id_of("object_type", effect.object_type)
    objects = [] if number is None else await cohorts.objects_of(conn, workspace_id, walk.person.person_id, number)
    ways = dict(effect.paths)
    if len(objects) > 1:
        told = "The person is related to several objects of the type."
        _leave(walk, key, block, outcome="exited", effect=Exit(reason="cohort_ambiguous", explanation=told))
        _finish(walk, "cohort_ambiguous", told, state="exited_early")
        return
    if objects:
        action_id = walk.campaign.actions[key]
        path = await cohorts.assigned(conn, workspace_id, action_id, objects[0], drawn=path, paths=list(ways))
    else:
        told = "The person is related to no object of the type, and was drawn for alone."
    index = list(ways).index(path)
    taken = Goto(next=ways[path], outcome="branched", path=path, branch_index=index, explanation=told)
    _leave(walk, key, block, outcome="branched", effect=taken)
    _go_on(walk, key, taken.next)


def _enter(walk: _Walk) -> None:
    """Arrive at the first block; a leading delay counts from the trigger event (ACT-05)."""
    workflow = walk.campaign.definition.workflow
    _arrive(walk, workflow.start, first_arrival(workflow, walk.here, trigger_event(walk.journey)))


def _resume(walk: _Walk) -> None:
    """Find the block the journey stands in, in the workflow as it is now (ACT-38)."""
    journey = walk.journey
    workflow = walk.campaign.definition.workflow
    assert journey.block is not None, "the journey has entered"
    key = resume_at(workflow, journey.block, walk.campaign.removed_blocks)
    if key == journey.block:
        return
    if key is not None and workflow.blocks[key].renamed_from == journey.block:
        journey.block = key
        return
    for step in walk.steps.values():
        if step.outcome == "waiting":
            step.outcome, step.left_at, step.explanation = "done", walk.instant, "The block was removed."
            walk.unit.change_step(step)
    _arrive(walk, key, walk.here)


def _arrive(walk: _Walk, key: str | None, at: Position) -> None:
    journey = walk.journey
    journey.block, journey.arrived_at, journey.arrived_seq = key, at.at, at.seq
    journey.wait = journey.due_at = None
    walk.unit.changed_journey(journey)


def _go_on(walk: _Walk, key: str, named: str | None) -> None:
    """Go to what the plan names, else to what follows the path."""
    _arrive(walk, next_after(walk.campaign.definition.workflow, key, named), walk.here)


def _is_over(walk: _Walk) -> bool:
    """End the journey where its exit rule is met: at entry, after waits, before every action and after it (CMP-16)."""
    definition = walk.campaign.definition
    facts = walk.facts
    rechecked = walk.campaign.rechecked
    reason = exit_verdict(
        definition.exit,
        rechecked is None or evaluate(rechecked, facts, walk.instant).matched,
        definition.goal is not None and _goal_met(walk, definition.goal),
        rechecks_trigger=definition.trigger.rechecked,
    )
    if reason is None:
        return False
    explanation = EXPLANATIONS[reason]
    walk.unit.end_journey(
        walk.person, walk.journey, state="exited_early", reason=reason, explanation=explanation, why=None
    )
    _seen(walk.unit, walk.journey)
    return True


def _goal_met(walk: _Walk, goal: Goal) -> bool:
    """Under an older goal that is by what comes after the edit: a move ends a journey that waits, at once (CMP-26)."""
    facts, journey, changed = walk.facts, walk.journey, walk.campaign.goal_changed
    if goal.segment is not None:
        older = walk.campaign.is_older_than_goal(journey.created_at, journey.started_seq)
        return not older and goal_segment_met(goal, facts)
    after = 0 if changed is None else changed.seq
    return any(event.seq > after and goal_event_matches(goal, event, facts) for event in walk.person.events)


def _park(walk: _Walk, key: str, block: Block, effect: Wait, wait: dict[str, Any]) -> StepResult:
    journey = walk.journey
    action_id = walk.campaign.actions[key]
    step = walk.steps.get(action_id)
    if step is None or step.outcome != "waiting":
        step = _record(walk, key, block, outcome="waiting", effect=effect.model_dump(mode="json"), left_at=None)
    if step.delay_ends_at != effect.due_at:
        step.delay_ends_at = effect.due_at
        walk.unit.change_step(step)
    journey.wait, journey.due_at = wait, effect.due_at
    _seen(walk.unit, journey)
    return StepResult(
        kind="wait",
        block=key,
        label=block.label(key),
        action_id=action_id,
        due_at=effect.due_at,
        sandbox=walk.unit.catalog.workspace.sandbox,
        details=details_of(journey, walk.campaign, list(walk.steps.values())),
    )


def _leave(
    walk: _Walk,
    key: str,
    block: Block,
    *,
    outcome: str,
    effect: Goto | Exit | Act,
    explanation: str | None = None,
    draft: bool | None = None,
    delivery_id: str | None = None,
    noted: Mapping[str, Any] | None = None,
) -> None:
    """Record what happened at a block, in the step of its wait where it had one."""
    kept = effect.model_dump(mode="json") | dict(noted or {})
    step = walk.steps.get(walk.campaign.actions[key])
    values: dict[str, Any] = {"outcome": outcome, "explanation": explanation, "draft": draft}
    if delivery_id is not None:
        values["delivery_id"] = delivery_id
    if not isinstance(effect, Act):
        values["explanation"] = effect.explanation
    if isinstance(effect, Goto):
        values |= {"branch_index": effect.branch_index, "path": effect.path}
    if step is None or step.outcome != "waiting":
        _record(walk, key, block, effect=kept, left_at=walk.instant, **values)
        return
    for name, value in values.items():
        setattr(step, name, value)
    step.left_at, step.effect = walk.instant, kept
    walk.unit.change_step(step)


def _record(
    walk: _Walk,
    key: str,
    block: Block,
    *,
    effect: dict[str, Any],
    left_at: datetime | None,
    outcome: str,
    **values: Any,
) -> StepRow:
    action_id = walk.campaign.actions[key]
    step = step_of(
        walk.journey,
        action_id,
        block=key,
        output_type="delay" if block.type in DELAYS else block.type,
        outcome=outcome,
        effect=effect,
        created_at=walk.journey.arrived_at or walk.instant,
        left_at=left_at,
        **values,
    )
    known = walk.steps.get(action_id)
    walk.steps[action_id] = step
    if known is None:
        walk.unit.add_step(step)
    else:
        # A block stands once in the log: whoever comes back to it after an edit replaces what it said.
        walk.unit.change_step(step)
    return step


def _note_delivery(walk: _Walk, delivered: Delivered) -> None:
    """Record the message's outcome and go on behind it."""
    key = delivered.block
    block = walk.campaign.definition.workflow.blocks.get(key)
    stays = delivered.pending and walk.journey.block == key and isinstance(block, DeliveringBlock) and block.waits
    if delivered.action_id not in walk.steps:
        step = step_of(
            walk.journey,
            delivered.action_id,
            block=key,
            output_type=block.type if block is not None else "email",
            outcome="waiting" if stays else delivered.outcome,
            effect={"type": "deliver", **delivered.noted},
            explanation=delivered.explanation,
            delivery_id=delivered.delivery_id,
            draft=delivered.draft,
            path=delivered.path,
            created_at=walk.journey.arrived_at or walk.instant,
            left_at=None if stays else walk.instant,
        )
        walk.steps[delivered.action_id] = step
        walk.unit.add_step(step)
        if delivered.delivery_id is not None:
            walk.unit.count("campaign", walk.campaign.id, "messaged")
    if stays:
        walk.journey.wait = WaitState(answer=True).model_dump(mode="json")
    elif walk.journey.block == key and isinstance(block, ActionBlock):
        _go_on(walk, key, block.next)
    else:
        _resume(walk)


def _finish(walk: _Walk, reason: str, explanation: str | None, *, state: str = "finished") -> StepResult:
    """The journey has reached its end."""
    journey = walk.journey
    walk.unit.end_journey(walk.person, journey, state=state, reason=reason, explanation=explanation, why=None)
    _seen(walk.unit, journey)
    return _ended(journey, walk.campaign, list(walk.steps.values()))


def _stop(
    unit: Unit, person: Person, journey: JourneyRow, campaign: Campaign | None, steps: list[StepRow]
) -> StepResult:
    """The campaign was stopped, or is gone, before the task that ends its journeys came to this one."""
    reason = "stopped" if campaign is not None and campaign.state == "stopped" else "archived"
    explanation = "The campaign was stopped." if reason == "stopped" else "The campaign was archived."
    if campaign is None:
        explanation = "The campaign was deleted."
    unit.end_journey(person, journey, state="exited_early", reason=reason, explanation=explanation, why=None)
    _seen(unit, journey)
    return _ended(journey, campaign, steps)


def _seen(unit: Unit, journey: JourneyRow) -> None:
    journey.seen = journey.wanted
    unit.changed_journey(journey)


def _ended(journey: JourneyRow, campaign: Campaign | None, steps: list[StepRow]) -> StepResult:
    details = details_of(journey, campaign, steps)
    return StepResult(kind="ended", state=journey.state, reason=journey.reason, details=details)


async def replan(conn: Connection, catalog: Catalog, unit: Unit, journey: JourneyRow, now: datetime) -> bool:
    """After an edit: reckon a waiting journey's deadline anew; whether it has to be woken for it (CMP-25).

    It does where it leaves now, or earlier than its timer stands; a later deadline needs no wake, because the timer
    comes, finds itself early and waits on.
    """
    campaign = catalog.campaigns.get(journey.campaign_id)
    if campaign is None or journey.block is None or journey.arrived_at is None or not journey.parked:
        return False
    key = resume_at(campaign.definition.workflow, journey.block, campaign.removed_blocks)
    if key != journey.block:
        return True
    block = campaign.definition.workflow.blocks[key]
    person = unit.people[journey.person_id]
    arrived = Position(journey.arrived_at, journey.arrived_seq)
    planned = block.plan(key, arrived, now, wait_state(journey), unit.journey_facts(person, journey))
    if not isinstance(planned.effect, Wait) or planned.wait is None:
        return True
    before, after = journey.due_at, planned.effect.due_at
    journey.wait, journey.due_at = planned.wait.model_dump(mode="json"), after
    unit.changed_journey(journey)
    for step in await store.steps_of(conn, journey):
        if step.outcome == "waiting" and step.delay_ends_at != after:
            step.delay_ends_at = after
            unit.change_step(step)
    return after is not None and (before is None or after < before)


__all__ = ["Delivered", "advance", "replan"]
