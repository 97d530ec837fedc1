"""Identify and alias: who is meant, what is stored of traits, who becomes whom."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operations import BindAnonymous, ChangeRelationships, Edge, Identifier, Identify, MergePeople, ObjectRef
from domain.pipelines import Outer
from tests.unit.domain.pipelines_making import UNIX, codes, fields, one, operations, reading


def traits(given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return one("identify", {"userId": "7", "traits": given, **more}).attributes


@pytest.mark.parametrize(
    ("said", "kind", "value"),
    [
        ({"userId": "7"}, "id", "7"),
        ({"userId": 7}, "id", "7"),
        ({"userId": 7.0}, "id", "7"),
        ({"userId": "a@x.io"}, "email", "a@x.io"),
        ({"userId": "cio_0300"}, "cio_id", "0300"),
        ({"user_id": "7"}, "id", "7"),
        ({"userId": None, "user_id": 8}, "id", "8"),
        ({"userId": "", "traits": {"email": "q@x"}}, "email", "q@x"),
        ({"userId": "7", "traits": {"email": "q@x"}}, "id", "7"),
    ],
)
def test_who_is_meant(said: dict[str, Any], kind: str, value: str) -> None:
    assert one("identify", said).subject == Identifier(kind=kind, value=value)  # type: ignore[arg-type]


def test_where_email_is_no_identifier() -> None:
    assert one("identify", {"userId": "a@x.io"}, email_identifies=False).subject.kind == "id"
    said = {"anonymousId": "z", "traits": {"email": "a@x.io"}}
    assert codes("identify", said, email_identifies=False) == ["anonymous_identify"]


def test_api_case_27_an_anonymous_identify_has_no_effect() -> None:
    assert operations("identify", {"anonymousId": "z", "traits": {"plan": "p"}}) == []
    assert codes("identify", {"anonymousId": "z", "traits": {"plan": "p"}}) == ["anonymous_identify"]
    assert operations("identify", {"anonymousId": "z"}, strict=True) == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "userId"),
        ({"userId": " ", "anonymousId": None}, "userId"),
        ({"traits": {"email": "nobody"}}, "userId"),
        ({"userId": []}, "userId"),
        ({"userId": True}, "userId"),
        ({"userId": "x" * 151}, "userId"),
        ({"userId": "7", "anonymousId": {"a": 1}}, "anonymousId"),
    ],
)
def test_who_cannot_be_meant(said: dict[str, Any], field: str) -> None:
    assert fields("identify", said) == [field]


def test_both_ids_bind_what_was_anonymous() -> None:
    first, second = operations("identify", {"userId": "7", "anonymousId": "z", "messageId": "m"})
    assert isinstance(first, Identify)
    assert second == BindAnonymous(subject=first.subject, anonymous_id="z", repeatable=second.repeatable)
    assert [op.repeatable.message_id for op in (first, second) if op.repeatable] == ["m", "m/1"]
    by_email = operations("identify", {"anonymousId": "z", "traits": {"email": "q@x"}})
    assert [type(op) for op in by_email] == [Identify, BindAnonymous]
    among_traits = operations("identify", {"userId": "7", "traits": {"anonymous_id": "y"}})
    assert isinstance(among_traits[1], BindAnonymous)
    assert among_traits[0].attributes == {}  # type: ignore[union-attr]


def test_traits_are_stored_as_they_came() -> None:
    given = {"firstName": "Ann", "first_name": "Anna", "n": None, "e": "", "o": {"a": [1]}, "unsubscribed": "TRUE"}
    assert traits(given) == given
    preferences = {"cio_subscription_preferences": {"topics": {"topic_1": True}}}
    operation = one("identify", {"userId": "7", "traits": preferences})
    assert (operation.attributes, operation.merge_preferences) == (preferences, True)
    assert traits({}) == traits(None) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"firstName": "Ann", "lastName": "Lee"}, "Ann Lee"),
        ({"first_name": " Ann ", "lastName": "Lee"}, "Ann Lee"),
        ({"firstName": "Ann", "lastName": "Lee", "name": "A"}, "A"),
        ({"firstName": "Ann", "lastName": "Lee", "name": ""}, ""),
        ({"firstName": "Ann"}, None),
        ({"firstName": "Ann", "lastName": 5}, None),
    ],
)
def test_the_whole_name(given: dict[str, Any], name: str | None) -> None:
    assert traits(given).get("name") == name


@pytest.mark.parametrize(
    ("given", "created"),
    [
        ({"createdAt": "2019-02-01"}, 1548979200),
        ({"created_at": "01/01/2019"}, 1546300800),
        ({"createdAt": "01/01/2019"}, 1546300800),
        ({"created_at": 5, "createdAt": 6}, 5),
        ({"created_at": None, "createdAt": 6}, 6),
        ({"created_at": ""}, ""),
    ],
)
def test_created_at(given: dict[str, Any], created: Any) -> None:
    assert traits(given) == {"created_at": created}


def test_identifiers_among_traits() -> None:
    said = {"userId": "cio_03", "traits": {"id": 2019, "email": "b@x"}}
    operation = one("identify", said)
    assert operation.attributes == {"id": "2019", "email": "b@x"}
    assert traits({"id": "2019-02-01"}) == {"id": "2019-02-01"}
    assert traits({"id": None}) == {"id": None}
    assert traits({"id": []}) == {}
    assert fields("identify", {"userId": "7", "traits": {"id": []}}, strict=True) == ["traits.id"]


def test_what_is_left_out_is_noted() -> None:
    given = {"_update": True, "_timestamp": 5, "cio_id": "x", "cio_relationships": [], "": 1, "x" * 151: 2, "ok": 3}
    assert traits(given) == {"ok": 3}
    assert codes("identify", {"userId": "7", "traits": given}) == ["left_out"] * 6


def test_no_more_than_three_hundred() -> None:
    given = {f"a{number}": number for number in range(305)}
    assert len(traits(given)) == 300
    assert codes("identify", {"userId": "7", "traits": given}) == ["too_many"]


def test_traits_that_are_no_object() -> None:
    assert traits([1]) == {}  # type: ignore[arg-type]
    assert codes("identify", {"userId": "7", "traits": [1]}) == ["invalid"]
    assert fields("identify", {"userId": "7", "traits": [1]}, strict=True) == ["traits"]


def test_the_timestamp_orders_updates() -> None:
    assert one("identify", {"userId": "7", "timestamp": "2026-01-01T09:00:00Z"}).timestamp == UNIX - 3600


def edge_of(said: dict[str, Any], **more: Any) -> Edge:
    _, related = operations("identify", {"userId": "7", **said}, **more)
    assert isinstance(related, ChangeRelationships)
    assert related.existing_people
    (edge,) = related.edges
    return edge


@pytest.mark.parametrize("bag", ["relationshipAttributes", "relationshipTraits", "relationship_traits"])
def test_what_the_person_belongs_to(bag: str) -> None:
    given = {"objectId": "acme", "objectTypeId": "2", bag: {"since": "2019-02-01"}, "plan": "p"}
    edge = edge_of({"traits": given})
    assert edge.object == ObjectRef(object_type_id=2, object_id="acme")
    assert edge.attributes == {"since": 1548979200}
    assert operations("identify", {"userId": "7", "traits": given})[0].attributes == {"plan": "p"}  # type: ignore[union-attr]


def test_the_object_may_stand_in_the_context() -> None:
    assert edge_of({"context": {"objectId": 5, "object_type_id": 3}}).object == ObjectRef(
        object_type_id=3, object_id="5"
    )
    assert edge_of({"context": {"groupId": "g"}}).object == ObjectRef(object_id="g")
    both = edge_of({"traits": {"objectId": "t"}, "context": {"objectId": "c", "groupId": "g"}})
    assert both.object.object_id == "t"


@pytest.mark.parametrize("kind", [0, -1, "x", 1.5, True, 2**31, [], "99999999999"])
def test_a_type_that_cannot_be_costs_the_relationship_only(kind: Any) -> None:
    said = {"userId": "7", "traits": {"objectId": "o", "objectTypeId": kind, "plan": "p"}}
    assert one("identify", said).attributes == {"plan": "p"}
    assert codes("identify", said) == ["invalid"]
    assert fields("identify", said, strict=True) == ["traits.objectTypeId"]


@pytest.mark.parametrize(
    ("user", "previous", "primary", "secondary"),
    [
        ("keep", "drop", ("id", "keep"), ("id", "drop")),
        ("cio_01", "a@x.io", ("cio_id", "01"), ("email", "a@x.io")),
        (1, 2, ("id", "1"), ("id", "2")),
    ],
)
def test_api_case_34_alias_merges(user: Any, previous: Any, primary: Any, secondary: Any) -> None:
    assert one("alias", {"userId": user, "previousId": previous}) == MergePeople(
        primary=Identifier(kind=primary[0], value=primary[1]),
        secondary=Identifier(kind=secondary[0], value=secondary[1]),
        bind_unknown=True,
    )


def test_what_alias_needs() -> None:
    assert fields("alias", {"userId": "a"}) == ["previousId"]
    assert fields("alias", {"previousId": "a"}) == ["userId"]
    assert fields("alias", {}) == ["previousId", "userId"]
    assert fields("alias", {"userId": "a", "previousId": "x" * 151}) == ["previousId"]
    assert codes("alias", {"anonymousId": "z", "previousId": "a"}) == ["nobody_kept"]


@pytest.mark.parametrize(
    ("integrations", "ours"),
    [
        (None, True),
        ({}, True),
        ([], True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"all": False}, False),
        ({"all": False, "All": True}, True),
        ({"All": False, "Mixpanel": True}, False),
        ({"All": False, "Actions Customerio": True}, True),
        ({"All": False, "Customer.io": {"opt": 1}}, True),
        ({"All": False, "Customer.io Journeys": True}, True),
        ({"All": False, "actions customerio": True}, False),
        ({"Actions Customerio": False}, False),
        ({"All": True, "Customer.io": False}, False),
        ({"All": False, "Customer.io": None}, False),
        ({"Mixpanel": False}, True),
    ],
)
def test_api_case_35_integrations(integrations: Any, ours: bool) -> None:
    found = reading("identify", {"userId": "7", "integrations": integrations})
    assert bool(found.operations) == ours
    assert [note.code for note in found.notes] == ([] if ours else ["excluded"])


def test_a_batch_says_for_all_what_a_message_does_not_say() -> None:
    outer = Outer(context={"objectId": "o", "device": {"token": "t", "type": "ios"}}, integrations={"All": False})
    assert codes("identify", {"userId": "7"}, outer=outer) == ["excluded"]
    own = {"userId": "7", "integrations": {"All": True}, "context": {"device": {"token": "own"}}}
    assert len(operations("identify", own, outer=outer)) == 2
    opened = {"userId": "7", "event": "Application Opened", **own}
    device, _ = operations("track", opened, outer=outer)
    assert (device.token, device.platform) == ("own", "ios")  # type: ignore[union-attr]
