"""A fact about one thing still sees the past that follows from it: each way in which facts lead to conditions."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import Identifier, Identify, Reevaluate, TrackEvent, Unsubscribe
from tests.support.database import START, Room
from tests.support.driver import Driver

WHO = Identifier(kind="id", value="1")
DID = {"performed": {"event": "a"}}
PAID = {"attribute": {"field": "x", "value": 1}}


def segment(key: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "segment", "key": key, "name": key, "conditions": list(conditions)}


def says(**attributes: Any) -> Identify:
    return Identify(subject=WHO, attributes=attributes)


def did(name: str, **fields: Any) -> TrackEvent:
    return TrackEvent(subject=WHO, name=name, **fields)


@pytest.mark.parametrize(
    ("segments", "fact", "members"),
    [
        pytest.param([segment("s", PAID, DID)], says(x=1), ["1"], id="attribute"),
        pytest.param(
            [segment("s", {"attribute": {"field": "y.z", "value": 1}}, DID)], says(y={"z": 1}), ["1"], id="member"
        ),
        pytest.param(
            [segment("s", {"performed": {"event": "a", "where": {"field": "n", "value": {"from": "customer.x"}}}})],
            says(x=7),
            ["1"],
            id="operand",
        ),
        pytest.param([segment("s", {"attribute": {"field": "email"}}, DID)], says(email="a@x.io"), ["1"], id="name"),
        pytest.param(
            [segment("s", {"performed": {"event": "a*", "times": {"at_least": 2}}})], did("ab"), ["1"], id="event"
        ),
        pytest.param(
            [
                segment(
                    "s", {"attribute": {"field": "w", "operator": "lt", "value": {"from": "customer._last_visit"}}}, DID
                )
            ],
            did("shop", type="page"),
            ["1"],
            id="visit",
        ),
        pytest.param(
            [segment("s", {"performed": {"event": "a", "within": "PT1H", "inverse": True}})],
            did("old", timestamp=int(START.timestamp()) - 10_000),
            [],
            id="age",
        ),
        pytest.param([segment("part", PAID), segment("s", {"segment": "part"}, DID)], says(x=1), ["1"], id="segment"),
    ],
)
async def test_a_fact_sees_what_was_done_before(
    room: Room, segments: list[dict[str, Any]], fact: Any, members: list[str]
) -> None:
    await room.define(*segments)
    await room.apply(says(w=1), did("a", data={"n": 7}))
    assert await room.members("s") == []
    await room.apply(fact)
    assert await room.members("s") == members


async def test_who_is_looked_at_again_is_seen_with_their_past(room: Room) -> None:
    await room.define(segment("s", DID))
    await room.apply(did("a"))
    [row] = await room.rows(
        """SELECT p.person_id, d.definition_id FROM people p JOIN definitions d USING (workspace_id)
           WHERE workspace_id = $1 AND d.kind = 'segment'"""
    )
    await room.apply(Reevaluate(person_id=row["person_id"], refs=[("segment", row["definition_id"])]))
    assert await room.members("s") == ["1"]


async def test_who_leaves_by_a_link_is_seen_with_their_past(room: Room) -> None:
    await room.define(segment("s", {"attribute": {"field": "unsubscribed", "value": True}}, DID))
    await room.apply(did("a"))
    [row] = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1")
    await room.apply(Unsubscribe(delivery_id="none", person_id=row["person_id"]))
    assert await room.members("s") == ["1"]


@pytest.mark.parametrize("also", [PAID, {"segment": "part"}])
async def test_a_wait_sees_what_was_done_before(room: Room, also: dict[str, Any]) -> None:
    path = {"key": "both", "conditions": [also, DID]}
    campaign = {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "event", "event": "cart"},
        "workflow": {"start": "wait", "blocks": {"wait": {"type": "wait_until", "paths": [path]}}},
    }
    await room.define(segment("part", PAID), campaign)
    await room.run_campaign("c")
    await room.apply(did("a"), did("cart"))
    await Driver(room).step()
    await room.apply(says(x=1))
    [journey] = await room.journeys()
    assert journey["wait"]["released"] == "both"


async def test_a_fact_by_a_name_that_the_batch_gives_sees_what_was_done_before(room: Room) -> None:
    await room.define(segment("s", {"performed": {"event": "a", "times": {"at_least": 2}}}))
    await room.apply(did("a"))
    await room.apply(
        says(email="a@x.io"),
        TrackEvent(subject=Identifier(kind="email", value="A@x.io"), name="a"),
    )
    assert await room.members("s") == ["1"]


async def test_the_past_of_people_in_one_batch_is_told_apart(room: Room) -> None:
    await room.define(
        segment("twice-a", {"performed": {"event": "a", "times": {"at_least": 2}}}),
        segment("twice-b", {"performed": {"event": "b", "times": {"at_least": 2}}}),
        segment("rich", {"attribute": {"field": "x", "value": 2}}, {"performed": {"event": "b"}}),
    )
    people = [Identifier(kind="id", value=value) for value in ("1", "2", "3")]
    await room.apply(*[TrackEvent(subject=who, name=name) for who in people for name in ("a", "b")])
    await room.apply(
        TrackEvent(subject=people[0], name="a"),
        TrackEvent(subject=people[1], name="b"),
        Identify(subject=people[2], attributes={"x": 2}),
    )
    assert [await room.members(key) for key in ("twice-a", "twice-b", "rich")] == [["1"], ["2"], ["3"]]
