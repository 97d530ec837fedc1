"""Version two's matrix, and that whatever comes in is read or refused with a reason."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import track
from domain.operations import ordering_keys
from domain.track import Call, CallRefused, Rules
from domain.track.entities import MATRIX
from domain.track.metrics import METRICS, allowed

RULES = Rules()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
IDENTIFIERS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("id", "email", "cio_id", "anonymous_id", "object_id", "objectId", "object_type_id", "cio_object_id"), JSON
    ),
)
RELATED = st.lists(
    JSON | st.fixed_dictionaries({}, optional={"identifiers": IDENTIFIERS | JSON, "relationship_attributes": JSON}),
    max_size=3,
)
CASES = [(kind, action) for kind, actions in MATRIX.items() for action in actions]
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "identifiers": IDENTIFIERS | JSON,
        "attributes": JSON,
        "cio_relationships": RELATED | JSON,
        "device": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("token", "platform", "last_used", "attributes"), JSON)
        )
        | JSON,
        "primary": IDENTIFIERS | JSON,
        "secondary": IDENTIFIERS | JSON,
        "name": JSON,
        "timestamp": JSON,
        "id": JSON,
    },
)


def outcome(read: Any, *arguments: Any) -> Call | CallRefused:
    try:
        found = read(*arguments)
    except CallRefused as refusal:
        found = refusal
    if isinstance(found, CallRefused):
        assert all(fault.message and fault.reason for fault in found.faults)
        return found
    assert isinstance(found, Call)
    for operation in found.operations:
        assert type(operation).model_validate_json(operation.model_dump_json()) == operation
        assert ordering_keys(operation) or operation.op == "anonymous_event"
    return found


def test_the_matrix_is_the_documented_one() -> None:
    content = {"viewed_content", "clicked_content"}
    assert {kind: set(actions) - content for kind, actions in MATRIX.items()} == {
        "person": {
            "identify",
            "delete",
            "event",
            "page",
            "screen",
            "add_relationships",
            "delete_relationships",
            "add_device",
            "delete_device",
            "merge",
            "suppress",
            "unsuppress",
        },
        "object": {"identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"},
        "delivery": {"event"},
    }


@pytest.mark.parametrize(("kind", "action"), CASES)
@given(BODIES)
def test_any_body_is_read_or_refused(kind: str, action: str, body: dict[str, Any]) -> None:
    outcome(track.entity, {"type": kind, "action": action, **body}, RULES)


@given(JSON)
def test_any_value_is_read_or_refused(value: Any) -> None:
    outcome(track.entity, value, RULES)
    outcome(track.merge, value, RULES)
    outcome(track.metric, value)
    outcome(track.push_event, value)
    outcome(track.anonymous_event, value)
    outcome(partial(track.change_members, member=True), 1, value, "id")


@given(
    st.dictionaries(st.sampled_from(["anonymous_id", "cio_relationships", "cio_id", "id", "_update"]), RELATED | JSON)
)
def test_any_identify_is_read_or_refused(body: dict[str, Any]) -> None:
    outcome(track.identify, track.identifier_of("7"), body, RULES)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "platform", "last_used", "attributes", "x"), JSON)))
def test_any_device_is_read_or_refused(device: dict[str, Any]) -> None:
    outcome(track.add_device, track.identifier_of("7"), {"device": device}, RULES)


def test_a_channel_nobody_wrote_down_takes_every_word() -> None:
    assert all(allowed("pigeon", word) for word in METRICS)
    assert not allowed("pigeon", "sent")
