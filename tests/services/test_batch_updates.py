"""Batch update: values of their own for everybody who matches (ACT-26)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import (
    ChangeRelationships,
    Edge,
    Identifier,
    Identify,
    IdentifyObject,
    ObjectRef,
)
from tests.support.data_blocks import ACCOUNT, DELAY, ON_GO, attributes, events, happens, kept, ready, walked
from tests.support.database import Room
from tests.support.live import campaign


async def crowd(room: Room, count: int, **attributes: Any) -> None:
    """So many people of one team."""
    people = [
        Identify(subject=Identifier(kind="id", value=f"p{n:04}"), attributes={"team": "red", **attributes})
        for n in range(count)
    ]
    for person in people:
        await room.accept(person)


async def test_everybody_who_matches_is_changed_each_with_values_of_their_own(room: Room) -> None:
    block = {
        "type": "batch_update",
        "match": [
            {"attribute": {"field": "team", "value": {"from": "customer.team"}}},
            {"attribute": {"field": "away", "operator": "exists", "inverse": True}},
        ],
        "set": {
            "mark": {"liquid": "{{ match.id }} by {{ customer.id }}"},
            "size": {"javascript": "return match.size + 1"},
            "from": {"from": "match.id"},
        },
        "remove": ["size2"],
    }
    driver = await ready(room, campaign("c", ON_GO, "b", {"b": block}), team="red", size=1, size2=3)
    for number, fields in enumerate([{"team": "Red", "size": 5}, {"team": "red", "away": 1}, {"team": "blue"}]):
        await room.accept(Identify(subject=Identifier(kind="id", value=f"p{number}"), attributes=fields))
    await happens(room, driver)
    found = await attributes(room)
    assert found["ann"] == {"team": "red", "mark": "ann by ann", "size": 2, "from": "ann"}
    assert found["p0"] == {"team": "Red", "mark": "p0 by ann", "size": 6, "from": "p0"}
    assert found["p1"] == {"team": "red", "away": 1}
    assert found["p2"] == {"team": "blue"}
    assert await walked(room) == [("b", "done", "2 people match and are changed.")]


async def test_an_event_for_everybody_who_matches_and_nobody_is_no_failure(room: Room) -> None:
    def telling(team: str, following: str | None = None) -> dict[str, Any]:
        return {
            "type": "batch_update",
            "match": {"attribute": {"field": "team", "value": team}},
            "event": "teammate_joined",
            "data": {"who": {"from": "customer.id"}, "you": {"from": "match.id"}},
            "next": following,
        }

    blocks = {"b": telling("red", "n"), "n": telling("green")}
    driver = await ready(room, campaign("c", ON_GO, "b", blocks))
    await crowd(room, 3)
    await happens(room, driver)
    told = [(event["id"], event["data"]) for event in await events(room, "teammate_joined")]
    assert told == [(f"p{n:04}", {"who": "ann", "you": f"p{n:04}"}) for n in range(3)]
    assert [step[1] for step in await walked(room)] == ["done", "done"]


async def test_what_the_block_before_wrote_is_found(room: Room) -> None:
    blocks = {
        "u": {"type": "update_person", "set": {"team": "red"}, "next": "b"},
        "b": {
            "type": "batch_update",
            "match": {"attribute": {"field": "team", "value": "red"}},
            "set": {"found": True},
            "next": "t",
        },
        "t": {"type": "true_false", "conditions": {"attribute": {"field": "found", "value": True}}, "then": "d"},
        "d": DELAY,
    }
    driver = await ready(room, campaign("c", ON_GO, "u", blocks))
    await happens(room, driver)
    assert [step[:2] for step in await walked(room)][-1] == ("d", "waiting")


async def test_people_related_to_the_object_of_the_payload(room: Room) -> None:
    block = {
        "type": "batch_update",
        "match": [{"related": {"to": "account", "relationship": {"field": "role", "value": {"from": "event.role"}}}}],
        "set": {"admin": True},
    }
    driver = await ready(room, ACCOUNT, campaign("c", ON_GO, "b", {"b": block}))
    reference = ObjectRef(object_type_id=1, object_id="acme")
    await room.accept(IdentifyObject(object=reference, attributes={"name": "Acme"}))
    for number, role in enumerate(("admin", "user")):
        person = Identifier(kind="id", value=f"p{number}")
        await room.accept(
            Identify(subject=person),
            ChangeRelationships(edges=[Edge(person=person, object=reference, attributes={"role": role})]),
        )
    await happens(room, driver, {"role": "admin"})
    assert await attributes(room) == {"ann": {}, "p0": {"admin": True}, "p1": {}}


@pytest.mark.parametrize(("count", "outcome"), [(1_000, "done"), (1_001, "failed")])
async def test_act_case_31_a_thousand_are_changed_and_one_more_is_nobody(room: Room, count: int, outcome: str) -> None:
    block = {
        "type": "batch_update",
        "match": {"attribute": {"field": "team", "value": "red"}},
        "set": {"mark": {"from": "match.id"}},
        "next": "d",
    }
    driver = await ready(room, campaign("c", ON_GO, "b", {"b": block, "d": DELAY}))
    async with room.db.transaction() as conn:
        # A thousand calls take their time; what they would leave does not.
        await conn.execute(
            """INSERT INTO people (workspace_id, person_id, id, attributes, attribute_times, created_at, age_start)
               SELECT $1, 100000 + n, 'p' || n, '{"team": "red"}'::jsonb, '{}'::jsonb, $3, $3
               FROM generate_series(1, $2::int) AS n""",
            room.workspace_id,
            count,
            room.now,
        )
    await happens(room, driver)
    marked = [name for name, found in (await attributes(room)).items() if found.get("mark") == name]
    assert len(marked) == (count if outcome == "done" else 0)
    steps = await walked(room)
    assert [step[:2] for step in steps] == [("b", outcome), ("d", "waiting")]
    lines = await room.rows(
        "SELECT name, data FROM activities WHERE workspace_id = $1 AND type = 'failed_batch_update'"
    )
    assert [line["name"] for line in lines] == ([] if outcome == "done" else ["Failed Action"])


async def test_a_batch_tells_the_log_no_more_than_one_transaction_should_write(room: Room) -> None:
    block = {
        "type": "batch_update",
        "match": {"attribute": {"field": "team", "value": "red"}},
        "set": {"mark": "x" * 60_000},
        "next": "d",
    }
    driver = await ready(room, campaign("c", ON_GO, "b", {"b": block, "d": DELAY}))
    async with room.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO people (workspace_id, person_id, id, attributes, attribute_times, created_at, age_start)
               SELECT $1, 100000 + n, 'p' || n, '{"team": "red"}'::jsonb, '{}'::jsonb, $2, $2
               FROM generate_series(1, 400) AS n""",
            room.workspace_id,
            room.now,
        )
    await happens(room, driver)
    (first, last) = await walked(room)
    assert (first[1], "more than 20000000 bytes" in str(first[2]), last[1]) == ("failed", True, "waiting")
    assert not any("mark" in found for found in (await attributes(room)).values())


@pytest.mark.parametrize(
    "value",
    [{"liquid": "123456789012345678901234567890"}, {"javascript": "return 2 ** 80"}, {"liquid": "1{% for i in (1..400) %}0{% endfor %}"}],
)  # fmt: skip
async def test_numbers_of_any_length_can_be_kept(room: Room, value: dict[str, Any]) -> None:
    both = {"j": {"type": "set_journey_attributes", "set": {"n": value}, "next": "u"},
            "u": {"type": "update_person", "target": "self", "set": {"n": value}, "next": "e"},
            "e": {"type": "send_event", "event": "said", "data": {"n": value}, "next": "d"}, "d": DELAY}  # fmt: skip
    driver = await ready(room, campaign("c", ON_GO, "j", both))
    await happens(room, driver)
    assert [outcome for _, outcome, _ in await walked(room)] == ["done", "done", "done", "waiting"]
    assert (await attributes(room))["ann"]["n"] == (await kept(room))["n"]
