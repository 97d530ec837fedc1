"""What one more block of each kind costs in history events, measured on real histories, and written down for readers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from domain.captured import FaultRule
from settings import CHECKOUT
from store import mailbox
from tests.workflows.engine import Flow

PAGE = CHECKOUT / "docs" / "versioning-workflows.md"
BEGIN, END = "<!-- measured by tests/workflows/test_block_costs.py -->", "<!-- measured until here -->"
RECORDING = os.environ.get("SOJOURN_RECORD_HISTORIES") == "1"
PERSON = "ann-7f3"
LOST, TRIES = "WORKFLOW_TASK_TIMED_OUT", 3
MAIL = {"subject": "Hi", "body": "<p>Hi</p>{% unsubscribe %}"}
ENDPOINT = {"method": "POST", "url": "https://api.example.com/x", "body": "{}"}
PRO = {"attribute": {"field": "plan", "value": "pro"}}
LISTED = {"kind": "segment", "key": "listed", "name": "Listed", "type": "manual"}
COLLECTION = {"kind": "collection", "key": "courses", "name": "Courses", "data": [{"title": "First"}]}
MAPPED = {"journey": {"x": "response.x"}}
TEAM = {"kind": "object_type", "key": "team", "name": "Teams", "singular_name": "Team"}

Make = Callable[[str | None], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """A kind of block: how one is written that leads on, what has to be there, what is bounded, and why."""

    name: str
    make: Make
    most: int
    what: str
    live: bool = False
    fails_first: bool = False


def step(**block: Any) -> Make:
    return lambda following: {**block, "next": following}


def fork(**block: Any) -> Make:
    return lambda following: {**block, "join": following}


def split(following: str | None) -> dict[str, Any]:
    return {"type": "true_false", "conditions": PRO, "then": None, "else": None, "join": following}


def asked(following: str | None) -> dict[str, Any]:
    """A call whose answer is worth something, each of its own URL."""
    request = {**ENDPOINT, "url": url_of(following)}
    return {"type": "webhook", "sending_state": "automatic", "request": request, "response": MAPPED, "next": following}


def url_of(following: str | None) -> str:
    return f"https://api.example.com/{following}"


NOTHING = "planned in PostgreSQL by the activity before it"
CALLED = "the activity that makes and hands over the delivery, and plans on"
WOKEN = "the timer, or the signal that ends the wait; a local activity that plans on"
KINDS = (
    Kind("`true_false`, `multi_split`", split, 0, NOTHING),
    Kind(
        "`random_cohort`, also by object",
        lambda following: {
            "type": "random_cohort",
            "cohort_by": {"object_type": "team"},
            "paths": [{"key": "a", "percent": 50}, {"key": "b", "percent": 50}],
            "join": following,
        },
        0,
        NOTHING,
    ),
    Kind("`update_person`, `segment_update`", step(type="update_person", set={"a": 1}), 0, NOTHING),
    Kind("`set_journey_attributes`", step(type="set_journey_attributes", set={"a": 1}), 0, NOTHING),
    Kind("`send_event`, `batch_update`", step(type="send_event", event="told"), 0, NOTHING),
    Kind(
        "`query_collection`",
        step(type="query_collection", collection="courses", store={"journey": "course"}),
        0,
        NOTHING,
    ),
    Kind("messages of every channel", step(type="email", sending_state="automatic", message=MAIL), 6, CALLED),
    Kind("messages as drafts", step(type="email", sending_state="draft", message=MAIL), 6, CALLED),
    Kind(
        "`webhook`, `slack`: answered at once",
        step(type="webhook", sending_state="automatic", request=ENDPOINT),
        6,
        CALLED,
    ),
    Kind(
        "`webhook`: retried, its answer waited for",
        asked,
        11,
        "the same, then a wait that the outcome ends",
        fails_first=True,
    ),
    Kind(
        "`llm`",
        step(
            type="llm",
            provider="fake",
            model="demo",
            prompt="Hi",
            fields=[{"name": "a", "type": "text", "fallback": "b"}],
        ),
        6,
        "the activity that asks the model and plans on",
    ),
    Kind("waits, on the clock of a sandbox", step(type="time_delay", duration="P1D"), 5, WOKEN),
    Kind("waits, in real time", step(type="time_delay", duration="PT1S"), 6, WOKEN, live=True),
)


async def events(flow: Flow) -> list[str]:
    history = await flow.history(await flow.journey())
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]


async def walked(like: Flow, kind: Kind, count: int) -> list[str]:
    """The events of a journey through so many blocks of a kind."""
    flow = await like.engine.workspace(sandbox=not kind.live)
    names = [f"b{number}" for number in range(count)]
    blocks = {name: kind.make(following) for name, following in zip(names, [*names[1:], None], strict=True)}
    await flow.define(LISTED, COLLECTION, TEAM)
    if kind.fails_first:
        # Each call is refused once: while it is tried again the journey stands in its wait for the answer.
        rules = [
            FaultRule(channel="webhook", outcome="http_status", status=503, times=1, url=url_of(following))
            for following in [*names[1:], None]
        ]
        async with flow.engine.db.transaction() as conn:
            await mailbox.replace_faults(conn, flow.workspace_id, rules)
    await flow.campaign(blocks, start="b0", exit="never")
    await flow.identify(PERSON, email=f"{PERSON}@example.com", plan="pro")
    await flow.track(PERSON)
    await flow.settle()
    if not kind.live:
        await flow.advance("P9D")
    row = await flow.ended()
    assert (row.state, row.reason) == ("finished", "completed")
    return await events(flow)


async def undisturbed(like: Flow, kind: Kind, count: int) -> list[str]:
    """The same without a workflow task that was lost on its way, as may happen on a busy machine, and is given again."""
    for _ in range(TRIES):
        found = await walked(like, kind, count)
        if LOST not in found:
            break
    return found


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    """What was found, for the last test."""
    return {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_one_more_block_costs_no_more_than_its_bound(sandbox: Flow, measured: dict[str, int], kind: Kind):
    one, three = await undisturbed(sandbox, kind, 1), await undisturbed(sandbox, kind, 3)
    added = len(three) - len(one)
    assert added % 2 == 0, (one, three)
    measured[kind.name] = added // 2
    assert measured[kind.name] <= kind.most, (one, three)


def test_what_was_measured_is_what_the_page_says(measured: dict[str, int]):
    if measured.keys() != {kind.name for kind in KINDS}:
        return
    rows = [f"| {kind.name} | {measured[kind.name]} | {kind.what} |" for kind in KINDS]
    table = "\n".join([BEGIN, "| block | events | for |", "|---|---|---|", *rows, END])
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if RECORDING:
        PAGE.write_text(before + table + after)
    assert PAGE.read_text() == before + table + after
