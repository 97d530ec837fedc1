"""Deaths around an import: every row of the file happens once, and the counts are right."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

import faults
from tests.faults.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.live import Workspace

pytestmark = [pytest.mark.faults, pytest.mark.stack]

PEOPLE = 50
ROWS = 4_000
WORKER = "worker-ingest"


async def begin(workspace: Workspace) -> dict[str, Any]:
    """An import of events under way, one of which names nobody."""
    people = "id\n" + "".join(f"p{number}\n" for number in range(PEOPLE))
    await upload(workspace, people, type="people")
    await workspace.settle(60)
    events = "".join(f"bought,p{number % PEOPLE},{number}\n" for number in range(ROWS - 1))
    return await upload(workspace, f"_cio_name,_cio_customer_id,call\n{events}bought,nobody,{ROWS}\n", type="event")


async def upload(workspace: Workspace, text: str, **described: str) -> dict[str, Any]:
    answer = await workspace.request(
        "POST",
        "/v1/imports",
        params={"name": "test", "identifier": "id", **described},
        content=text.encode(),
        headers={"Content-Type": "text/csv"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["import"]


async def progress(deployment: Deployment, workspace: Workspace, made: dict[str, Any], rows: int) -> None:
    """Return when so many rows were settled."""
    query = "SELECT done FROM tasks WHERE workspace_id = $1 AND task_id = $2"

    async def far_enough() -> bool:
        return (await deployment.values(query, workspace, made["task_id"]))[0] >= rows

    await eventually(far_enough, f"{rows} rows are settled", 60)


async def verify(deployment: Deployment, workspace: Workspace, made: dict[str, Any]) -> None:
    """Every row has happened once, and the import says so."""
    await deployment.everybody_through(workspace)
    done = (await workspace.get(f"/v1/imports/{made['id']}"))["import"]
    assert done["state"] == "imported", done
    assert (done["rows_to_import"], done["rows_imported"], done["rows_failed"]) == (ROWS, ROWS - 1, 1)
    happened = Counter(await deployment.values("SELECT data->>'call' FROM events WHERE workspace_id = $1", workspace))
    assert happened == dict.fromkeys(map(str, range(ROWS - 1)), 1)
    (people,) = await deployment.values("SELECT count(*) FROM people WHERE workspace_id = $1", workspace)
    assert people == PEOPLE
    rows = "SELECT row_no FROM import_rows WHERE workspace_id = $1"
    assert await deployment.values(rows, workspace) == [ROWS], "only the row with an error is kept"


async def test_a_worker_killed_in_the_middle_applies_every_row_once(deployment: Deployment) -> None:
    sandbox = await deployment.sandbox()
    made = await begin(sandbox)
    await progress(deployment, sandbox, made, 500)
    await deployment.stack.kill(WORKER)
    await deployment.stack.wait_ready(WORKER)
    await verify(deployment, sandbox, made)


@pytest.mark.parametrize("point", ["task.before_commit:6", "task.after_commit:8"])
async def test_a_worker_that_dies_around_the_commit_of_a_page(deployment: Deployment, point: str) -> None:
    sandbox = await deployment.sandbox()
    await deployment.stack.restart(WORKER, {faults.VARIABLE: point})
    made = await begin(sandbox)
    await deployment.died(WORKER)
    await verify(deployment, sandbox, made)


async def test_the_death_of_the_api_or_the_database_stops_no_import(deployment: Deployment) -> None:
    sandbox = await deployment.sandbox()
    made = await begin(sandbox)
    await progress(deployment, sandbox, made, 500)
    for child in ("api", "postgres"):
        await deployment.stack.kill(child)
    for child in ("postgres", "api", WORKER):
        await deployment.stack.wait_ready(child)
    await verify(deployment, sandbox, made)


async def test_while_temporal_is_away_an_import_is_taken_and_done_afterwards(deployment: Deployment) -> None:
    sandbox = await deployment.sandbox()
    people = "id\n" + "".join(f"p{number}\n" for number in range(PEOPLE))
    await upload(sandbox, people, type="people")
    await sandbox.settle(60)
    await deployment.stack.stop_child("temporal")
    made = await upload(sandbox, "id,plan\np1,pro\np2,pro\n", type="people")
    answer = await sandbox.request("POST", "/v1/clock/settle", json={"timeout_seconds": 1})
    assert answer.status_code == 504, "settle waits for the import"
    await deployment.stack.start_child("temporal")
    await deployment.everybody_through(sandbox)
    done = (await sandbox.get(f"/v1/imports/{made['id']}"))["import"]
    assert (done["state"], done["rows_updated"]) == ("imported", 2)


async def test_an_api_killed_during_an_upload_leaves_no_import_that_runs(deployment: Deployment) -> None:
    sandbox = await deployment.sandbox()

    async def pieces() -> Any:
        yield b"id\n" + b"".join(b"%d\n" % number for number in range(200_000))
        await deployment.stack.kill("api")
        yield b"1\n"

    with pytest.raises(httpx.TransportError):
        await sandbox.request(
            "POST",
            "/v1/imports",
            params={"name": "test", "type": "people", "identifier": "id"},
            content=pieces(),
            headers={"Content-Type": "text/csv"},
        )
    await deployment.stack.wait_ready("api")
    await sandbox.settle()
    states = await deployment.values("SELECT state FROM imports WHERE workspace_id = $1", sandbox)
    assert set(states) <= {"preprocessing"}
    assert await deployment.values("SELECT 1 FROM people WHERE workspace_id = $1", sandbox) == []
