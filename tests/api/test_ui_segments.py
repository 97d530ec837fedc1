"""The desk's pages of segments, and its list of people by address."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.test_ui import COOKIE, HOSTILE, Page, check
from tests.support.working import apply_all, run_tasks

PRO = {
    "kind": "segment",
    "key": "pro",
    "name": "Pro",
    "description": "Who pays",
    "conditions": {"and": [{"attribute": {"field": "plan", "value": "pro"}}]},
}
VIP = {"kind": "segment", "key": "vip", "name": HOSTILE, "description": HOSTILE, "type": "manual"}
HAPPY = {"kind": "segment", "key": "happy", "name": "Happy", "conditions": {"segment": "pro"}}
ON_PRO = {
    "kind": "campaign",
    "key": "on-pro",
    "name": "On pro",
    "trigger": {"type": "segment", "conditions": {"segment": "pro"}},
    "workflow": {"start": "a", "blocks": {"a": {"type": "time_delay", "duration": "P1D"}}},
}


async def look(workspace, path: str, expected: int = 200, **params: Any) -> Page:
    answer = await workspace.http.get(f"/ui/{workspace.id}{path}", params=params, headers={"Cookie": COOKIE})
    assert answer.status_code == expected, answer.text
    return check(answer)


async def define(workspace, *documents: dict[str, Any]) -> None:
    answer = await workspace.call("PUT", "/v1/definitions", {"definitions": list(documents)})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/segments", "/segments/pro", "/people?email=a"])
async def test_nobody_gets_in_without_a_session(workspace, path):
    # The shared client may hold the session of another test.
    async with httpx.AsyncClient(base_url=workspace.http.base_url) as stranger:
        answer = await stranger.get(f"/ui/{workspace.id}{path}")
    assert (answer.status_code, answer.text) == (303, "")


async def test_there_are_no_segments_yet(workspace):
    page = await look(workspace, "/segments")
    assert "No segments yet" in page.text
    assert f"/ui/{workspace.id}/segments" in page.links()
    await look(workspace, "/segments/nowhere", 404)


async def test_segments_are_listed_with_their_state(workspace):
    await define(workspace, PRO, VIP)
    page = await look(workspace, "/segments")
    assert {f"/ui/{workspace.id}/segments/{key}" for key in ("pro", "vip")} <= set(page.links())
    for words in ("Who pays", HOSTILE, "Being built 0%", "Up to date", "By hand", "Conditions"):
        assert words in page.text
    await run_tasks(workspace.db)
    await workspace.call("POST", "/v1/segments/pro/archive")
    assert "Archived" in (await look(workspace, "/segments")).text


async def test_one_segment_says_who_why_and_for_what(workspace):
    await define(workspace, PRO, HAPPY, ON_PRO)
    assert "Everybody is being looked at: 0%" in (await look(workspace, "/segments/pro")).text
    await run_tasks(workspace.db)
    await workspace.put("7", {"email": "ann@example.com", "plan": "pro"})
    await workspace.put("8", {"plan": "pro", "unsubscribed": True})
    await apply_all(workspace.db)
    await workspace.put("8", {"plan": HOSTILE})
    await workspace.put("9", {"plan": "pro", "unsubscribed": "1"})
    await apply_all(workspace.db)
    page = await look(workspace, "/segments/pro")
    for words in (
        "ann@example.com came in",
        "8 left",
        "Now 2",
        "Subscribed 1 50.0%",
        "field: plan",
        "Came in",
        "On pro",
    ):
        assert words in page.text
    base = f"/ui/{workspace.id}"
    assert {f"{base}/segments/happy", f"{base}/journeys?campaign=on-pro"} <= set(page.links())
    assert len([link for link in page.links() if link.startswith(f"{base}/people/")]) == 4
    assert {meter["max"] for meter in page.all("meter")} == {"3"}
    number = (await workspace.call("GET", "/v1/segments/pro")).json()["segment"]["id"]
    assert (await look(workspace, f"/segments/{number}")).text == page.text
    (person,) = {link for link in page.links() if "/people/" in link and "ann" in (await words_of(workspace, link))}
    assert f"{base}/segments/pro" in (await look(workspace, person.removeprefix(base))).links()


async def words_of(workspace, link: str) -> str:
    return (await look(workspace, link.removeprefix(f"/ui/{workspace.id}"))).text


async def test_a_manual_segment_is_shown_as_text(workspace):
    await define(workspace, VIP)
    page = await look(workspace, "/segments/vip")
    for words in (HOSTILE, "filled by hand", "Nobody has come in or left", "it can be archived"):
        assert words in page.text
    await workspace.call("POST", "/v1/segments/vip/archive")
    assert "Nobody joins or leaves" in (await look(workspace, "/segments/vip")).text


async def test_a_build_that_was_broken_off_is_told(workspace):
    await define(workspace, PRO)
    (task,) = (await workspace.call("GET", "/v1/tasks")).json()["tasks"]
    building = (await look(workspace, "/segments/pro")).text
    assert "It waits for its turn" in building
    assert f"POST /v1/tasks/{task['id']}/cancel breaks it off" in building
    await workspace.call("POST", f"/v1/tasks/{task['id']}/cancel")
    broken = (await look(workspace, "/segments/pro")).text
    assert "The last build was cancelled" in broken
    assert "It had looked at 0 people" in broken
    assert task["id"] in broken
    assert "Not complete" in (await look(workspace, "/segments")).text
    async with workspace.db.transaction() as conn:
        await conn.execute(
            "UPDATE tasks SET state = 'failed', error = $2 WHERE workspace_id = $1", workspace.id, HOSTILE
        )
    failed = (await look(workspace, "/segments/pro")).text
    assert "The last build failed" in failed
    assert HOSTILE in failed


async def test_a_build_under_way_says_how_far_it_is(workspace):
    await define(workspace, PRO)
    async with workspace.db.transaction() as conn:
        await conn.execute(
            "UPDATE tasks SET state = 'running', done = 50, total = 200 WHERE workspace_id = $1", workspace.id
        )
    page = (await look(workspace, "/segments/pro")).text
    assert "Everybody is being looked at: 25%" in page
    assert "50 of 200 people so far" in page
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE tasks SET state = 'cancelled' WHERE workspace_id = $1", workspace.id)


async def test_ppl_44_people_are_listed_by_address(workspace):
    for number, address in enumerate(("tweety@acmecorp.com", "bird.tweety@acmecorp.com", "Tweety2@x.io")):
        await workspace.put(str(number), {"email": address})
    await apply_all(workspace.db)
    page = await look(workspace, "/people", email="TWEETY")
    assert "tweety@acmecorp.com" in page.text
    assert "Tweety2@x.io" in page.text
    assert "bird.tweety" not in page.text
    assert len([link for link in page.links() if "/people/" in link]) == 2
    assert "bird.tweety@acmecorp.com" in (await look(workspace, "/people", email="@acmecorp.com")).text
    assert "Nobody has an address like" in (await look(workspace, "/people", email=HOSTILE)).text
    await look(workspace, "/people", 400, email="@")


async def test_addresses_come_in_pages(workspace):
    for number in range(60):
        await workspace.put(str(number), {"email": f"a{number:02}@x.io"})
    await apply_all(workspace.db)
    first = await look(workspace, "/people", email="a")
    (following,) = [attrs["href"] for attrs in first.all("a") if attrs.get("rel") == "next"]
    second = check(await workspace.http.get(following, headers={"Cookie": COOKIE}))
    assert "That was all." in second.text
    assert len([link for page in (first, second) for link in page.links() if "/people/" in link]) == 60
