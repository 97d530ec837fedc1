"""A/B tests: each arm is delivered as itself, counted by itself, and one of them wins (ACT-17, ACT-18)."""

from __future__ import annotations

from typing import Any

import pytest

from clock import system_now
from domain.ab_tests import ArmFigures, chance_to_beat
from domain.deliveries import microseconds
from domain.errors import DomainError, InvalidInput, NotFound
from services import ab_tests, definitions
from store import deliveries as delivery_store
from store.deliveries import DeliveryRow
from tests.services.posting import begin, campaign
from tests.support.database import Room

MAIL = {"subject": "A", "body": "a"}
OTHER = {"subject": "B", "body": "b"}


def trial(percent: int = 100, *, blocks: dict[str, Any] | None = None, **arm: Any) -> dict[str, Any]:
    """A campaign that tests its email, with whatever comes after it."""
    arm = arm or {"message": OTHER}
    document = campaign(ab_test={"percent": percent, **arm})
    hello = {**document["workflow"]["blocks"]["hello"], "message": MAIL, "next": next(iter(blocks or {}), None)}
    document["workflow"]["blocks"] = {"hello": hello, **(blocks or {})}
    return document


async def block(room: Room, key: str = "hello") -> dict[str, Any] | None:
    """The block as it is written now."""
    found = await definitions.get(room.db, room.workspace_id, "campaign", "c")
    body: dict[str, Any] | None = found["definition"]["workflow"]["blocks"].get(key)
    return body


async def decide(room: Room, variant: Any, ref: str | int = "hello") -> dict[str, Any]:
    return await ab_tests.decide(room.db, room.workspace_id, "c", ref, variant=variant, real_now=system_now())


async def figures(room: Room, ref: str | int = "hello", **how: Any) -> dict[str, Any]:
    found = await ab_tests.figures(room.db, room.workspace_id, "c", ref, **how)
    return {metric["metric"]: metric for metric in found["metrics"]}


async def made(room: Room, variant: str | None, number: int, **values: Any) -> None:
    """Deliveries of the block that reached the given metrics, each a second after the one before."""
    (row,) = await room.rows(
        "SELECT definition_id, actions FROM definitions WHERE workspace_id = $1 AND kind = 'campaign'"
    )
    at, reached = microseconds(room.now), values.pop("reached", ("sent", "delivered"))
    seen = await room.rows("SELECT delivery_id FROM deliveries WHERE workspace_id = $1")
    async with room.db.transaction() as conn:
        for index in range(number):
            await delivery_store.insert(
                conn,
                DeliveryRow(
                    workspace_id=room.workspace_id,
                    delivery_id=f"d{len(seen) + index}",
                    channel="email",
                    status="delivered",
                    created_at=room.now,
                    campaign_id=row["definition_id"],
                    action_id=row["actions"]["hello"],
                    block="hello",
                    variant=variant,
                    metrics={metric: at + 1_000_000 * place for place, metric in enumerate(reached)},
                    **values,
                ),
                {},
            )


@pytest.mark.parametrize(("percent", "variant", "subject"), [(0, "a", "A"), (100, "b", "B")])
async def test_each_arm_says_its_own(room: Room, percent: int, variant: str, subject: str) -> None:
    post = await begin(room, trial(percent))
    recorded = await post.deliver()
    assert (recorded.variant, recorded.outcome) == (variant, "done")
    assert ((await post.delivery()).variant, (await post.delivery()).subject) == (variant, subject)


async def test_an_arm_is_drafted_by_itself(room: Room) -> None:
    post = await begin(room, trial(message=OTHER, sending_state="draft"))
    assert (await post.deliver()).outcome == "drafted"
    row = await post.delivery()
    assert (row.variant, row.draft, row.subject) == ("b", True, "B")


async def test_act_case_25_the_variation_as_a_holdout(room: Room) -> None:
    post = await begin(room, trial(holdout=True))
    assert (await post.deliver()).outcome == "done"
    row = await post.delivery()
    assert (row.variant, row.holdout, row.status) == ("b", True, "delivered")
    assert await post.mailbox() == []


async def test_figures_of_both_arms(room: Room) -> None:
    await room.define(trial(50))
    await made(room, "a", 6)
    await made(room, "a", 4, reached=("sent", "delivered", "opened", "human_opened", "clicked", "human_clicked"))
    await made(room, "b", 3, reached=("sent", "delivered", "opened"))
    await made(room, "b", 7, reached=("sent", "delivered", "opened", "human_opened", "converted"))
    await made(room, "b", 2, reached=("undeliverable",))
    found = await figures(room)
    assert found["opened"]["original"] == {"total": 10, "count": 4}
    assert found["opened"]["variation"] == {"total": 10, "count": 7}
    assert found["clicked"]["variation"] == {"total": 10, "count": 0}
    assert found["converted"]["variation"] == {"total": 10, "count": 7}
    assert found["converted"]["chance_to_beat_original"] == chance_to_beat(ArmFigures(10, 0), ArmFigures(10, 7))
    assert found["converted"]["verdict"] == "variation"
    machines = await figures(room, human_only=False)
    assert machines["opened"]["variation"] == {"total": 10, "count": 10}


async def test_where_nobody_reports_arrivals_what_was_sent_counts(room: Room) -> None:
    await room.define(trial(50))
    await made(room, "a", 9, reached=("sent",))
    await made(room, "b", 9, reached=("sent",))
    await made(room, "b", 1, reached=("sent", "human_opened", "opened"))
    async with room.db.transaction() as conn:
        # Who opens has got it, which says nothing of those who do not.
        await conn.execute(
            """UPDATE deliveries SET metrics = metrics || jsonb_build_object('delivered', metrics -> 'opened')
               WHERE workspace_id = $1 AND metrics ? 'opened'""",
            room.workspace_id,
        )
    found = await figures(room)
    assert found["opened"]["original"] == {"total": 9, "count": 0}
    assert found["opened"]["variation"] == {"total": 10, "count": 1}


async def test_a_holdout_is_measured_by_conversions_only(room: Room) -> None:
    await room.define(trial(50, holdout=True))
    await made(room, "a", 3, reached=("sent", "delivered", "converted"))
    await made(room, "b", 2, holdout=True)
    found = await figures(room)
    assert list(found) == ["converted"]
    assert found["converted"]["original"] == {"total": 3, "count": 3}
    assert found["converted"]["variation"] == {"total": 2, "count": 0}


async def test_without_anybody_there_is_no_chance(room: Room) -> None:
    await room.define(trial(50))
    found = await figures(room)
    assert found["opened"] == {
        "metric": "opened",
        "original": {"total": 0, "count": 0},
        "variation": {"total": 0, "count": 0},
        "chance_to_beat_original": None,
        "verdict": "not_significant",
    }


async def test_a_new_test_does_not_count_the_old_one(room: Room) -> None:
    await room.define(trial(50))
    await made(room, "a", 5)
    await room.move(hours=1)
    await made(room, None, 1)
    await room.move(hours=1)
    await made(room, "b", 2)
    found = await figures(room)
    assert (found["opened"]["original"]["total"], found["opened"]["variation"]["total"]) == (0, 2)


async def test_the_original_wins(room: Room) -> None:
    await room.define(trial(50))
    status = await decide(room, "a")
    assert (status["key"], status["revision"]) == ("c", 2)
    left = await block(room)
    assert left is not None
    assert (left["message"]["subject"], left["sending_state"], "ab_test" in left) == ("A", "automatic", False)


@pytest.mark.parametrize(("arm", "state"), [({}, "automatic"), ({"sending_state": "draft"}, "draft")])
async def test_the_variation_wins_with_its_sending_behaviour(room: Room, arm: dict[str, Any], state: str) -> None:
    answer = await room.define(trial(50, message=OTHER, **arm))
    assert answer["changes"][0]["action"] == "create"
    actions = (await definitions.get(room.db, room.workspace_id, "campaign", "c"))["status"]["actions"]
    status = await decide(room, "b", actions["hello"])
    assert status["actions"] == actions
    left = await block(room)
    assert left is not None
    assert (left["message"]["subject"], left["sending_state"], "ab_test" in left) == ("B", state, False)


async def test_a_winner_that_was_measured_against_a_holdout_stays_a_message(room: Room) -> None:
    document = trial(50)
    document["workflow"]["blocks"]["hello"] |= {"holdout": True}
    del document["workflow"]["blocks"]["hello"]["message"]
    await room.define(document)
    await decide(room, "b")
    left = await block(room)
    assert left is not None
    assert (left["message"]["subject"], left["holdout"]) == ("B", False)


@pytest.mark.parametrize("state", ["draft", "running"])
async def test_act_case_25_a_holdout_wins_and_the_block_is_gone(room: Room, state: str) -> None:
    after = {"pause": {"type": "time_delay", "duration": "P1D"}}
    post = await begin(room, trial(0, blocks=after, holdout=True))
    await room.run_campaign("c", state)
    assert (await decide(room, "b"))["actions"].keys() == {"pause"}
    assert await block(room) is None
    found = await definitions.get(room.db, room.workspace_id, "campaign", "c")
    assert found["definition"]["workflow"]["start"] == "pause"
    async with room.db.connection() as conn:
        campaigns = (await room.catalogs.get(conn, room.workspace_id)).campaigns
    assert campaigns[post.journey.campaign_id].removed_blocks == {"hello": "pause"}


@pytest.mark.parametrize("way", ["then", "else", "join"])
async def test_ways_to_a_removed_block_lead_to_what_follows(room: Room, way: str) -> None:
    tail = {"type": "time_delay", "duration": "P1D"}
    document = trial(50, blocks={"tail": tail}, holdout=True)
    document["workflow"]["start"] = "fork"
    document["workflow"]["blocks"]["fork"] = {"type": "true_false", way: "hello"}
    await room.define(document)
    await decide(room, "b")
    fork = await block(room, "fork")
    assert fork is not None
    assert fork[way] == "tail"


async def test_paths_to_a_removed_block_that_was_the_last_are_empty(room: Room) -> None:
    document = trial(50, holdout=True)
    paths = [{"key": "pro", "conditions": {"attribute": {"field": "plan", "value": "pro"}}, "next": "hello"}]
    document["workflow"]["start"] = "fork"
    document["workflow"]["blocks"]["fork"] = {"type": "wait_until", "paths": paths}
    await room.define(document)
    await decide(room, "b")
    fork = await block(room, "fork")
    assert fork is not None
    assert fork["paths"][0]["next"] is None


@pytest.mark.parametrize("state", ["draft", "running"])
async def test_a_holdout_may_leave_nothing_behind(room: Room, state: str) -> None:
    await room.define(trial(50, holdout=True))
    await room.run_campaign("c", state)
    assert (await decide(room, "b"))["actions"] == {}


async def test_a_block_that_others_ask_for_stays(room: Room) -> None:
    sent = {"message": {"of": {"campaign": "c", "block": "hello"}, "status": "sent"}}
    await room.define(trial(50, holdout=True), {"kind": "segment", "key": "s", "name": "S", "conditions": [sent]})
    with pytest.raises(InvalidInput) as caught:
        await decide(room, "b")
    assert [problem.code for problem in caught.value.problems] == ["in_use"]


async def test_without_a_test_nothing_is_decided(room: Room) -> None:
    await room.define(campaign())
    with pytest.raises(DomainError) as caught:
        await decide(room, "a")
    assert caught.value.code == "invalid_state"
    with pytest.raises(NotFound):
        await figures(room)
    with pytest.raises(NotFound):
        await decide(room, "a", "nowhere")
    with pytest.raises(NotFound):
        await ab_tests.figures(room.db, room.workspace_id, "nowhere", "hello")


async def test_what_was_delivered_keeps_its_arm(room: Room) -> None:
    post = await begin(room, trial(100))
    await post.deliver()
    await decide(room, "a")
    assert (await post.delivery()).variant == "b"
