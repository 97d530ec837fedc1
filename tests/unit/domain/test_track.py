"""Track calls as operations: shapes of identifiers, control keys, limits, texts."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import track
from domain.emails import bare_address
from domain.errors import DomainError
from domain.forms import nested
from domain.operations import AnonymousEvent, ChangeRelationships, Identifier, Identify, TrackEvent, ordering_keys
from domain.track import CallRefused, Rules, identifier_of

RULES = Rules()
SEVEN = Identifier(kind="id", value="7")


def identify(body: Any, subject: Identifier = SEVEN, **options: Any) -> Identify:
    (operation,) = track.identify(subject, body, RULES, **options).operations
    assert isinstance(operation, Identify)
    return operation


def event(body: Any, **options: Any) -> TrackEvent:
    (operation,) = track.event(SEVEN, body, **options).operations
    assert isinstance(operation, TrackEvent)
    return operation


def texts(call: Any, *arguments: Any, **options: Any) -> list[str]:
    with pytest.raises(CallRefused) as refusal:
        call(*arguments, **options)
    return [fault.message for fault in refusal.value.faults]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7", "id", "7"),
        ("AB100", "id", "AB100"),
        ("cio_0300001f", "cio_id", "0300001f"),
        ("cio_", "id", "cio_"),
        ("CIO_1", "id", "CIO_1"),
        ("Bob@x.io", "email", "Bob@x.io"),
        ("+15551234567", "id", "+15551234567"),
        ("a@", "id", "a@"),
        ("@x", "id", "@x"),
        ("a b@x.io", "id", "a b@x.io"),
    ],
)
def test_the_shape_decides(text: str, kind: str, value: str) -> None:
    assert identifier_of(text) == Identifier(kind=kind, value=value)  # type: ignore[arg-type]


def test_where_email_is_no_identifier() -> None:
    assert identifier_of("a@x.io", email_identifies=False).kind == "id"


@pytest.mark.parametrize(
    "text",
    ["a@x", "a.b@x.io", "a+b@x-y.io", "Ann <a@x.io>", '"A, B" <a@x.io>', "<a@x.io>", " a@x.io ", "ü@ö.de", "1@2.3"],
)
def test_addresses(text: str) -> None:
    found = bare_address(text)
    assert found is not None
    assert found.strip("<> ") in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@",
        "a@",
        "@x",
        ".a@x",
        "a.@x",
        "a..b@x",
        "a@-x.io",
        "a@x-.io",
        "a@x..io",
        "a@.io",
        "a@x_y",
        "a b@x",
        "a@b@c",
        "a@x,b@x",
        "+@x",
        "a@x.io>",
        "a" * 250 + "@x.io",
        "a@x.io, b@x.io",
        "A <a@x> <b@x>",
    ],
)
def test_no_addresses(text: str) -> None:
    assert bare_address(text) is None


@given(st.text(min_size=1, max_size=60))
def test_any_text_has_a_shape(text: str) -> None:
    assert identifier_of(text).value


def test_two_spellings_of_an_address_are_ordered_together() -> None:
    operations = [identify({}, identifier_of(text)) for text in ("Bob@x.io", "bob@X.IO")]
    operations.append(identify({"email": "Bob <BOB@x.io>"}, identifier_of("bob@x.io")))
    assert len({tuple(ordering_keys(operation)) for operation in operations}) == 1


def test_control_keys_leave_the_attributes() -> None:
    found = identify({"_timestamp": "1700000000", "_update": True, "plan": "pro", "_internal": 1})
    assert (found.timestamp, found.update_only) == (1_700_000_000, True)
    assert found.attributes == {"plan": "pro", "_internal": 1}


def test_the_timestamp_of_the_envelope_comes_first() -> None:
    assert identify({"_timestamp": 5}, timestamp=6).timestamp == 6


@pytest.mark.parametrize("value", [-1, 1e12, "x", [], True, "\uff11"])
def test_timestamps_that_are_none(value: object) -> None:
    assert texts(identify, {"_timestamp": value}) == ["_timestamp must be a Unix timestamp in seconds"]


@pytest.mark.parametrize(("value", "seconds"), [(0, 0), (1.9, 1), ("5", 5), (None, None), ("", None)])
def test_timestamps(value: object, seconds: int | None) -> None:
    assert identify({"_timestamp": value}).timestamp == seconds


def test_a_cio_id_refers_and_the_path_becomes_an_attribute() -> None:
    found = identify({"cio_id": "cio_0300001f", "a": 1})
    assert found.subject == Identifier(kind="cio_id", value="0300001f")
    assert found.attributes == {"a": 1, "id": "7"}
    assert identify({"cio_id": "0300001f", "id": "8"}).attributes == {"id": "8"}
    assert identify({"cio_id": None}).subject == SEVEN
    assert texts(identify, {"cio_id": 5}) == ["cio_id attribute must be a string value"]


def test_ids_in_the_body() -> None:
    assert identify({"id": 5}).attributes == {"id": "5"}
    assert identify({"id": None}).attributes == {"id": None}
    assert texts(identify, {"id": []}) == ["id attribute must be a string value"]
    assert texts(identify, {"id": "x" * 151}) == ["id attribute cannot be longer than 150 bytes"]


def test_limits_of_the_workspace() -> None:
    rules = Rules(value_bytes=10, attributes_per_call=2)
    assert texts(track.identify, SEVEN, {"a": "x" * 11, "b": 1, "c": 2}, rules) == [
        "cannot identify more than 2 attributes in one request",
        "value for attribute 'a' cannot be longer than 10 bytes",
    ]


def test_sizes_are_bytes_of_utf8_and_of_compact_json() -> None:
    assert identify({"a": "ü" * 500, "b": "x" * 1000, "n" * 150: 1, "ü" * 75: 1})
    assert texts(identify, {"ü" * 76: 1}) == ["attribute name cannot be longer than 150 bytes"]
    assert identify({"a": ["x" * 996]})
    assert texts(identify, {"a": ["x" * 997]}) == ["value for attribute 'a' cannot be longer than 1000 bytes"]


def test_300_attributes_besides_control_keys() -> None:
    body: dict[str, Any] = {f"a{i}": i for i in range(300)}
    control = {"_update": False, "_timestamp": 5, "anonymous_id": "x", "cio_relationships": [], "cio_id": "cio_1"}
    first, *_ = track.identify(Identifier(kind="cio_id", value="1"), {**body, **control}, RULES).operations
    assert isinstance(first, Identify)
    assert first.attributes == body


def test_a_reference_in_the_body_holds_for_everything_the_call_asks_for() -> None:
    related = [{"identifiers": {"object_id": "acme"}}]
    body = {"cio_id": "cio_1", "anonymous_id": 5, "cio_relationships": related}
    operations = track.identify(SEVEN, body, RULES).operations
    assert [operation.op for operation in operations] == ["identify", "bind_anonymous", "relationships"]
    assert {person for operation in operations for person in operation.identifiers()[:1]} == {
        Identifier(kind="cio_id", value="1")
    }


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_an_anonymous_id_may_be_absent(nothing: str | None) -> None:
    assert len(track.identify(SEVEN, {"anonymous_id": nothing}, RULES).operations) == 1
    (event_,) = track.anonymous_event({"name": "e", "anonymous_id": nothing}).operations
    assert isinstance(event_, AnonymousEvent)
    assert event_.anonymous_id == ""


@pytest.mark.parametrize("said", [None, [], {"action": "add_relationships", "relationships": []}])
def test_relationships_may_be_none(said: Any) -> None:
    assert len(track.identify(SEVEN, {"cio_relationships": said}, RULES).operations) == 1


def test_relationships_that_are_deleted_keep_no_attributes() -> None:
    related = [{"identifiers": {"object_id": "acme"}, "relationship_attributes": {"a": 1}}]
    body = {"cio_relationships": {"action": "delete_relationships", "relationships": related}}
    _, change = track.identify(SEVEN, body, RULES).operations
    assert isinstance(change, ChangeRelationships)
    assert [edge.attributes for edge in change.edges] == [{}]


def test_all_attributes_of_a_relationship_are_limited_together() -> None:
    attributes = {f"a{number}": "x" * 1000 for number in range(100)}
    body = {"cio_relationships": [{"identifiers": {"object_id": "acme"}, "relationship_attributes": attributes}]}
    assert texts(track.identify, SEVEN, body, RULES) == ["attributes cannot be longer than 100000 bytes in total"]


def test_events() -> None:
    found = event({"name": " e ", "type": "page", "timestamp": 5, "id": 8, "data": {"": None}})
    assert (found.name, found.type, found.timestamp, found.event_id, found.data) == ("e", "page", 5, "8", {"": None})
    plain = event({"name": "e", "type": ["odd"], "data": None, "id": ""})
    assert (plain.type, plain.data, plain.event_id, plain.timestamp) == ("event", {}, None, None)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, ["event name must not be blank"]),
        ({"name": "  "}, ["event name must not be blank"]),
        ({"name": 5}, ["event name must not be blank"]),
        ({"name": "x" * 101}, ["event name cannot be longer than 100 bytes"]),
        (
            {"name": "x" * 500},
            ["event name cannot be longer than 100 bytes", "event name must be less than 500 characters"],
        ),
        ({"name": "e", "data": []}, ["event data must be a hash"]),
        ({"name": "e", "data": {"x": "y" * 100_000}}, ["event data cannot be longer than 100000 bytes"]),
        ({"name": "e", "id": "x" * 151}, ["event id cannot be longer than 150 bytes"]),
        ({"name": "e", "id": {}}, ["event id must be a string value"]),
        ({"name": "e", "timestamp": "now"}, ["timestamp must be a Unix timestamp in seconds"]),
        ([], ["the event must be a hash"]),
    ],
)
def test_events_that_are_refused(body: Any, said: list[str]) -> None:
    assert texts(event, body) == said


def test_forms() -> None:
    pairs = [
        ("name", "e"),
        ("data[a][b]", "1"),
        ("data[a][c]", "2"),
        ("data[l][]", "x"),
        ("data[l][]", "y"),
        ("]", "z"),
    ]
    assert nested(pairs) == {"name": "e", "data": {"a": {"b": "1", "c": "2"}, "l": ["x", "y"]}, "]": "z"}
    assert nested([("a", "1"), ("a", "2")]) == {"a": "2"}
    for contradiction in ([("a", "1"), ("a[b]", "2")], [("a[]", "1"), ("a[b]", "2")], [("a[b]", "1"), ("a[]", "2")]):
        with pytest.raises(DomainError):
            nested(contradiction)
    with pytest.raises(DomainError):
        nested([("a" + "[b]" * 64, "1")])


@given(st.lists(st.tuples(st.text("ab[]", max_size=12), st.text(max_size=3)), max_size=6))
def test_any_form_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    with contextlib.suppress(DomainError):
        assert isinstance(nested(pairs), dict)
