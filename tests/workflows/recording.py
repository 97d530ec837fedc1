"""The journeys whose histories are kept: each way that workflow code can take is in one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clock import system_now
from domain.task_steps import TaskRef
from ingest.catalog import Catalogs
from services import imports

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


TASKS: dict[str, Callable[[Flow], Awaitable[str]]] = {file_of_rows.__name__: file_of_rows}
SANDBOX: dict[str, Callable[[Flow], Awaitable[None]]] = {
    recorded.__name__: recorded
    for recorded in (message_between_two_waits, wakes_for_nothing, straight_to_the_end, still_waiting)
}
LIVE: dict[str, Callable[[Flow], Awaitable[None]]] = {
    recorded.__name__: recorded for recorded in (message_between_two_timers, wait_ended_by_a_fact)
}
