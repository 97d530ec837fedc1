"""Deaths during the build of a segment while facts keep coming in: in the end it is as if built from scratch (PPL-41)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import faults
from tests.faults.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.live import Workspace, campaign, on_match

pytestmark = [pytest.mark.faults, pytest.mark.stack]

PEOPLE = 10_000
EVERY = 40
"""One in so many people has a fact of their own while the build runs."""
PACE = 0.05
WORKER = "worker-ingest"
GROUPS = [str(number) for number in range(1, 10)]
"""Nine of ten people are to be members, so that a build has pages to die in."""


def grouped(key: str, groups: list[str]) -> dict[str, Any]:
    """A segment of the people of some groups."""
    condition = {"attribute": {"field": "group", "operator": "in", "value": groups}}
    return {"kind": "segment", "key": key, "name": key.title(), "conditions": condition}


JOINED = campaign(
    "joined", on_match({"segment": "grouped"}), "mark", {"mark": {"type": "update_person", "set": {"joined": True}}}
)


class Facts:
    """One fact about each of some people: some join, some leave, some are new, with some nothing changes."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.joined: set[str] = set()
        self.left: set[str] = set()
        self.new: set[str] = set()

    async def come(self) -> None:
        """Tell of everybody, at a steady pace; every call is answered with success."""
        for person, attributes in self._facts():
            await self._workspace.identify(person, **attributes)
            await asyncio.sleep(PACE)

    def _facts(self) -> Iterator[tuple[str, dict[str, str]]]:
        for turn, number in enumerate(range(0, PEOPLE, EVERY)):
            outside, inside = f"p{number - number % 10}", f"p{number - number % 10 + 1}"
            match turn % 4:
                case 0:
                    self.joined.add(outside)
                    yield outside, {"group": "5"}
                case 1:
                    self.left.add(inside)
                    yield inside, {"group": "0"}
                case 2:
                    yield inside, {"city": "Rome"}
                case _:
                    self.new.add(f"new-{number}")
                    yield f"new-{number}", {"group": "3"}


async def people_of_groups(deployment: Deployment) -> Workspace:
    """Many people, a segment none of them is in, and a campaign that its members begin."""
    sandbox = await deployment.sandbox(grouped("grouped", ["none"]), JOINED)
    await sandbox.start("joined")
    rows = "".join(f"p{number},{number % 10}\n" for number in range(PEOPLE))
    answer = await sandbox.request(
        "POST",
        "/v1/imports",
        params={"name": "people", "type": "people", "identifier": "id"},
        content=f"id,group\n{rows}".encode(),
        headers={"Content-Type": "text/csv"},
    )
    assert answer.status_code == 200, answer.text
    await sandbox.settle(120)
    return sandbox


async def dies(deployment: Deployment) -> None:
    """Return when the fault has killed the worker, which need not have come back yet."""

    async def dead() -> bool:
        return deployment.stack.deaths(WORKER) > 0

    await eventually(dead, f"{WORKER} dies", 60)


async def members(deployment: Deployment, workspace: Workspace, key: str) -> set[str]:
    """The ids of the people in a segment."""
    query = """SELECT p.id FROM memberships m JOIN people p USING (workspace_id, person_id)
               JOIN definitions d ON d.workspace_id = m.workspace_id AND d.kind = 'segment' AND d.definition_id = m.ref_id
               WHERE m.workspace_id = $1 AND m.kind = 'segment' AND m.member AND d.key = $2"""
    found = await deployment.values(query, workspace, key)
    assert len(found) == len(set(found)), "nobody is a member twice"
    count = await workspace.get(f"/v1/segments/{key}/customer_count")
    assert count == {"count": len(found)}
    return set(found)


async def lines(deployment: Deployment, workspace: Workspace) -> dict[str, Counter[str]]:
    """How often each person entered and left the segment that was edited, by their lines."""
    query = """SELECT p.id, a.type FROM activities a JOIN people p USING (workspace_id, person_id)
               WHERE a.workspace_id = $1 AND a.type IN ('segment_enter', 'segment_leave')
                 AND a.data->>'segment' = 'grouped'"""
    found: dict[str, Counter[str]] = {}
    for row in await deployment.rows(query, workspace):
        found.setdefault(row["id"], Counter())[row["type"]] += 1
    return found


async def verify(deployment: Deployment, sandbox: Workspace, facts: Facts) -> None:
    """The segment is what its conditions say of everybody, told once, and who came by a fact has begun once."""
    await deployment.everybody_through(sandbox, 180)
    assert (await sandbox.get("/v1/definitions/segment/grouped"))["status"]["state"] == "ready"
    query = "SELECT id, attributes->>'group' AS of FROM people WHERE workspace_id = $1"
    people = await deployment.rows(query, sandbox)
    assert len(people) == PEOPLE + len(facts.new)
    expected = {row["id"] for row in people if row["of"] in GROUPS}
    assert await members(deployment, sandbox, "grouped") == expected
    await sandbox.call("PUT", "/v1/definitions/segment/twin", grouped("twin", GROUPS), 201)
    await sandbox.settle(120)
    assert await members(deployment, sandbox, "twin") == expected

    told = await lines(deployment, sandbox)
    once = Counter(segment_enter=1)
    assert {person: told.get(person) for person in expected} == dict.fromkeys(expected, once)
    others = {person: moves for person, moves in told.items() if person not in expected}
    assert set(others) <= facts.left
    assert all(moves == once + Counter(segment_leave=1) for moves in others.values())

    query = "SELECT p.id FROM journeys j JOIN people p USING (workspace_id, person_id) WHERE j.workspace_id = $1"
    began = Counter(await deployment.values(query, sandbox))
    assert began == dict.fromkeys(facts.joined | facts.new, 1), "a build begins nothing, a fact once"


@pytest.mark.parametrize(
    ("first", "second"),
    [("task.before_commit:4", "task.after_commit:1"), ("task.after_commit:4", "task.before_commit:2")],
)
async def test_a_build_whose_worker_dies_twice_is_complete_and_tells_everybody_once(
    deployment: Deployment, first: str, second: str
) -> None:
    sandbox = await people_of_groups(deployment)
    facts = Facts(sandbox)
    await deployment.stack.restart(WORKER, {faults.VARIABLE: first})
    await sandbox.call("PUT", "/v1/definitions/segment/grouped", grouped("grouped", GROUPS))
    coming = asyncio.create_task(facts.come())
    try:
        await dies(deployment)
        await deployment.stack.restart(WORKER, {faults.VARIABLE: second})
        await dies(deployment)
        query = """SELECT state FROM tasks WHERE workspace_id = $1 AND type = 'segment_build'
                   ORDER BY task_id DESC LIMIT 1"""
        assert await deployment.values(query, sandbox) == ["running"], "it died in the middle"
        await deployment.stack.wait_ready(WORKER)
    finally:
        await coming
    await verify(deployment, sandbox, facts)
