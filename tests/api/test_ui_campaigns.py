"""The desk's pages of campaigns: the list with its figures, and one block by block."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.test_journey_operations import FORK
from tests.api.test_ui import COOKIE, HOSTILE, Page, check
from tests.support.looking import OTHER, WELCOME, Scene

NAMED = {**OTHER, "name": HOSTILE, "description": HOSTILE}


async def look(workspace, path: str, expected: int = 200, **params: Any) -> Page:
    answer = await workspace.http.get(f"/ui/{workspace.id}{path}", params=params, headers={"Cookie": COOKIE})
    assert answer.status_code == expected, answer.text
    return check(answer)


@pytest.fixture
def here(workspace) -> Scene:
    return Scene(workspace.db, workspace.id)


@pytest.mark.parametrize("path", ["/campaigns", "/campaigns/welcome"])
async def test_nobody_gets_in_without_a_session(workspace, path):
    async with httpx.AsyncClient(base_url=workspace.http.base_url, timeout=30) as stranger:
        answer = await stranger.get(f"/ui/{workspace.id}{path}")
    assert (answer.status_code, answer.text) == (303, "")


async def test_there_are_no_campaigns_yet(workspace):
    page = await look(workspace, "/campaigns")
    assert "No campaigns yet" in page.text
    assert f"/ui/{workspace.id}/campaigns" in page.links()
    await look(workspace, "/campaigns/nowhere", 404)


async def test_campaigns_are_listed_with_states_and_figures(workspace, here):
    await here.define(WELCOME, NAMED)
    for number in range(2):
        await here.journey(await here.person(str(number)))
    await here.delivery(
        "d", await here.person("x"), campaign_id=here.campaigns["welcome"], draft=True, status="drafted"
    )
    async with workspace.db.transaction() as conn:
        query = "UPDATE definitions SET state = $3 WHERE workspace_id = $1 AND key = $2"
        await conn.execute(query, workspace.id, "welcome", "running")
        await conn.execute(
            "INSERT INTO metric_totals VALUES ($1, 'campaign', $2, 'triggered', 1234)",
            workspace.id,
            here.campaigns["welcome"],
        )
        await conn.execute(
            "UPDATE workspaces SET definitions_rev = definitions_rev + 1 WHERE workspace_id = $1", workspace.id
        )
    page = await look(workspace, "/campaigns")
    for words in ("Welcome", HOSTILE, "Running", "Draft", "An event", "1,234", "1 to look at"):
        assert words in page.text
    assert page.text.index("Welcome") < page.text.index(HOSTILE), "what runs comes first"
    base = f"/ui/{workspace.id}"
    assert {f"{base}/campaigns/welcome", f"{base}/journeys?campaign=welcome&state=in_progress"} <= set(page.links())
    assert HOSTILE not in (await look(workspace, "/campaigns", state="running")).text
    assert "Welcome" not in (await look(workspace, "/campaigns", name="onerror")).text
    nothing = await look(workspace, "/campaigns", name="no such name")
    assert "No campaign is called so" in nothing.text


async def test_one_campaign_shows_its_latest_changes(workspace, here):
    await here.define(NAMED)
    path = f"/v1/definitions/campaign/{NAMED['key']}"
    for number in range(5):
        answer = await workspace.call("PUT", path, {**NAMED, "description": f"Edit {number}", "tags": [HOSTILE]})
        assert answer.status_code == 200, answer.text
    body = {"source": HOSTILE, "definitions": [{**NAMED, "name": "Plain"}]}
    assert (await workspace.call("PUT", "/v1/definitions", body)).status_code == 200
    page = await look(workspace, f"/campaigns/{NAMED['key']}")
    shown = page.text[page.text.index("Changes") :]
    assert [number for number in range(1, 8) if f"Revision {number}" in shown] == [3, 4, 5, 6, 7]
    assert f"from {HOSTILE}" in shown
    assert "/description" in shown
    assert "shows older ones" in shown
    before = await look(workspace, f"/campaigns/{NAMED['key']}")
    await workspace.db.pool.execute("DELETE FROM definition_revisions WHERE workspace_id = $1", workspace.id)
    assert "Revision 7" in (await look(workspace, f"/campaigns/{NAMED['key']}")).text
    assert "Revision 6" in before.text


async def test_one_campaign_shows_its_blocks_as_a_tree(workspace, here):
    await here.define(FORK)
    for number, path in enumerate(["then", "else", "else"]):
        journey = await here.journey(await here.person(str(number)), block="answer")
        await here.step(journey, "plan", "branched", path=path, branch_index=int(path == "else"))
    await here.journey(await here.person("gone"), block="lost")
    failed = await here.journey(await here.person("failed"), block=None)
    await here.step(failed, "closing", "failed")
    page = await look(workspace, "/campaigns/welcome")
    for words in (
        "begins by an event",
        "3 here",
        "1 failed",
        "Yes 1 took it, 33%",
        "No 2 took it, 67%",
        "Goes straight on.",
        "Answers soon 0 took it",
        "1 at lost",
        "1 about to start",
        "3 passed",
    ):
        assert words in page.text
    heads = [attrs["id"] for attrs in page.all("li") if attrs.get("class") == "node"]
    assert heads == [f"block-{key}" for key in ("plan", "perk", "answer", "done", "closing")]
    standing = f"/ui/{workspace.id}/journeys?campaign=welcome&state=in_progress&block=answer"
    assert standing in page.links()
    there = check(await workspace.http.get(standing, headers={"Cookie": COOKIE}))
    assert len([link for link in there.links() if "/journeys/" in link]) == 3
    number = here.campaigns["welcome"]
    assert (await look(workspace, f"/campaigns/{number}")).text == page.text


async def test_a_campaign_with_everything_hostile_is_text(workspace, here):
    await here.define(NAMED)
    page = await look(workspace, "/campaigns/other")
    assert page.text.count(HOSTILE) >= 2
    assert "Nobody has passed yet" in page.text


async def test_drafts_are_told_of(workspace, here):
    await here.define(WELCOME)
    for number in range(2):
        person = await here.person(str(number))
        values = {"campaign_id": here.campaigns["welcome"], "draft": True, "status": "drafted"}
        await here.delivery(f"d{number}", person, **values)
    page = await look(workspace, "/campaigns/welcome")
    assert "2 drafts wait for somebody to look at them" in page.text


async def test_a_journey_leads_to_its_campaign(workspace, here):
    await here.define(WELCOME)
    journey = await here.journey(await here.person("1"))
    page = await look(workspace, f"/journeys/{journey.journey_id}")
    assert f"/ui/{workspace.id}/campaigns/welcome" in page.links()


async def test_the_explanation_of_somebody_who_is_in(workspace, here):
    await here.define(WELCOME)
    ann = await here.person("7", "ann@example.com")
    journey = await here.journey(ann)
    await here.step(journey, "hello", delivery_id="d")
    await here.delivery(
        "d", ann, campaign_id=here.campaigns["welcome"], journey_id=journey.journey_id, action_id=here.actions["hello"]
    )
    form = await look(workspace, "/campaigns/welcome/explain")
    assert "Everything that is checked" in form.text
    assert "What was checked" not in form.text
    page = await look(workspace, "/campaigns/welcome/explain", customer="ann@example.com")
    for words in ("ann@example.com began.", "What was checked", "Say hello", "Delivered"):
        assert words in page.text
    base = f"/ui/{workspace.id}"
    assert {f"{base}/journeys/{journey.journey_id}", f"{base}/messages/d"} <= set(page.links())
    found = await look(workspace, "/campaigns/welcome/explain", customer="7", id_type="id", occurrence=HOSTILE)
    assert "That is not known" in found.text
    assert HOSTILE in found.text


async def test_the_explanation_of_somebody_who_is_not(workspace, here):
    await here.define(WELCOME)
    await here.person("7", "ann@example.com")
    page = await look(workspace, "/campaigns/welcome/explain", customer="7", id_type="id")
    assert "ann@example.com did not begin." in page.text
    assert "Could people begin the campaign? No" in page.text
    stranger = await look(workspace, "/campaigns/welcome/explain", customer=HOSTILE)
    assert "Nobody has this name" in stranger.text
    assert HOSTILE in stranger.text
    await look(workspace, "/campaigns/nowhere/explain", 404)
