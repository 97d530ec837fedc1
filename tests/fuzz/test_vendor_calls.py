"""Calls made up from the vendor's descriptions of Track and Pipelines: what is accepted is in the log, and is applied."""

from __future__ import annotations

import json
from typing import Any

from schemathesis import Case

from tests.fuzz.fuzzing import call, described, facts
from tests.fuzz.ground import Ground

TRACK = described(facts("track"), "positive")
PIPELINES = described(facts("pipelines"), "positive")
LAX, STRICT = {"X-Strict-Mode": "0"}, {"X-Strict-Mode": "1"}
STATUSES = {"track": {200, 204, 207, 400, 404}, "lax": {200}, "strict": {200, 400}}
NO_FACT = {
    "/unsubscribe/{delivery_id}": "a delivery that nobody knows is ignored",
    "/api/v1/metrics": "a delivery that nobody knows is ignored",
    "/api/v1/push/events": "a delivery that nobody knows is ignored",
    "/api/v1/accounts/region": "reads",
    "/api/v1/segments/{segment_id}/add_customers": "entries that are no identifier of the kind are ignored",
    "/api/v1/segments/{segment_id}/remove_customers": "entries that are no identifier of the kind are ignored",
}
"""Where a call that is accepted may leave nothing in the log, as documented."""


@TRACK.parametrize()
def test_track(case: Case, ground: Ground):
    ground.lead(case)
    before = ground.rows.logged()
    answer = call(case, ground, ground.workspace.track_auth)
    assert answer.status_code in STATUSES["track"]
    added = ground.rows.logged() - before
    if answer.status_code >= 400:
        assert added == 0
    elif case.path not in NO_FACT:
        assert added >= _taken(case, answer.content)


@PIPELINES.parametrize()
def test_pipelines_lax(case: Case, ground: Ground):
    _pipelines(case, ground, LAX, STATUSES["lax"])


@PIPELINES.parametrize()
def test_pipelines_strict(case: Case, ground: Ground):
    _pipelines(case, ground, STRICT, STATUSES["strict"])


def _pipelines(case: Case, ground: Ground, headers: dict[str, str], statuses: set[int]) -> None:
    before, refused = ground.rows.logged(), ground.refused()
    answer = call(case, ground, {**ground.source_auth, **headers})
    assert answer.status_code in statuses
    if answer.status_code >= 400:
        assert ground.rows.logged() == before
        assert {"code", "message", "errors"} == set(json.loads(answer.content))
    elif ground.rows.logged() == before and not _is_empty(case.body):
        assert ground.refused() > refused, "what has no effect is counted and noted"


async def test_what_was_accepted_is_applied(ground: Ground):
    await ground.workspace.settle(120)
    assert ground.rows.pending() == 0
    assert ground.rows.unapplied() == []
    assert ground.rows.logged() > 0


def _taken(case: Case, content: bytes) -> int:
    """How many facts there must be at least."""
    if case.path == "/api/v2/entity":
        return int(_says_something(case.body))
    if case.path != "/api/v2/batch":
        return 1
    wrong = {error["batch_index"] for error in json.loads(content).get("errors", [])}
    items: list[Any] = case.body["batch"]
    return sum(_says_something(item) for number, item in enumerate(items) if number not in wrong)


def _says_something(operation: dict[str, Any]) -> bool:
    """Whether an operation is more than relationships of which there are none."""
    return not str(operation["action"]).endswith("_relationships") or operation["cio_relationships"] != []


def _is_empty(body: Any) -> bool:
    """Whether there is nothing in a call that could be lost."""
    return isinstance(body, dict) and body.get("batch") == []
