"""What operators do with many journeys: see where people stand, end them, take them away as a file (CMP-30)."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from api.management import schemas, shapes
from services.journeys import BY_HAND
from store import journeys as store
from tests.api.conftest import Keys
from tests.api.test_exports import begin, link
from tests.api.test_imports import carry, get
from tests.support.files import table
from tests.support.looking import OTHER, START, UNIX, WELCOME, Scene
from tests.support.working import run_tasks

END = "/v1/journeys/end"
FORK = {
    "kind": "campaign",
    "key": "welcome",
    "name": "Fork",
    "trigger": {"type": "event", "event": "signed_up"},
    "workflow": {
        "start": "plan",
        "blocks": {
            "closing": {"type": "email", "sending_state": "automatic", "message": {"subject": "x", "body": "x"}},
            "answer": {
                "type": "wait_until",
                "paths": [
                    {"key": "soon", "name": "Answers soon", "max_time": "PT1H", "next": "done"},
                    {"key": "bought", "conditions": {"performed": {"event": "bought"}}},
                ],
                "join": "closing",
            },
            "plan": {
                "type": "true_false",
                "conditions": {"attribute": {"field": "plan", "value": "pro"}},
                "then": "perk",
                "else": None,
                "join": "answer",
            },
            "perk": {"type": "time_delay", "duration": "P1D"},
            "done": {"type": "exit"},
        },
    },
}


@pytest.fixture
async def here(workspace: Keys) -> Scene:
    made = Scene(workspace.db, workspace.id)
    await made.define(WELCOME, OTHER)
    return made


async def figures(workspace: Keys, campaign: str | int = "welcome") -> dict[str, dict[str, Any]]:
    answer = await get(workspace, f"/v1/campaigns/{campaign}/blocks")
    shapes.Blocks.model_validate(answer)
    return {block["key"]: block for block in answer["blocks"]}


async def end(workspace: Keys, status: int = 202, **body: Any) -> dict[str, Any]:
    answer = await workspace.call("POST", END, body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def states(workspace: Keys) -> dict[str, tuple[str, str | None]]:
    found = (await get(workspace, "/v1/journeys"))["journeys"]
    return {journey["id"]: (journey["state"], journey["reason"]) for journey in found}


async def test_blocks_say_how_many_stand_and_what_became_of_the_others(workspace: Keys, here: Scene):
    for number, (outcome, values) in enumerate(
        [("done", {}), ("done", {}), ("skipped", {}), ("failed", {}), ("drafted", {"draft": True})]
    ):
        journey = await here.journey(await here.person(str(number)))
        await here.step(journey, "hello", outcome, **values)
        await here.step(journey, "pause", "waiting", output_type="delay")
    await here.journey(await here.person("new"), block=None, arrived_at=None, due_at=None, wait=None)
    await here.journey(await here.person("gone"), block="lost")
    await here.ended(await here.person("over"), "completed")
    answer = await get(workspace, "/v1/campaigns/welcome/blocks")
    assert [block["key"] for block in answer["blocks"]] == ["hello", "pause", "trip"]
    hello, pause, trip = answer["blocks"]
    counts = ("standing", "passed", "skipped", "failed", "drafted", "left")
    assert [hello[name] for name in counts] == [0, 2, 1, 1, 1, 0]
    assert [pause[name] for name in counts] == [5, 0, 0, 0, 0, 0]
    assert (hello["name"], hello["type"], hello["action_id"]) == ("Say hello", "email", here.actions["hello"])
    assert set(hello["messages"]) >= {"created", "sent", "delivered", "opened"}
    assert "messages" not in pause
    assert trip["paths"] == [{"key": "left", "name": "left", "next": None, "taken": 0}]
    assert answer["removed"] == [{"key": "lost", "standing": 1}]
    assert (answer["journeys"]["in_progress"], answer["journeys"]["starting"]) == (7, 1)
    assert await figures(workspace, here.campaigns["welcome"]) == await figures(workspace)
    assert (await workspace.call("GET", "/v1/campaigns/nowhere/blocks")).status_code == 404


async def test_blocks_come_in_the_order_of_the_workflow_with_their_paths(workspace: Keys):
    here = Scene(workspace.db, workspace.id)
    await here.define(FORK)
    for number, path in enumerate(["then", "else", "else"]):
        journey = await here.journey(await here.person(str(number)), block="answer")
        await here.step(journey, "plan", "branched", path=path, branch_index=int(path == "else"))
    found = await figures(workspace)
    assert [(key, block["branch"], block["path"], block["depth"]) for key, block in found.items()] == [
        ("plan", None, None, 0),
        ("perk", "plan", "then", 1),
        ("answer", None, None, 0),
        ("done", "answer", "soon", 1),
        ("closing", None, None, 0),
    ]
    assert [(path["key"], path["taken"]) for path in found["plan"]["paths"]] == [("then", 1), ("else", 2)]
    assert (found["plan"]["passed"], found["answer"]["standing"]) == (3, 3)
    assert [path["name"] for path in found["answer"]["paths"]] == ["Answers soon", "bought"]


async def test_a_step_that_ends_otherwise_counts_as_what_it_became(workspace: Keys, here: Scene):
    journey = await here.journey(await here.person("1"))
    step = await here.step(journey, "hello", "drafted", draft=True)
    waiting = await here.step(journey, "pause", "waiting", output_type="delay")
    async with workspace.db.transaction() as conn:
        await store.add_steps(conn, [step])
        step.outcome, waiting.outcome = "done", "waiting"
        await store.save_step(conn, step)
        await store.save_step(conn, waiting)
        await store.save_step(conn, step)
    assert {name: (await figures(workspace))["hello"][name] for name in ("passed", "drafted")} == {
        "passed": 1,
        "drafted": 0,
    }
    await end(workspace, campaign="welcome")
    await run_tasks(workspace.db)
    assert (await figures(workspace))["pause"] | {"standing": 0, "left": 1} == (await figures(workspace))["pause"]


async def test_many_are_ended_by_campaign_block_and_start(workspace: Keys, here: Scene):
    ann = await here.person("1")
    there = await here.journey(ann)
    elsewhere = await here.journey(ann, block="trip", due_at=None)
    other = await here.journey(ann, campaign_id=here.campaigns["other"])
    late = await here.journey(ann, at=START + timedelta(hours=1))
    over = await here.ended(ann, "completed")
    task = await end(workspace, campaign="welcome", block="pause", started_before=UNIX + 60)
    schemas.Task.model_validate(task)
    assert (task["type"], task["state"], task["progress"]) == ("end_chosen_journeys", "queued", {"done": 0, "total": 1})
    assert task["about"] == {"kind": "campaign", "id": here.campaigns["welcome"]}
    newcomer = await here.journey(await here.person("2"), at=START + timedelta(seconds=1))
    await run_tasks(workspace.db)
    found = await states(workspace)
    assert found[there.journey_id] == ("exited_early", "manual")
    going = {elsewhere.journey_id, other.journey_id, late.journey_id, newcomer.journey_id}
    assert {name for name, state in found.items() if state == ("in_progress", None)} == going
    assert found[over.journey_id] == ("finished", "completed")
    shown = (await get(workspace, f"/v1/journeys/{there.journey_id}"))["journey"]
    assert shown["explanation"] == BY_HAND
    done = await get(workspace, f"/v1/tasks/{task['id']}")
    assert (done["state"], done["progress"]) == ("succeeded", {"done": 1, "total": 1})
    async with workspace.db.connection() as conn:
        woken = await conn.fetch("SELECT journey_id, kind, why FROM outbox WHERE workspace_id = $1", workspace.id)
    assert [tuple(row) for row in woken] == [(there.journey_id, "wake", "ended by hand")]


async def test_many_are_ended_by_their_ids_in_pages(workspace: Keys, here: Scene):
    person = await here.person("1")
    made = [await here.journey(person, at=START + timedelta(seconds=number)) for number in range(230)]
    nobody = await here.journey(store.NOBODY)
    spared = await here.journey(person, at=START + timedelta(hours=1))
    ids = [journey.journey_id for journey in made] + [nobody.journey_id, "unknown"]
    task = await end(workspace, ids=[*ids, ids[0]])
    assert (task["progress"]["total"], task["about"]) == (231, None)
    await run_tasks(workspace.db)
    assert (await get(workspace, f"/v1/tasks/{task['id']}"))["progress"] == {"done": 231, "total": 231}
    left = (await get(workspace, "/v1/journeys?state=in_progress"))["journeys"]
    assert [journey["id"] for journey in left] == [spared.journey_id]
    again = await end(workspace, ids=ids)
    assert again["progress"]["total"] == 0
    await run_tasks(workspace.db)
    assert (await get(workspace, f"/v1/tasks/{again['id']}"))["state"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "required", "/campaign"),
        ({"campaign": "nowhere"}, "unknown_reference", "/campaign"),
        ({"campaign": "welcome", "state": "finished"}, "enum", "/state"),
        ({"campaign": "welcome", "block": "No!"}, None, "/block"),
        ({"campaign": "welcome", "ids": ["a"]}, "type", "/campaign"),
        ({"ids": []}, "length", "/ids"),
        ({"ids": ["a\x01"]}, None, "/ids/0"),
        ({"ids": ["a"] * 1001}, None, "/ids"),
        ({"campaign": "welcome", "everything": True}, None, "/everything"),
        ([], None, ""),
    ],
)
async def test_what_cannot_be_ended_is_refused_by_field(workspace: Keys, here: Scene, body, code, pointer):
    answer = await workspace.call("POST", END, body)
    assert answer.status_code == 422, answer.text
    (problem, *_) = answer.json()["errors"]
    assert problem["pointer"] == pointer
    assert code is None or problem["code"] == code
    assert (await get(workspace, "/v1/tasks"))["tasks"] == []


async def test_journeys_are_exported_with_why_and_where(workspace: Keys, here: Scene):
    ann = await here.person("1", "ann@example.com", city="Rome")
    going = await here.journey(ann)
    gone = await here.ended(await here.person("2"), "goal", "The goal was met.", at=START + timedelta(seconds=5))
    nobody = await here.journey(store.NOBODY, at=START + timedelta(seconds=6))
    await here.journey(ann, campaign_id=here.campaigns["other"])
    made = await begin(workspace, "journeys", {"campaign": "welcome", "attributes": ["city"]})
    assert made["description"] == "Journeys"
    await carry(workspace)
    fetched = await workspace.http.get(await link(workspace, made["id"]))
    rows = table(fetched.content)
    assert [row["journey_id"] for row in rows] == [nobody.journey_id, gone.journey_id, going.journey_id]
    assert (rows[2]["id"], rows[2]["email"], rows[2]["city"]) == ("1", "ann@example.com", "Rome")
    assert (rows[2]["block"], rows[2]["due_at"], rows[2]["state"]) == ("pause", str(UNIX + 86_400), "in_progress")
    assert (rows[1]["reason"], rows[1]["explanation"], rows[1]["block"]) == ("goal", "The goal was met.", "")
    assert rows[1]["ended_at"] == str(UNIX + 3600)


async def test_a_part_of_the_journeys_is_exported_with_their_steps(workspace: Keys, here: Scene):
    ann = await here.person("1")
    journey = await here.journey(ann)
    await here.step(journey, "hello", delivery_id="d", explanation="sent")
    await here.step(journey, "pause", "waiting", output_type="delay")
    await here.journey(ann, block="trip")
    await here.ended(ann, "completed")
    body = {"campaign": here.campaigns["welcome"], "block": "pause", "state": "in_progress", "steps": True}
    made = await begin(workspace, "journeys", body | {"start": UNIX, "end": UNIX})
    await carry(workspace)
    fetched = await workspace.http.get(await link(workspace, made["id"]))
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        assert sorted(archive.namelist()) == ["journeys.csv", "steps.csv"]
        (row,) = table(archive.read("journeys.csv"))
        steps = table(archive.read("steps.csv"))
    assert row["journey_id"] == journey.journey_id
    assert [(step["block"], step["outcome"], step["explanation"]) for step in steps] == [
        ("hello", "done", "sent"),
        ("pause", "waiting", ""),
    ]
    assert {step["journey_id"] for step in steps} == {journey.journey_id}


async def test_an_export_of_journeys_names_a_campaign(workspace: Keys, here: Scene):
    for body, pointer in (
        ({}, "/campaign"),
        ({"campaign": "nowhere"}, "/campaign"),
        ({"campaign": 1, "state": "x"}, "/state"),
    ):
        answer = await workspace.call("POST", "/v1/exports/journeys", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer), answer.text
