"""Who came into a segment and left it, day by day and one by one, and how many may be written to (PPL-41)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from api.management import segment_shapes as shapes
from domain.ids import cio_id
from domain.values import is_unsubscribed, to_unix
from tests.support.working import apply_all, run_tasks

NOON = datetime.fromisoformat("2026-03-10T12:00:00+00:00")
PRO = {"kind": "segment", "key": "pro", "name": "Pro", "conditions": {"attribute": {"field": "plan", "value": "pro"}}}


@pytest.fixture
async def here(workspace):
    """A workspace at noon of a tenth of March, with one segment."""
    await clock(workspace, NOON)
    answer = await workspace.call("PUT", "/v1/definitions/segment/pro", PRO)
    assert answer.status_code == 201
    await run_tasks(workspace.db)
    return workspace


async def clock(workspace, at: datetime) -> None:
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE workspaces SET clock_now = $2 WHERE workspace_id = $1", workspace.id, at)


async def person(workspace, name: str, **attributes: Any) -> None:
    assert (await workspace.put(name, attributes)).status_code == 200
    await apply_all(workspace.db)


async def get(workspace, path: str, status: int = 200, **params: Any) -> Any:
    answer = await workspace.call("GET", f"/v1/segments/{path}", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


def told(page: dict[str, Any]) -> list[tuple[str, str]]:
    shapes.SegmentChanges.model_validate(page)
    return [((one["customer_identifiers"] or {"id": None})["id"], one["change"]) for one in page["changes"]]


async def test_ppl_41_who_came_and_left_and_why(here):
    await person(here, "ann", plan="pro")
    await clock(here, NOON + timedelta(hours=1))
    await person(here, "bob", plan="pro", email="bob@x.io")
    await person(here, "ann", plan="free")
    page = await get(here, "pro/changes")
    assert told(page) == [("ann", "left"), ("bob", "entered"), ("ann", "entered")]
    left = page["changes"][0]
    assert left["at"] == to_unix(NOON + timedelta(hours=1))
    assert "plan" in left["reason"]
    assert left["customer_identifiers"]["cio_id"] in {cio_id(n) for n in await numbers(here)}
    assert told(await get(here, "pro/changes", type="entered")) == [("bob", "entered"), ("ann", "entered")]
    assert told(await get(here, "pro/changes", customer="bob@x.io", id_type="email")) == [("bob", "entered")]
    assert told(await get(here, "pro/changes", until=to_unix(NOON))) == [("ann", "entered")]
    assert len(told(await get(here, "pro/changes", since=to_unix(NOON + timedelta(hours=1))))) == 2
    first = await get(here, "pro/changes", limit=2)
    rest = await get(here, "pro/changes", limit=2, start=first["next"])
    assert (told(first) + told(rest), rest["next"]) == (told(page), "")
    await here.track("DELETE", "/api/v1/customers/bob")
    await apply_all(here.db)
    assert ("bob", "entered") not in told(await get(here, "pro/changes"))


async def numbers(workspace) -> list[int]:
    async with workspace.db.connection() as conn:
        records = await conn.fetch("SELECT person_id FROM people WHERE workspace_id = $1", workspace.id)
    return [record["person_id"] for record in records]


async def test_what_is_asked_of_changes_is_checked(here):
    await get(here, "nowhere/changes", 404)
    await get(here, "nowhere/history", 404)
    await get(here, "pro/changes", 404, customer="nobody")
    for params in (
        {"type": "joined"},
        {"start": "zzz"},
        {"since": -1},
        {"limit": 0},
        {"id_type": "phone", "customer": "1"},
    ):
        await get(here, "pro/changes", 400, **params)
    for params in ({"days": 0}, {"days": 91}, {"timezone": "Mars/Base"}, {"days": "x"}):
        await get(here, "pro/history", 400, **params)


async def test_ppl_41_the_last_days(here):
    for days, name, plan in (
        (-40, "old", "pro"),
        (-2, "ann", "pro"),
        (-2, "bob", "pro"),
        (0, "ann", "free"),
        (0, "c", "pro"),
    ):
        await clock(here, NOON + timedelta(days=days))
        await person(here, name, plan=plan)
    answer = await get(here, "pro/history")
    shapes.SegmentHistory.model_validate(answer)
    days = {day["date"]: (day["entered"], day["left"]) for day in answer["days"]}
    assert next(iter(days)) == "2026-02-09"
    assert len(days) == 30
    assert {day: moved for day, moved in days.items() if moved != (0, 0)} == {
        "2026-03-08": (2, 0),
        "2026-03-10": (1, 1),
    }
    assert (answer["members"], answer["subscribed"], answer["subscribed_percent"]) == (3, 3, 100.0)
    short = await get(here, "pro/history", days=1)
    assert [(day["date"], day["entered"]) for day in short["days"]] == [("2026-03-10", 1)]
    assert sum(day["entered"] for day in (await get(here, "pro/history", days=90))["days"]) == 4


async def test_days_are_those_of_a_time_zone(here):
    # In New York, clocks go forward on the eighth of March: midnight is at five, then at four.
    await clock(here, datetime.fromisoformat("2026-03-09T03:59:59+00:00"))
    await person(here, "ann", plan="pro")
    await clock(here, datetime.fromisoformat("2026-03-09T04:00:00+00:00"))
    await person(here, "bob", plan="pro")
    days = (await get(here, "pro/history", days=2, timezone="America/New_York"))["days"]
    starts = [datetime.fromisoformat(f"2026-03-0{day}:00:00+00:00") for day in ("8T05", "9T04")]
    assert days == [
        {"date": "2026-03-08", "start": to_unix(starts[0]), "entered": 1, "left": 0},
        {"date": "2026-03-09", "start": to_unix(starts[1]), "entered": 1, "left": 0},
    ]


async def test_sub_01_who_is_unsubscribed_is_told_as_elsewhere(here):
    values = [
        True,
        "tRUe",
        1,
        1.0,
        "1",
        "TRUE",
        "yes",
        0,
        "",
        "0",
        "1 ",
        False,
        "true ",
        2,
        [True],
        {"a": 1},
        "ttrue",
        None,
    ]
    for number, value in enumerate(values):
        await person(here, str(number), plan="pro", unsubscribed=value)
    async with here.db.connection() as conn:
        records = await conn.fetch(
            "SELECT attributes -> 'unsubscribed' AS value FROM people WHERE workspace_id = $1", here.id
        )
    expected = sum(not is_unsubscribed(record["value"]) for record in records)
    assert 0 < expected < len(values) == len(records)
    answer = await get(here, "pro/history")
    assert (answer["members"], answer["subscribed"]) == (len(values), expected)
    assert answer["subscribed_percent"] == round(100 * expected / len(values), 1)


async def test_nobody_is_in_it(here):
    answer = await get(here, "pro/history")
    assert (answer["members"], answer["subscribed"], answer["subscribed_percent"]) == (0, 0, None)


async def test_people_whom_a_build_moves_are_told_with_its_reason(here):
    await person(here, "ann", plan="pro")
    await here.call(
        "PUT", "/v1/definitions/segment/pro", {**PRO, "conditions": {"attribute": {"field": "x", "value": 1}}}
    )
    await run_tasks(here.db)
    page = await get(here, "pro/changes")
    assert told(page) == [("ann", "left"), ("ann", "entered")]
    assert page["changes"][0]["reason"].startswith("built: ")
