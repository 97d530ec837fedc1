"""The journeys whose histories are kept: each way that workflow code can take is in one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from temporalio.api.enums.v1 import EventType

from clock import system_now
from domain.captured import FaultRule
from domain.sending.call import CHANNELS
from domain.sends import BroadcastRef
from domain.task_steps import TaskRef
from ingest.catalog import Catalogs
from services import imports
from services import journeys as ending
from services.broadcasts import control, life, triggering
from services.transactional.accepting import SendAcceptor
from services.transactional.taking import Asking, Taking
from store import mailbox, outbox
from tests.workflows.engine import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.workflows.engine import Flow


class Kept(NamedTuple):
    """The run whose history is kept; without a `run_id` the latest."""

    workflow_id: str
    run_id: str | None = None


PERSON = "ann-7f3"
MAIL: dict[str, Any] = {
    "type": "email",
    "sending_state": "automatic",
    "message": {"subject": "Hi", "body": "<p>Hi</p>{% unsubscribe %}"},
}
BOUGHT = {"key": "bought", "conditions": {"performed": {"event": "purchase", "since": "trigger"}}}


def delay(duration: str, **more: Any) -> dict[str, Any]:
    return {"type": "time_delay", "duration": duration, **more}


async def begin(flow: Flow, start: str, /, **blocks: Any) -> None:
    await flow.campaign(blocks, start=start)
    await flow.identify(PERSON, email=f"{PERSON}@example.com")
    await flow.track(PERSON)
    await flow.settle()


async def message_between_two_waits(flow: Flow) -> None:
    """Wait, message, wait, the waits ended by the sandbox clock."""
    await begin(flow, "first", first=delay("P1D", next="mail"), mail={**MAIL, "next": "last"}, last=delay("P1D"))
    await flow.advance("P3D")
    await flow.ended()


async def message_between_two_timers(flow: Flow) -> None:
    """The same in real time."""
    await begin(flow, "first", first=delay("PT1S", next="mail"), mail={**MAIL, "next": "last"}, last=delay("PT1S"))
    await flow.ended()


async def wait_ended_by_a_fact(flow: Flow) -> None:
    """A timer cancelled by a wake."""
    wait = {"type": "wait_until", "paths": [BOUGHT, {"key": "late", "max_time": "P1D"}]}
    await begin(flow, "wait", wait=wait)
    await flow.track(PERSON, "purchase")
    await flow.settle()
    await flow.ended()


async def wakes_for_nothing(flow: Flow) -> None:
    """Wakes that find nothing to do."""
    await begin(flow, "wait", wait={"type": "wait_until", "paths": [BOUGHT]})
    row = await flow.journey()
    for number in range(3):
        await flow.engine.gateway.wake_journey(row.workflow_id, "looked", number)
    await flow.track(PERSON, "purchase")
    await flow.settle()
    await flow.ended()


async def straight_to_the_end(flow: Flow) -> None:
    """Neither a wait nor a message."""
    await begin(flow, "set", set={"type": "update_person", "set": {"stage": "new"}})
    await flow.ended()


async def still_waiting(flow: Flow) -> None:
    """A journey in the middle: what comes next must still be possible."""
    await begin(flow, "mail", mail={**MAIL, "next": "wait"}, wait=delay("P1D"))


async def call_that_is_answered_late(flow: Flow) -> None:
    """An endpoint that refuses once: the journey waits for its answer, which ends the wait."""
    rule = FaultRule(channel="webhook", outcome="http_status", status=503, times=1)
    async with flow.engine.db.transaction() as conn:
        await mailbox.replace_faults(conn, flow.workspace_id, [rule])
    ask = {
        "type": "webhook",
        "sending_state": "automatic",
        "request": {"url": "https://api.example.com/x", "body": "{}"},
        "response": {"journey": {"x": "response.x"}},
    }
    await begin(flow, "ask", ask={**ask, "next": "mail"}, mail=MAIL)
    await flow.advance("P1D")
    await flow.ended()


async def question_to_a_model(flow: Flow) -> None:
    """An action that speaks to the outside, and so is carried out by the activity that delivers."""
    fields = [{"name": "mood", "type": "text", "fallback": "none"}]
    ask = {"type": "llm", "provider": "fake", "model": "demo", "prompt": "Hi", "fields": fields}
    await begin(flow, "ask", ask={**ask, "next": "rest"}, rest=delay("P1D"))
    await flow.advance("P1D")
    await flow.ended()


async def branches_and_changes_to_an_exit(flow: Flow) -> None:
    """Everything that is planned in PostgreSQL: branches, a draw shared by an object, changes of data, an exit."""
    team = {"kind": "object_type", "key": "team", "name": "Teams", "singular_name": "Team"}
    courses = {"kind": "collection", "key": "courses", "name": "Courses", "data": [{"title": "First"}]}
    await flow.define(team, courses)
    halves = [{"key": "a", "percent": 50}, {"key": "b", "percent": 50}]
    new = {"key": "new", "conditions": {"journey": {"field": "visits", "operator": "lt", "value": 2}}}
    await begin(
        flow,
        "visits",
        visits={"type": "set_journey_attributes", "set": {"visits": 1}, "next": "pick"},
        pick={"type": "query_collection", "collection": "courses", "store": {"journey": "course"}, "next": "draw"},
        draw={"type": "random_cohort", "cohort_by": {"object_type": "team"}, "paths": halves, "join": "split"},
        split={"type": "multi_split", "paths": [new], "else": None, "join": "tell"},
        tell={"type": "send_event", "event": "told", "next": "pause"},
        pause=delay("P1D", next="known"),
        known={"type": "true_false", "conditions": {"attribute": {"field": "plan"}}, "then": None, "else": "out"},
        out={"type": "exit"},
    )
    await flow.advance("P1D")
    await flow.ended()


async def ended_by_hand(flow: Flow) -> None:
    """A journey ended from outside in the middle of a wait."""
    await begin(flow, "wait", wait=delay("P9D"))
    row = await flow.journey()
    await ending.end_one(flow.engine.db, flow.workspace_id, row.journey_id, system_now())
    flow.engine.notifier.send("outbox")
    await flow.settle()
    await flow.ended()


async def draft_beside_a_journey(flow: Flow) -> None:
    """A message that is only drafted: the journey goes on."""
    await begin(flow, "mail", mail={**MAIL, "sending_state": "draft", "next": "rest"}, rest=delay("P1D"))
    await flow.advance("P1D")
    await flow.ended()


async def wait_for_a_fact_alone(flow: Flow) -> None:
    """A wait without a last instant, in real time: no timer."""
    await begin(flow, "wait", wait={"type": "wait_until", "paths": [BOUGHT]})
    await flow.track(PERSON, "purchase")
    await flow.settle()
    await flow.ended()


async def plan_that_is_tried_again(flow: Flow) -> None:
    """A plan that fails for some seconds: the pauses between the attempts become a timer."""
    await begin(flow, "wait", wait={"type": "wait_until", "paths": [BOUGHT]})
    row = await flow.journey()

    async def rename(old: str, new: str) -> None:
        async with flow.engine.db.transaction() as conn:
            await conn.execute(f"ALTER TABLE {old} RENAME TO {new}")

    async def pausing() -> bool:
        kinds = [event.event_type for event in (await flow.history(row)).events]
        return EventType.EVENT_TYPE_TIMER_STARTED in kinds

    await rename("journey_steps", "journey_steps_away")
    try:
        await flow.engine.gateway.wake_journey(row.workflow_id, "looked", 0)
        await until(pausing)
    finally:
        await rename("journey_steps_away", "journey_steps")
    await flow.track(PERSON, "purchase")
    await flow.settle()
    await flow.ended()


async def many_wakes(flow: Flow) -> Kept:
    """A run that continues as a new one, because its history has become long."""
    await begin(flow, "wait", wait={"type": "wait_until", "paths": [BOUGHT]})
    row = await flow.journey()
    gateway = flow.engine.gateway
    handle = gateway.client.get_workflow_handle(row.workflow_id)
    first = (await handle.describe()).run_id

    async def continued() -> bool:
        await gateway.wake_journey(row.workflow_id, "looked", 0)
        return (await handle.describe()).run_id != first

    await until(continued)
    await flow.track(PERSON, "purchase")
    await flow.settle()
    await flow.ended()
    return Kept(row.workflow_id, first)


async def send_that_was_asked_for(flow: Flow) -> Kept:
    """A transactional send alone."""
    return Kept(f"send/{await ask(flow)}")


async def sends_that_were_asked_for_together(flow: Flow) -> Kept:
    """Several of them, carried by one workflow."""
    sends = [await ask(flow) for _ in range(3)]
    async with flow.engine.db.transaction() as conn:
        found = await conn.fetch(
            "SELECT delivery_id, transactional_id FROM deliveries WHERE delivery_id = ANY($1)", sends
        )
        numbers = {record["delivery_id"]: record["transactional_id"] for record in found}
        await outbox.ask_sends(conn, flow.workspace_id, [(name, numbers[name]) for name in sends])
    flow.engine.notifier.send("outbox")
    await flow.settle()
    handle = flow.engine.gateway.client.get_workflow_handle(f"send/{sends[0]}")
    await handle.result()
    return Kept(handle.id)


async def ask(flow: Flow) -> str:
    """Ask for a receipt and return the id of its delivery, once it was sent."""
    message = {"subject": "Hi", "body": "<p>Hi</p>"}
    receipt = {"kind": "transactional", "key": "receipt", "name": "Receipt", "channel": "email", "message": message}
    await flow.define(*flow.mail, receipt)
    db, catalogs = flow.engine.db, Catalogs()
    taking = Taking(db, catalogs, SendAcceptor(db, flow.engine.notifier))
    asking = Asking(flow.workspace_id, CHANNELS["email"], "App API: test", None)
    body = {"transactional_message_id": "receipt", "to": f"{PERSON}@example.com", "identifiers": {"id": PERSON}}
    raw = json.dumps(body).encode()
    answer = await taking.take(await taking.ready(flow.workspace_id), asking, raw, system_now())
    await flow.settle()
    await flow.engine.gateway.client.get_workflow_handle(f"send/{answer['delivery_id']}").result()
    return str(answer["delivery_id"])


async def file_of_rows(flow: Flow) -> Kept:
    """An import whose work takes two turns, then ends."""
    return Kept(await bring_in(flow, 50))


async def long_file_of_rows(flow: Flow) -> Kept:
    """An import of so many turns that its first run continues as a new one."""
    workflow_id = await bring_in(flow, 1_000)
    return Kept(workflow_id, await first_run(flow, workflow_id))


async def bring_in(flow: Flow, rows: int) -> str:
    """Import people and return the id of the workflow, when it has ended."""
    text = "id\n" + "".join(f"{PERSON}-{number}\n" for number in range(rows))
    body = {"import": {"name": "People", "type": "people", "identifier": "id", "data": text}}
    engine = flow.engine
    made = await imports.create(engine.db, Catalogs(), flow.workspace_id, body, system_now())
    engine.notifier.send("tasks")
    await flow.settle()
    workflow_id = TaskRef(workspace_id=flow.workspace_id, task_id=made["import"]["task_id"]).workflow_id
    await engine.gateway.client.get_workflow_handle(workflow_id).result()
    return workflow_id


async def first_run(flow: Flow, workflow_id: str) -> str:
    """The run with which a workflow began; there has to be a later one."""
    handle = flow.engine.gateway.client.get_workflow_handle(workflow_id)
    described = (await handle.describe()).raw_description.workflow_execution_info
    assert described.first_run_id != described.execution.run_id, "it did not continue as new"
    first: str = described.first_run_id
    return first


async def triggered(flow: Flow, people: int) -> BroadcastRef:
    """A broadcast with a rate of one message an hour, triggered for so many people."""
    engine = flow.engine
    document = {"kind": "broadcast", "key": "news", "name": "News", "recipients": "everyone"}
    rate = {"limit": 1, "per": "hour"}
    workflow = {"start": "mail", "blocks": {"mail": MAIL}}
    await flow.define(*flow.mail, {**document, "send_rate": rate, "workflow": workflow})
    await life.start(engine.db, flow.workspace_id, "news", system_now())
    for number in range(people):
        await flow.identify(f"{PERSON}-{number}", email=f"{PERSON}-{number}@example.com")
    await flow.settle()

    async def read() -> dict[str, Any]:
        return {"data": {"name": PERSON}}

    trigger_no = await triggering.trigger(engine.db, flow.workspace_id, "news", read, system_now)
    engine.notifier.send("outbox")
    await flow.settle()
    (row,) = await flow.rows("SELECT broadcast_id FROM broadcast_triggers WHERE workspace_id = $1")
    return BroadcastRef(workspace_id=flow.workspace_id, broadcast_id=row["broadcast_id"], trigger_no=trigger_no)


def key_of(ref: BroadcastRef) -> tuple[int, int, int]:
    return ref.workspace_id, ref.broadcast_id, ref.trigger_no


async def broadcast_ahead_of_its_rate(flow: Flow) -> Kept:
    """A trigger that takes several turns, waits for the clock between two of them, is paused and resumed, and ends."""
    ref = await triggered(flow, 3)
    await control.pause(flow.engine.db, key_of(ref))
    await control.resume(flow.engine.db, key_of(ref))
    await flow.advance("PT3H")
    await flow.engine.gateway.client.get_workflow_handle(ref.workflow_id).result()
    return Kept(ref.workflow_id)


async def broadcast_that_is_cancelled(flow: Flow) -> Kept:
    """A trigger that is cancelled between two turns."""
    ref = await triggered(flow, 3)
    await control.cancel(flow.engine.db, key_of(ref), system_now())
    flow.engine.notifier.send("outbox")
    await flow.settle()
    await flow.engine.gateway.client.get_workflow_handle(ref.workflow_id).result()
    return Kept(ref.workflow_id)


async def broadcast_of_many_turns(flow: Flow) -> Kept:
    """A trigger of so many turns that its first run continues as a new one."""
    ref = await triggered(flow, 24)
    await flow.advance("P1D")
    await flow.engine.gateway.client.get_workflow_handle(ref.workflow_id).result()
    return Kept(ref.workflow_id, await first_run(flow, ref.workflow_id))


Way = Callable[[Flow], Awaitable[Kept | None]] if TYPE_CHECKING else Any


def _named(*ways: Way) -> dict[str, Way]:
    return {way.__name__: way for way in ways}


BROADCASTS = _named(broadcast_ahead_of_its_rate, broadcast_that_is_cancelled, broadcast_of_many_turns)
TASKS = _named(file_of_rows, long_file_of_rows)
SENDS = _named(send_that_was_asked_for, sends_that_were_asked_for_together)
SANDBOX = _named(
    message_between_two_waits,
    wakes_for_nothing,
    straight_to_the_end,
    still_waiting,
    call_that_is_answered_late,
    question_to_a_model,
    branches_and_changes_to_an_exit,
    ended_by_hand,
    draft_beside_a_journey,
    plan_that_is_tried_again,
    many_wakes,
)
LIVE = _named(message_between_two_timers, wait_ended_by_a_fact, wait_for_a_fact_alone)
WAYS = {**SANDBOX, **LIVE, **SENDS, **TASKS, **BROADCASTS}
"""Every way by its name, which is also that of its file."""
