"""Whatever JSON comes in, a message is read or refused, and what is read can be kept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.operations import AnyOperation, ordering_keys
from domain.pipelines import KINDS, MessageRefused, outer_of, read, read_batch
from domain.pipelines.semantic import EVENTS_TOO
from tests.unit.domain.pipelines_making import terms

NAMES = [
    "userId",
    "anonymousId",
    "user_id",
    "messageId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "context",
    "integrations",
    "traits",
    "properties",
    "event",
    "name",
    "category",
    "groupId",
    "previousId",
    "type",
    "action",
    "email",
    "id",
    "objectId",
    "objectTypeId",
    "relationshipAttributes",
    "device",
    "token",
    "url",
    "path",
    "deliveryId",
    "metric",
    "actionType",
    "created_at",
    "createdAt",
    "firstName",
    "lastName",
    "All",
    "os",
]
EVENTS = [
    "User Deleted",
    "User Suppressed",
    "Object Deleted",
    "Relationship Deleted",
    "Report Delivery Event",
    "Report Content Event",
    "Device Created or Updated",
    *sorted(EVENTS_TOO),
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["7", "a@x.io", "cio_1", "2019-02-01", "2026-01-01T00:00:00Z", "opened", *EVENTS])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)
MESSAGES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=9)
ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyOperation)


def kept(operations: Any) -> None:
    for operation in operations:
        assert all(isinstance(key, int) for key in ordering_keys(operation))
        assert ADAPTER.validate_json(orjson.dumps(operation.model_dump(mode="json"))) == operation


@pytest.mark.parametrize("kind", KINDS)
@given(body=MESSAGES, strict=st.booleans(), aliases=st.booleans())
def test_one_message(kind: str, body: Any, strict: bool, aliases: bool) -> None:
    try:
        found = read(kind, body, terms(strict=strict, aliases=aliases))
    except MessageRefused:
        return
    kept(found.operations)
    assert found.operations or found.notes


@given(body=MESSAGES, items=st.lists(MESSAGES | VALUES, max_size=4))
def test_batches(body: Any, items: Any) -> None:
    batch = read_batch(items, terms(), outer_of(body))
    kept(batch.operations)
    assert {fault.place for fault in batch.faults} <= set(range(len(items)))
