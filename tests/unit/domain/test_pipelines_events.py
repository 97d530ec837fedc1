"""Track, page, screen and group, and the names that instruct."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import (
    AddDevice,
    AnonymousEvent,
    ChangeRelationships,
    DeleteDevice,
    DeleteObject,
    DeletePerson,
    Edge,
    Identifier,
    IdentifyObject,
    ObjectRef,
    ParkGroup,
    ReportDelivery,
    SuppressPerson,
    TrackEvent,
    UnsuppressPerson,
)
from domain.pipelines.semantic import ALIASES, DESTRUCTIVE
from tests.unit.domain.pipelines_making import UNIX, codes, fields, one, operations

SEVEN = Identifier(kind="id", value="7")
MAIL = Identifier(kind="email", value="a@x.io")
DEVICE = {"device": {"token": "tok", "type": "iOS"}}


def track(event: Any, **more: Any) -> dict[str, Any]:
    return {"userId": "7", "event": event, **more}


def test_an_event() -> None:
    said = track("  bought ", properties={"price": 5, "on": "2019-02-01", "list": ["2019-02-01"]}, messageId="m")
    operation = one("track", said)
    assert isinstance(operation, TrackEvent)
    assert (operation.subject, operation.name, operation.type) == (SEVEN, "bought", "event")
    assert operation.data == {"price": 5, "on": 1548979200, "list": ["2019-02-01"]}
    assert operation.event_id is None
    assert operation.repeatable is not None
    assert (operation.repeatable.scope, operation.repeatable.message_id) == ("3", "m")


def test_events_of_both_and_of_nobody_known() -> None:
    assert one("track", track("e", anonymousId="z")).subject == SEVEN
    assert one("track", {"anonymous_id": 5, "event": "e"}) == AnonymousEvent(anonymous_id="5", name="e")
    assert one("track", track("e", context={"traits": {"plan": "p"}})).data == {}


def test_message_ids() -> None:
    assert one("track", track("e", messageId=5)).repeatable.message_id == "5"
    assert one("track", track("e", messageId=None)).repeatable is None
    assert one("track", track("e", messageId=[])).repeatable is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"userId": "7"}, ["event"]),
        ({"event": "e"}, ["userId"]),
        ({"groupId": "g", "event": "e"}, ["userId"]),
        ({}, ["event", "userId"]),
        (track(" "), ["event"]),
        (track(5), ["event"]),
        (track("x" * 101), ["event"]),
        (track("e", userId="x" * 151), ["userId"]),
    ],
)
def test_what_track_needs(said: dict[str, Any], expected: list[str]) -> None:
    assert fields("track", said) == expected


def test_properties_that_are_no_object() -> None:
    assert one("track", track("e", properties="x")).data == {}
    assert one("track", track("e", properties=None)).data == {}
    assert fields("track", track("e", properties="x"), strict=True) == ["properties"]


@pytest.mark.parametrize(
    ("kind", "said", "name", "data"),
    [
        (
            "page",
            {"name": "Home", "properties": {"url": "https://x/1", "path": "/1"}},
            "https://x/1",
            {"url": "https://x/1", "path": "/1", "name": "Home"},
        ),
        ("page", {"name": "Home", "properties": {"path": "/1"}}, "Home", {"path": "/1"}),
        ("page", {"properties": {"path": "/1"}}, "/1", {"path": "/1"}),
        ("page", {"name": "Home", "category": "Docs"}, "Home", {"category": "Docs"}),
        ("page", {"name": "Home", "category": "A", "properties": {"category": "B"}}, "Home", {"category": "B"}),
        ("screen", {"name": " Start ", "properties": {"url": "u"}}, "Start", {"url": "u", "name": " Start "}),
        ("screen", {"properties": {"name": "Start"}}, "Start", {"name": "Start"}),
    ],
)
def test_views(kind: str, said: dict[str, Any], name: str, data: dict[str, Any]) -> None:
    operation = one(kind, {"userId": "7", **said})
    assert (operation.type, operation.name) == (kind, name)
    assert {key: value for key, value in operation.data.items() if value != " Start "} == {
        key: value for key, value in data.items() if value != " Start "
    }
    assert isinstance(one(kind, {"anonymousId": "z", **said}), AnonymousEvent)


def test_views_without_a_name() -> None:
    for kind in ("page", "screen"):
        assert codes(kind, {"userId": "7", "name": 5}) == ["unnamed"]
        assert codes(kind, {"userId": "7"}, strict=True) == ["unnamed"]
        assert fields(kind, {"name": "x"}) == ["userId"]


def test_a_long_address_names_the_view_as_far_as_it_may() -> None:
    url = "https://x/" + "é" * 2000
    operation = one("page", {"userId": "7", "properties": {"url": url}})
    assert url.startswith(operation.name)
    assert 990 < len(operation.name.encode()) <= 1000
    assert operation.data["url"] == url


GROUP = {
    "groupId": "g1",
    "userId": "u1",
    "traits": {"name": "Acme", "objectTypeId": 2, "relationshipAttributes": {"role": "sponsor"}},
}
G1 = ObjectRef(object_type_id=2, object_id="g1")


def test_api_case_30_group() -> None:
    identified, related = operations("group", GROUP)
    assert identified == IdentifyObject(object=G1, attributes={"name": "Acme"})
    edge = Edge(person=Identifier(kind="id", value="u1"), object=G1, attributes={"role": "sponsor"})
    assert related == ChangeRelationships(edges=[edge])
    assert one("group", {"groupId": "g1"}).object == ObjectRef(object_type_id=1, object_id="g1")
    alone = one("group", {key: value for key, value in GROUP.items() if key != "userId"})
    assert alone == IdentifyObject(object=G1, attributes={"name": "Acme"})


def test_api_case_30_group_of_somebody_anonymous() -> None:
    said = {**GROUP, "userId": None, "anonymousId": "z"}
    parked = ParkGroup(anonymous_id="z", object=G1, attributes={"name": "Acme"}, relationship={"role": "sponsor"})
    assert one("group", said) == parked
    assert one("group", {"groupId": 5, "anonymousId": "z"}).attributes == {}


def test_traits_of_a_group() -> None:
    given = {
        "object_type_id": "3",
        "relationship_attributes": {"a": "2019-02-01"},
        "relationship": "no",
        "createdAt": "2019-02-01",
        "created_at": "01/01/2019",
        "gone": None,
    }
    identified, related = operations("group", {"groupId": "g", "userId": "7", "traits": given})
    assert identified == IdentifyObject(
        object=ObjectRef(object_type_id=3, object_id="g"),
        attributes={"createdAt": 1548979200, "created_at": 1546300800, "gone": None},
    )
    assert related.edges[0].attributes == {"a": 1548979200}  # type: ignore[union-attr]
    assert codes("group", {"groupId": "g", "traits": given}) == ["left_out"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"userId": "7"}, ["groupId"]),
        ({"groupId": ""}, ["groupId"]),
        ({"groupId": "x" * 151}, ["groupId"]),
        ({"groupId": []}, ["groupId"]),
        ({"groupId": "g", "traits": {"objectTypeId": "x"}}, ["traits.objectTypeId"]),
    ],
)
def test_what_group_needs(said: dict[str, Any], expected: list[str]) -> None:
    assert fields("group", said) == expected


def test_devices() -> None:
    said = track("Device Created or Updated", context=DEVICE, properties={"device_os": "17", "push_enabled": "true"})
    operation = one("track", {**said, "timestamp": UNIX - 5})
    assert operation == AddDevice(
        subject=SEVEN,
        token="tok",
        platform="ios",
        last_used=UNIX - 5,
        attributes={"device_os": "17", "push_enabled": "true"},
    )
    assert one("track", track("Device Deleted", context=DEVICE)) == DeleteDevice(subject=SEVEN, token="tok")
    for name in ("Device Created or Updated", "Device Deleted"):
        assert fields("track", track(name)) == ["context.device.token"]
        assert fields("track", {"anonymousId": "z", "event": name, "context": DEVICE}) == ["userId"]


@pytest.mark.parametrize(
    ("context", "properties", "token", "platform"),
    [
        ({"device": {"token": "a"}}, {"device": {"token": "b", "type": "android"}}, "a", "android"),
        ({}, {"device": {"token": "b"}, "device_id": "c"}, "b", ""),
        ({"os": {"name": "Android"}}, {"device_id": "c", "token": "d"}, "c", "android"),
        ({"os": {"name": "Linux"}}, {"token": "d"}, "d", ""),
        ({"device": {"type": "web"}}, {"token": "d"}, "d", ""),
        ({"device": {"type": "Tablet"}, "os": {"name": "iPadOS"}}, {"token": "d"}, "d", "ios"),
    ],
)
def test_where_the_token_is_read(context: Any, properties: Any, token: str, platform: str) -> None:
    device = one("track", track("Device Created or Updated", context=context, properties=properties))
    assert (device.token, device.platform, device.attributes) == (token, platform, {})


def test_a_platform_is_one_of_two() -> None:
    odd = {"device": {"token": "t", "type": "web"}}
    said = track("Device Created or Updated", context=odd)
    assert fields("track", said, strict=True) == ["context.device.type"]
    assert codes("track", said) == ["invalid"]
    device, event = operations("track", track("Application Opened", context=odd), strict=True)
    assert (device.platform, event.name) == ("", "Application Opened")


@pytest.mark.parametrize("name", ["Application Installed", "Application Opened", "Application Uninstalled"])
def test_api_case_33_applications_are_events_too(name: str) -> None:
    device, event = operations("track", track(name, context=DEVICE, properties={"build": 5}))
    assert isinstance(device, DeleteDevice if name.endswith("Uninstalled") else AddDevice)
    assert isinstance(event, TrackEvent)
    assert (event.name, event.data) == (name, {"build": 5})
    assert isinstance(one("track", track(name)), TrackEvent)
    assert isinstance(one("track", {"anonymousId": "z", "event": name, "context": DEVICE}), AnonymousEvent)
    assert codes("track", track(name, context={"device": {"token": "x" * 1001}})) == ["invalid"]


def test_people_who_leave() -> None:
    assert one("track", track("User Deleted", properties={"email": "a@x.io"})) == DeletePerson(subject=SEVEN)
    by_email = {"event": "User Deleted", "properties": {"email": "a@x.io"}}
    assert one("track", by_email, strict=True) == DeletePerson(subject=MAIL)
    assert one("track", {"userId": "a@x.io", "event": "User Suppressed"}) == SuppressPerson(subject=MAIL)
    other = {"anonymousId": "z", "event": "User Unsuppressed", "properties": {"userId": "7"}}
    assert one("track", other) == UnsuppressPerson(subject=SEVEN)
    assert one("track", track("User Suppressed", properties={"userId": "8"})) == SuppressPerson(subject=SEVEN)
    for name in ("User Suppressed", "User Unsuppressed"):
        said = {"anonymousId": "z", "event": name, "properties": {"email": "a@x.io"}}
        assert fields("track", said) == ["userId"]
    assert fields("track", {"event": "User Deleted", "properties": {"email": "nobody"}}) == ["userId"]


def test_api_case_31_objects_that_go() -> None:
    said = {"anonymousId": "any", "event": "Object Deleted", "properties": {"objectId": "g1"}}
    assert one("track", said) == DeleteObject(object=ObjectRef(object_type_id=1, object_id="g1"))
    said["properties"] = {"objectId": "g1", "objectTypeId": 2}
    assert one("track", said) == DeleteObject(object=G1)
    assert fields("track", track("Object Deleted")) == ["properties.objectId"]
    assert fields("track", {"event": "Object Deleted", "properties": {"objectId": "g1"}}) == ["userId"]


def test_people_and_objects_that_part() -> None:
    said = track("Relationship Deleted", properties={"objectId": 5, "objectTypeId": "2", "email": "a@x.io"})
    operation = one("track", said)
    assert isinstance(operation, ChangeRelationships)
    assert operation.action == "delete"
    assert operation.edges == [Edge(person=SEVEN, object=ObjectRef(object_type_id=2, object_id="5"))]
    by_email = {"event": "Relationship Deleted", "properties": said["properties"]}
    assert one("track", by_email).edges[0].person == MAIL
    assert fields("track", {"event": "Relationship Deleted"}) == ["userId", "properties.objectId"]


def test_what_became_of_a_delivery() -> None:
    properties = {"deliveryId": "d", "metric": "clicked", "href": "h", "actionName": "n", "actionValue": "v", "x": 1}
    assert one("track", {"event": "Report Delivery Event", "properties": properties}, strict=True) == ReportDelivery(
        delivery_id="d", metric="clicked", details={"href": "h", "action_name": "n", "action_value": "v"}
    )
    wrong = {"event": "Report Delivery Event", "properties": {"metric": ["opened"]}}
    assert fields("track", wrong) == ["properties.deliveryId", "properties.metric"]


def test_anonymous_content_is_counted() -> None:
    said = {"anonymousId": "z", "event": "Report Content Event", "properties": {"actionType": "viewed_content"}}
    assert codes("track", said, strict=True) == ["viewed_content"]
    assert operations("track", said) == []
    assert fields("track", {**said, "properties": {}}) == ["properties.actionType"]


@pytest.mark.parametrize("name", ALIASES)
def test_api_case_33_aliases_are_events_where_they_are_off(name: str) -> None:
    said = track(name, context=DEVICE, properties={"objectId": "o"})
    assert isinstance(one("track", said), TrackEvent)
    assert codes("track", said) == ["alias_off"]
    assert operations("track", said, aliases=True) == operations("track", {**said, "event": ALIASES[name]})


@pytest.mark.parametrize("name", ["user deleted", "User Deleted ", "Users Deleted"])
def test_instructions_are_spelled_exactly(name: str) -> None:
    assert isinstance(one("track", track(name)), TrackEvent)


@pytest.mark.parametrize("name", sorted(DESTRUCTIVE))
def test_what_destroys_is_not_done_for_everybody(name: str) -> None:
    said = track(name, properties={"objectId": "o"})
    assert len(operations("track", said)) == 1
    assert operations("track", said, client_side=True) == []
    assert codes("track", said, client_side=True) == ["not_allowed"]
    assert fields("track", said, client_side=True, strict=True) == ["event"]
