"""What happens before somebody is known: inert, attached when their anonymous id is bound, gone after thirty days."""

from __future__ import annotations

from typing import Any

from domain.operations import AnonymousEvent, BindAnonymous, MergePeople
from tests.ingest.test_merging import BUYERS, campaigns, event, identify, outcomes, waiting, who
from tests.support.database import START, Room


def seen(anonymous_id: str, name: str = "cart", /, **fields: Any) -> AnonymousEvent:
    return AnonymousEvent(anonymous_id=anonymous_id, name=name, **fields)


def bind(value: str, anonymous_id: str) -> BindAnonymous:
    return BindAnonymous(subject=who(value), anonymous_id=anonymous_id)


async def kept(room: Room) -> list[str]:
    rows = await room.rows("SELECT anonymous_id FROM anonymous_facts WHERE workspace_id = $1 ORDER BY seq")
    return [row["anonymous_id"] for row in rows]


async def events_of(room: Room, value: str) -> list[str]:
    rows = await room.rows(
        """SELECT e.name FROM events e JOIN people p USING (workspace_id, person_id)
           WHERE e.workspace_id = $1 AND p.id = $2 ORDER BY e.seq""",
        value,
    )
    return [row["name"] for row in rows]


async def test_api_case_14_events_before_and_a_little_after_the_identify_are_attached(room: Room):
    await campaigns(room, waiting("cart", "cart"))
    await room.apply(seen("a1"))
    assert (await room.people(), await room.journeys()) == ([], [])
    await room.move(minutes=10)
    await room.apply(identify("1"), bind("1", "a1"))
    assert len(await room.journeys()) == 1
    await room.move(minutes=4)
    await room.apply(seen("a1", "second"))
    await room.move(minutes=2)
    await room.apply(seen("a1", "third"))
    assert await events_of(room, "1") == ["cart", "second"]
    assert await kept(room) == ["a1"]
    (merged,) = await room.rows(
        "SELECT data FROM activities WHERE workspace_id = $1 AND type = 'anon_merge' ORDER BY activity_id LIMIT 1"
    )
    assert merged["data"] == {
        "count": 1,
        "oldest_event_timestamp": int(START.timestamp()),
        "anonymous_id": "a1",
    }


async def test_ppl_case_09_the_tail_is_five_minutes_and_the_past_thirty_days(room: Room):
    await room.apply(seen("z", "too old"))
    await room.move(days=30, seconds=1)
    await room.apply(identify("1"), bind("1", "z"))
    assert (await events_of(room, "1"), await kept(room)) == ([], [])
    await room.move(minutes=5)
    await room.apply(seen("z", "at five minutes"))
    await room.move(seconds=1)
    await room.apply(seen("z", "too late"))
    assert await events_of(room, "1") == ["at five minutes"]


async def test_api_case_15_old_events_count_and_start_nothing(room: Room):
    short = waiting("p", "purchase")
    short["workflow"]["blocks"]["wait"]["duration"] = "PT1H"
    await campaigns(room, BUYERS, short)
    await room.apply(seen("old", "purchase"), seen("young", "purchase"))
    await room.move(hours=71)
    await room.apply(identify("2"), bind("2", "young"))
    await room.move(hours=2)
    await room.apply(identify("1"), bind("1", "old"))
    assert await room.members("buyers") == ["1", "2"]
    assert len(await room.journeys()) == 1


async def test_an_anonymous_id_serves_once(room: Room):
    await room.apply(identify("1"), bind("1", "z"), identify("2"), bind("2", "z"), seen("z", "whose"))
    assert (await events_of(room, "1"), await events_of(room, "2")) == (["whose"], [])
    assert [(o, n) for op, o, n in await outcomes(room) if op == "bind_anonymous"] == [
        ("applied", None),
        ("ignored", "The anonymous id has become another person's."),
    ]


async def test_binding_creates_nobody(room: Room):
    await room.apply(seen("z"), bind("nobody", "z"))
    assert await room.people() == []
    assert await kept(room) == ["z"]


async def test_where_anonymous_events_are_not_merged_they_stay(room: Room):
    await room.define({"kind": "settings", "key": "workspace", "anonymous_merge": False})
    await room.apply(seen("z"), identify("1"), bind("1", "z"))
    assert (await events_of(room, "1"), await kept(room)) == ([], ["z"])


async def test_an_event_without_any_id_is_kept_for_nobody(room: Room):
    await room.apply(AnonymousEvent(name="cart", data={"recipient": "friend@x.io"}))
    assert (await room.people(), await kept(room)) == ([], [""])


async def test_an_invite_is_the_recipients_event_where_the_workspace_wants_it(room: Room):
    await room.define({"kind": "settings", "key": "workspace", "invite_events": True})
    await campaigns(room, waiting("invited", "invite"))
    invite = AnonymousEvent(name="invite", data={"recipient": "friend@x.io"})
    await room.apply(invite, identify("f", email="friend@x.io"), invite)
    assert [(p["id"], p["email"]) for p in await room.people()] == [("f", "friend@x.io")]
    assert len(await room.journeys()) == 2


async def test_an_alias_of_an_unknown_id_binds_it(room: Room):
    await room.apply(seen("z"), identify("1"))
    await room.apply(MergePeople(primary=who("1"), secondary=who("z"), bind_unknown=True))
    assert await events_of(room, "1") == ["cart"]


async def test_a_repeated_anonymous_event_counts_once(room: Room):
    await room.apply(seen("z", event_id="e1"), seen("z", event_id="e1"), identify("1"), bind("1", "z"))
    assert await events_of(room, "1") == ["cart"]


async def test_the_person_gets_older_by_what_they_did_before(room: Room):
    await room.apply(seen("z"))
    await room.move(days=3)
    await room.apply(identify("1"), bind("1", "z"), event("1", "now"))
    (person,) = await room.rows("SELECT age_start, created_at FROM people WHERE workspace_id = $1")
    assert (person["age_start"], (person["created_at"] - START).days) == (START, 3)
