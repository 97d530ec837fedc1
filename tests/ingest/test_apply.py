"""Facts applied to a real database: people, events, segments, entries."""

from __future__ import annotations

from domain.operations import Identifier, Identify, TrackEvent
from tests.support.database import Room

WELCOME = {
    "kind": "campaign",
    "key": "welcome",
    "name": "Welcome",
    "trigger": {"type": "event", "event": "signed_up"},
    "workflow": {
        "start": "wait",
        "blocks": {
            "wait": {
                "type": "wait_until",
                "paths": [{"key": "bought", "conditions": {"performed": {"event": "purchase", "since": "trigger"}}}],
            }
        },
    },
}


def who(value: str, kind: str = "id") -> Identifier:
    return Identifier(kind=kind, value=value)


def identify(value: str, kind: str = "id", /, **attributes) -> Identify:
    return Identify(subject=who(value, kind), attributes=attributes)


def event(value: str, name: str, /, kind: str = "id", **fields) -> TrackEvent:
    return TrackEvent(subject=who(value, kind), name=name, **fields)


async def test_api_case_1_an_email_names_the_person_it_was_given_to(room: Room):
    await room.apply(identify("5", email="Bob@x.io", plan="basic"))
    await room.apply(identify("bob@X.IO", "email", plan="pro"))
    assert await room.people() == [{"id": "5", "email": "Bob@x.io", "attributes": {"plan": "pro"}}]


async def test_api_case_2_ids_keep_their_case(room: Room):
    await room.apply(identify("ab100"), identify("AB100"))
    assert [p["id"] for p in await room.people()] == ["ab100", "AB100"]


async def test_api_case_3_an_email_without_id_takes_the_id_of_a_later_call(room: Room):
    await room.apply(identify("lead@x.io", "email"), identify("u1", email="lead@x.io"))
    assert [(p["id"], p["email"]) for p in await room.people()] == [("u1", "lead@x.io")]


async def test_api_case_6_an_unknown_cio_id_creates_nobody(room: Room):
    await room.apply(identify("deadbeef", "cio_id", x=1), event("deadbeef", "e", kind="cio_id"))
    assert await room.people() == []


async def test_api_case_7_an_update_of_nobody_is_logged(room: Room):
    await room.apply(Identify(subject=who("new"), attributes={"x": 1}, update_only=True))
    assert await room.people() == []
    logged = await room.rows("SELECT type FROM activities WHERE workspace_id = $1")
    assert logged == [{"type": "failed_attribute_change"}]


async def test_api_case_13_an_event_id_counts_once(room: Room):
    same = event("1", "e", event_id="01BX5ZZKBKACTAV9WEVGEMMVRY")
    await room.apply(same, same)
    await room.apply(same)
    assert len(await room.rows("SELECT 1 FROM events WHERE workspace_id = $1")) == 1


async def test_two_people_are_not_merged_and_the_rest_is_applied(room: Room):
    await room.define({"kind": "settings", "key": "workspace", "multi_identifier_merge": False})
    await room.apply(identify("1"), identify("b@x.io", "email"))
    await room.apply(identify("1", email="b@x.io", plan="pro"))
    people = await room.people()
    assert [(p["id"], p["email"]) for p in people] == [("1", None), (None, "b@x.io")]
    assert people[0]["attributes"] == {"plan": "pro"}
    assert "failed_attribute_change" in [
        row["type"] for row in await room.rows("SELECT type FROM activities WHERE workspace_id = $1")
    ]


async def test_blank_values_remove_and_an_older_write_does_not_bring_them_back(room: Room):
    await room.apply(Identify(subject=who("1"), attributes={"a": 1, "b": 2}, timestamp=1_767_261_000))
    await room.apply(Identify(subject=who("1"), attributes={"a": "", "b": None}, timestamp=1_767_262_000))
    await room.apply(Identify(subject=who("1"), attributes={"a": 3}, timestamp=1_767_261_500))
    assert (await room.people())[0]["attributes"] == {}


async def test_a_segment_follows_attributes_events_and_other_segments(room: Room):
    await room.define(
        {
            "kind": "segment",
            "key": "pro",
            "name": "Pro",
            "conditions": {"attribute": {"field": "plan", "value": "pro"}},
        },
        {
            "kind": "segment",
            "key": "buyers",
            "name": "Buyers",
            "conditions": {"performed": {"event": "buy", "times": {"at_least": 2}}},
        },
        {"kind": "segment", "key": "both", "name": "Both", "conditions": [{"segment": "pro"}, {"segment": "buyers"}]},
    )
    await room.apply(identify("1", plan="PRO"), event("1", "buy"), event("1", "Buy "))
    assert [await room.members(key) for key in ("pro", "buyers", "both")] == [["1"], ["1"], ["1"]]
    await room.apply(identify("1", plan="basic"))
    assert [await room.members(key) for key in ("pro", "buyers", "both")] == [[], ["1"], []]


async def test_an_event_starts_one_journey_each_time_with_its_data(room: Room):
    await room.define(WELCOME)
    await room.apply(event("1", "signed_up"))
    assert await room.journeys() == []
    await room.run_campaign("welcome")
    await room.apply(event("1", "Signed_Up", data={"n": 1}), event("1", "signed_up", data={"n": 2}))
    found = await room.journeys()
    assert [j["trigger"]["event"]["data"] for j in found] == [{"n": 1}, {"n": 2}]
    starts = await room.rows("SELECT kind, workflow_id FROM outbox WHERE workspace_id = $1 ORDER BY outbox_id")
    assert [row["kind"] for row in starts] == ["start", "start"]
    assert {row["workflow_id"] for row in starts} == {j["workflow_id"] for j in found}


async def test_a_segment_trigger_lets_people_in_once_and_again_at_a_rematch(room: Room):
    campaign = {
        **WELCOME,
        "key": "pro",
        "trigger": {"type": "segment", "conditions": {"attribute": {"field": "plan", "value": "pro"}}},
        "frequency": {"mode": "every"},
        "exit": "filters",
        "workflow": {"start": "hold", "blocks": {"hold": {"type": "time_delay", "duration": "P1D"}}},
    }
    await room.define(campaign)
    await room.run_campaign("pro")
    await room.apply(identify("1", plan="pro"), identify("1", plan="pro", x=1))
    assert [j["entry"] for j in await room.journeys()] == ["1"]
    await room.apply(identify("1", plan="basic"), identify("1", plan="pro"))
    assert len(await room.journeys()) == 1
