"""What Pipelines messages do to people, events, objects and devices once they are applied."""

from __future__ import annotations

from typing import Any

from domain.pipelines import Terms, read
from tests.support.database import Room

SCOPE = "3"


async def send(room: Room, kind: str, **body: Any) -> None:
    """Read a message as of the workspace's time, and apply it."""
    await room.apply(*read(kind, body, Terms(received=room.now, scope=SCOPE, strict=True)).operations)


async def events(room: Room) -> list[tuple[str, str]]:
    found = await room.rows("SELECT type, name FROM events WHERE workspace_id = $1 ORDER BY seq")
    return [(row["type"], row["name"]) for row in found]


async def objects(room: Room) -> list[dict[str, Any]]:
    return await room.rows(
        "SELECT object_type_id, object_id, attributes FROM objects WHERE workspace_id = $1 ORDER BY object_no"
    )


async def relationships(room: Room) -> list[dict[str, Any]]:
    return await room.rows("SELECT attributes FROM relationships WHERE workspace_id = $1")


async def devices(room: Room) -> list[dict[str, Any]]:
    return await room.rows("SELECT token, platform FROM devices WHERE workspace_id = $1")


async def test_api_case_27_who_becomes_a_person(room: Room) -> None:
    await send(room, "identify", userId="a@x.io", traits={"name": "N"})
    await send(room, "identify", anonymousId="z", traits={"plan": "p"})
    await send(room, "identify", userId="", traits={"email": "q@x"})
    first, second = await room.people()
    assert (first["id"], first["email"], first["attributes"]) == (None, "a@x.io", {"name": "N"})
    assert (second["id"], second["email"]) == (None, "q@x")
    await send(room, "identify", userId="u1", traits={"email": "q@x"})
    assert [person["id"] for person in await room.people()] == [None, "u1"]


async def test_what_was_anonymous_becomes_the_persons(room: Room) -> None:
    await send(room, "track", anonymousId="z", event="cart")
    await send(room, "page", anonymousId="z", properties={"url": "https://x/1"})
    assert await events(room) == []
    await send(room, "identify", userId="7", anonymousId="z", traits={"plan": "p"})
    assert await events(room) == [("event", "cart"), ("page", "https://x/1")]
    await room.move(minutes=4)
    await send(room, "track", anonymousId="z", event="late")
    await room.move(minutes=2)
    await send(room, "track", anonymousId="z", event="too late")
    assert [name for _, name in await events(room)] == ["cart", "https://x/1", "late"]


async def test_a_message_counts_once_in_twelve_hours(room: Room) -> None:
    said = {"userId": "7", "event": "bought", "messageId": "m", "timestamp": "2025-12-01T00:00:00Z"}
    await send(room, "track", **said)
    await room.move(hours=11)
    await send(room, "track", **said)
    await send(room, "track", **{**said, "messageId": "n"})
    assert len(await events(room)) == 2
    await room.move(hours=2)
    await send(room, "track", **said)
    assert len(await events(room)) == 3
    other = read("track", said, Terms(received=room.now, scope="4")).operations
    await room.apply(*other)
    assert len(await events(room)) == 4


async def test_a_repeated_identify_changes_nothing(room: Room) -> None:
    await send(room, "identify", userId="7", messageId="m", traits={"plan": "a"})
    await send(room, "identify", userId="7", messageId="m", traits={"plan": "b"})
    (person,) = await room.people()
    assert person["attributes"]["plan"] == "a"


async def test_preferences_that_are_not_named_stay(room: Room) -> None:
    async def prefer(**parts: Any) -> dict[str, Any]:
        await send(room, "identify", userId="7", traits={"cio_subscription_preferences": parts})
        (person,) = await room.people()
        found: dict[str, Any] = person["attributes"]["cio_subscription_preferences"]
        return found

    await prefer(topics={"topic_1": True, "topic_2": False}, channels={"email": True})
    assert await prefer(topics={"topic_2": True}) == {
        "topics": {"topic_1": True, "topic_2": True},
        "channels": {"email": True},
    }
    assert await prefer(topics={}) == {"topics": {}, "channels": {"email": True}}
    await send(room, "identify", userId="7", traits={"cio_subscription_preferences.channels.sms": False})
    (person,) = await room.people()
    assert person["attributes"]["cio_subscription_preferences"]["channels"] == {"email": True, "sms": False}


async def test_an_older_message_does_not_undo_a_newer_one(room: Room) -> None:
    await send(room, "identify", userId="7", traits={"plan": "new"}, timestamp="2026-01-01T09:00:00Z")
    await send(room, "identify", userId="7", traits={"plan": "old"}, timestamp="2026-01-01T08:00:00Z")
    (person,) = await room.people()
    assert person["attributes"]["plan"] == "new"


async def test_api_case_30_group(room: Room) -> None:
    traits = {"name": "Acme", "objectTypeId": 2, "relationshipAttributes": {"role": "sponsor"}}
    await send(room, "group", groupId="g1", userId="u1", traits=traits)
    assert await objects(room) == [{"object_type_id": 2, "object_id": "g1", "attributes": {"name": "Acme"}}]
    assert await relationships(room) == [{"attributes": {"role": "sponsor"}}]
    assert [person["id"] for person in await room.people()] == ["u1"]


async def test_api_case_30_group_of_somebody_anonymous(room: Room) -> None:
    traits = {"name": "Acme", "relationshipAttributes": {"role": "sponsor"}}
    await send(room, "group", groupId="g2", traits={"name": "Alone"})
    await send(room, "group", groupId="g1", anonymousId="z", traits=traits)
    assert [found["object_id"] for found in await objects(room)] == ["g2"]
    assert await relationships(room) == []
    await send(room, "identify", userId="u1", anonymousId="z")
    assert await objects(room) == [
        {"object_type_id": 1, "object_id": "g2", "attributes": {"name": "Alone"}},
        {"object_type_id": 1, "object_id": "g1", "attributes": {"name": "Acme"}},
    ]
    assert await relationships(room) == [{"attributes": {"role": "sponsor"}}]


async def test_api_case_31_only_the_object_of_that_type_goes(room: Room) -> None:
    await send(room, "group", groupId="g1", userId="u1", traits={"objectTypeId": 2})
    gone = {"anonymousId": "any", "event": "Object Deleted"}
    await send(room, "track", **gone, properties={"objectId": "g1"})
    assert len(await objects(room)) == len(await relationships(room)) == 1
    await send(room, "track", **gone, properties={"objectId": "g1", "objectTypeId": 2})
    assert len(await objects(room)) == len(await relationships(room)) == 0


async def test_people_and_objects_part(room: Room) -> None:
    await send(room, "identify", userId="u1", traits={"objectId": "g1", "relationshipAttributes": {"role": "x"}})
    assert await relationships(room) == [{"attributes": {"role": "x"}}]
    await send(room, "track", userId="u1", event="Relationship Deleted", properties={"objectId": "g1"})
    assert await relationships(room) == []
    assert len(await objects(room)) == 1


async def test_api_case_33_devices_and_plain_events(room: Room) -> None:
    context = {"device": {"token": "tok", "type": "ios"}}
    await send(room, "track", userId="7", event="Application Opened", context=context)
    assert await devices(room) == [{"token": "tok", "platform": "ios"}]
    await send(room, "track", userId="7", event="Application Opened")
    await send(room, "track", userId="7", event="Delete Person")
    assert await events(room) == [("event", "Application Opened")] * 2 + [("event", "Delete Person")]
    assert len(await room.people()) == 1
    await send(room, "track", userId="7", event="Application Uninstalled", context=context)
    assert await devices(room) == []


async def test_people_go_and_stay_away(room: Room) -> None:
    await send(room, "identify", userId="7", traits={"email": "a@x.io"})
    await send(room, "track", userId="7", event="User Deleted")
    assert await room.people() == []
    await send(room, "identify", userId="7", traits={"email": "a@x.io"})
    await send(room, "track", userId="a@x.io", event="User Suppressed")
    await send(room, "identify", userId="7")
    assert await room.people() == []
    await send(room, "track", anonymousId="z", event="User Unsuppressed", properties={"userId": "7"})
    await send(room, "identify", userId="7")
    assert [person["id"] for person in await room.people()] == ["7"]


async def test_api_case_34_alias_merges(room: Room) -> None:
    await send(room, "identify", userId="keep", traits={"plan": "pro"})
    await send(room, "identify", userId="drop", traits={"plan": "free", "city": "X"})
    await send(room, "alias", userId="keep", previousId="drop")
    (person,) = await room.people()
    assert (person["id"], person["attributes"]) == ("keep", {"plan": "pro", "city": "X"})
    await send(room, "alias", userId="nobody", previousId="keep")
    assert len(await room.people()) == 1


async def test_alias_of_an_anonymous_id(room: Room) -> None:
    await send(room, "track", anonymousId="z", event="cart")
    await send(room, "identify", userId="keep")
    await send(room, "alias", userId="keep", previousId="z")
    assert await events(room) == [("event", "cart")]


async def test_a_view_is_a_visit(room: Room) -> None:
    await send(room, "screen", userId="7", name="Start")
    assert await events(room) == [("screen", "Start")]
    (person,) = await room.people()
    assert person["attributes"]["_last_visit"] == int(room.now.timestamp())
