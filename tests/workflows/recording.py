"""The journeys whose histories are kept: each way that workflow code can take is in one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clock import system_now
from domain.captured import FaultRule
from domain.sends import BroadcastRef
from domain.task_steps import TaskRef
from ingest.catalog import Catalogs
from services import imports
from services import journeys as ending
from services.broadcasts import control, life, triggering
from store import mailbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.workflows.engine import Flow

FOLDER = Path(__file__).parent / "histories"
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


async def file_of_rows(flow: Flow) -> str:
    """An import whose work takes two turns, then ends; returns the id of its workflow."""
    text = "id\n" + "".join(f"{PERSON}-{number}\n" for number in range(50))
    body = {"import": {"name": "People", "type": "people", "identifier": "id", "data": text}}
    engine = flow.engine
    made = await imports.create(engine.db, Catalogs(), flow.workspace_id, body, system_now())
    engine.notifier.send("tasks")
    await flow.settle()
    workflow_id = TaskRef(workspace_id=flow.workspace_id, task_id=made["import"]["task_id"]).workflow_id
    await engine.gateway.client.get_workflow_handle(workflow_id).result()
    return workflow_id


async def broadcast_ahead_of_its_rate(flow: Flow) -> str:
    """A trigger that takes several turns, waits for the clock between two of them, is paused and resumed, and ends."""
    engine = flow.engine
    blocks = {"mail": MAIL}
    document = {"kind": "broadcast", "key": "news", "name": "News", "recipients": "everyone"}
    rate = {"limit": 1, "per": "hour"}
    await flow.define(*flow.mail, {**document, "send_rate": rate, "workflow": {"start": "mail", "blocks": blocks}})
    await life.start(engine.db, flow.workspace_id, "news", system_now())
    for number in range(3):
        await flow.identify(f"{PERSON}-{number}", email=f"{PERSON}-{number}@example.com")
    await flow.settle()

    async def read() -> dict[str, Any]:
        return {"data": {"name": PERSON}}

    trigger_no = await triggering.trigger(engine.db, flow.workspace_id, "news", read, system_now)
    engine.notifier.send("outbox")
    await flow.settle()
    (row,) = await flow.rows("SELECT broadcast_id FROM broadcast_triggers WHERE workspace_id = $1")
    ref = BroadcastRef(workspace_id=flow.workspace_id, broadcast_id=row["broadcast_id"], trigger_no=trigger_no)
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    await control.pause(engine.db, key)
    await control.resume(engine.db, key)
    await flow.advance("PT3H")
    await engine.gateway.client.get_workflow_handle(ref.workflow_id).result()
    return ref.workflow_id


BROADCASTS: dict[str, Callable[[Flow], Awaitable[str]]] = {
    broadcast_ahead_of_its_rate.__name__: broadcast_ahead_of_its_rate
}
TASKS: dict[str, Callable[[Flow], Awaitable[str]]] = {file_of_rows.__name__: file_of_rows}
SANDBOX: dict[str, Callable[[Flow], Awaitable[None]]] = {
    recorded.__name__: recorded
    for recorded in (
        message_between_two_waits,
        wakes_for_nothing,
        straight_to_the_end,
        still_waiting,
        call_that_is_answered_late,
        question_to_a_model,
        branches_and_changes_to_an_exit,
        ended_by_hand,
        draft_beside_a_journey,
    )
}
LIVE: dict[str, Callable[[Flow], Awaitable[None]]] = {
    recorded.__name__: recorded for recorded in (message_between_two_timers, wait_ended_by_a_fact)
}
