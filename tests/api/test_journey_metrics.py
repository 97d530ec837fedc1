"""Journey metrics: what became of journeys, by the increment in which they were created (CMP-30, SUB-26, APP-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from store import erasure
from tests.api.test_ui_campaigns import look
from tests.support.looking import OTHER, START, UNIX, WELCOME, Scene

HOUR, DAY = 3_600, 86_400
MIDNIGHT = UNIX - 10 * HOUR


@pytest.fixture
async def here(workspace: Any) -> Scene:
    made = Scene(workspace.db, workspace.id)
    await made.define(WELCOME, OTHER)
    return made


async def metrics(workspace: Any, status: int = 200, **query: Any) -> dict[str, Any]:
    asked = {"start": MIDNIGHT, "end": MIDNIGHT + DAY, "resolution": "days"} | query
    answer = await workspace.http.get(
        "/v1/campaigns/welcome/journey_metrics",
        params={name: value for name, value in asked.items() if value is not None},
        headers=workspace.app,
    )
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body if status != 200 else body["journey_metric"]


async def test_each_journey_counts_by_what_it_ever_reached(workspace: Any, here: Scene) -> None:
    ann = await here.person("1")
    waiting = await here.journey(ann)
    await here.step(waiting, "pause", "waiting", output_type="delay")
    sent = await here.journey(ann, converted_at=START)
    await here.step(sent, "hello", "done")
    drafted = await here.ended(ann, "completed")
    await here.step(drafted, "hello", "drafted")
    hooked = await here.ended(ann, "exit_block")
    await here.step(hooked, "hello", "failed", output_type="webhook")
    blocked = await here.ended(ann, "filters", "No longer.")
    await here.step(blocked, "hello", "skipped")
    updated = await here.ended(ann, "trigger", "No longer.")
    await here.step(updated, "hello", "done", output_type="update_person")
    branched = await here.ended(ann, "filters", "No longer.")
    await here.step(branched, "hello", "branched", output_type="true_false")
    await here.step(branched, "pause", "exited", output_type="delay")
    await here.ended(ann, "manual", "By hand.")
    await here.journey(ann, campaign_id=here.campaigns["other"])
    assert await metrics(workspace) == {
        "started": [8],
        "activated": [4],
        "messaged": [3],
        "finished": [2],
        "exited_early": [2],
        "converted": [1],
        "never_activated": [2],
    }


async def test_a_journey_belongs_to_the_increment_of_its_creation(workspace: Any, here: Scene) -> None:
    ann = await here.person("1")
    instants = [START, START + timedelta(minutes=59, seconds=59, microseconds=999_999), START + timedelta(hours=1)]
    for instant in instants:
        # What began them is weeks old, and so are their steps' partitions.
        made = await here.journey(ann, at=instant, started_at=START - timedelta(days=40))
        await here.step(made, "hello")
    hours = {"start": UNIX, "end": UNIX + 2 * HOUR, "resolution": "hours"}
    assert (await metrics(workspace, **hours))["started"] == [2, 1]
    assert (await metrics(workspace, **hours))["messaged"] == [2, 1]
    assert (await metrics(workspace, **hours | {"end": UNIX + HOUR}))["started"] == [2]
    assert (await metrics(workspace, **hours | {"start": UNIX + 1}))["started"] == [1, 1]
    assert (await metrics(workspace, start=UNIX - 50 * DAY, end=UNIX - 10 * DAY, resolution="months"))["started"] == [
        0,
        0,
    ]
    assert (await metrics(workspace, start=UNIX, end=UNIX, resolution="weekly"))["started"] == []


async def test_whom_a_caller_was_told_of_before_it_was_created_is_counted_where_it_was(
    workspace: Any, here: Scene
) -> None:
    await here.journey(0, at=START, created_at=START + timedelta(days=2))
    assert (await metrics(workspace, end=MIDNIGHT + 3 * DAY))["started"] == [0, 0, 1]


async def test_figures_of_removed_people_stay(workspace: Any, here: Scene) -> None:
    ann = await here.person("1")
    over = await here.ended(ann, "person_deleted")
    await here.step(over, "hello")
    before = await metrics(workspace)
    async with workspace.db.transaction() as conn:
        await erasure.erase(conn, workspace.id, ann, keys=[], values=[], now=START)
    assert await metrics(workspace) == before
    assert before["messaged"] == before["exited_early"] == [1]


@pytest.mark.parametrize(
    "query",
    [
        {"start": None},
        {"end": None},
        {"resolution": None},
        {"resolution": "years"},
        {"resolution": ""},
        {"start": "soon"},
        {"start": -1},
        {"start": MIDNIGHT + 2 * DAY},
        {"end": 10**18},
        {"start": 0},
        {"start": "1.5"},
    ],
)
async def test_odd_questions(workspace: Any, here: Scene, query: dict[str, Any]) -> None:
    answer = await metrics(workspace, 400, **query)
    assert {error["code"] for error in answer["errors"]} == {"invalid_parameter"}


async def test_of_no_campaign(workspace: Any) -> None:
    await metrics(workspace, 404)


async def test_its_page_tells_of_the_last_thirty_days(workspace: Any, here: Scene) -> None:
    assert "Began in the last 30 days" not in (await look(workspace, "/campaigns/welcome")).text
    async with workspace.db.connection() as conn:
        now = await conn.fetchval("SELECT clock_now FROM workspaces WHERE workspace_id = $1", here.workspace_id)
    ann = await here.person("1")
    await here.journey(ann, at=now - timedelta(days=31))
    for _ in range(2):
        await here.step(await here.journey(ann, at=now), "hello")
    text = " ".join((await look(workspace, "/campaigns/welcome")).text.split())
    assert "Began in the last 30 days: 2 in all 2 got going 2 got a message 0 finished" in text
