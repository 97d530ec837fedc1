"""The desk's pages of broadcasts: the list, one with its triggers and its form, one trigger that is steered."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.api.test_ui import COOKIE, HOSTILE, Page, check
from tests.support.triggering import NEWS, Triggering

NAMED = {**NEWS, "key": "other", "name": HOSTILE, "description": HOSTILE}
FORM = {"Cookie": COOKIE, "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def here(workspace) -> Triggering:
    return Triggering(workspace)


async def look(here: Triggering, path: str, expected: int = 200, **params: Any) -> Page:
    workspace = here.workspace
    answer = await workspace.http.get(f"/ui/{workspace.id}{path}", params=params, headers={"Cookie": COOKIE})
    assert answer.status_code == expected, answer.text
    return check(answer)


async def submit(here: Triggering, path: str, expected: int = 303, **fields: str) -> httpx.Response:
    workspace = here.workspace
    answer: httpx.Response = await workspace.http.post(
        f"/ui/{workspace.id}{path}", content=urlencode(fields), headers=FORM
    )
    assert answer.status_code == expected, answer.text
    return answer


@pytest.mark.parametrize("path", ["/broadcasts", "/broadcasts/news", "/broadcasts/news/triggers/1"])
async def test_nobody_gets_in_without_a_session(workspace, path):
    async with httpx.AsyncClient(base_url=workspace.http.base_url) as stranger:
        answer = await stranger.get(f"/ui/{workspace.id}{path}")
        posted = await stranger.post(f"/ui/{workspace.id}/broadcasts/news/start")
    assert (answer.status_code, answer.text) == (303, "")
    assert posted.headers["location"].startswith("/ui/login")


async def test_there_are_no_broadcasts_yet(here):
    page = await look(here, "/broadcasts")
    assert "No broadcasts yet" in page.text
    assert f"/ui/{here.workspace.id}/broadcasts" in page.links()
    for path in ("/broadcasts/nowhere", "/broadcasts/nowhere/triggers/1"):
        await look(here, path, 404)


async def test_broadcasts_are_listed_with_their_newest_trigger(here):
    await here.define(NEWS)
    await here.define(NAMED, start=False)
    await here.accepted()
    async with here.workspace.db.transaction() as conn:
        await conn.execute(
            "INSERT INTO metric_totals VALUES ($1, 'campaign', $2, 'sent', 1234)", here.workspace.id, here.ids["news"]
        )
    page = await look(here, "/broadcasts")
    for words in ("News", HOSTILE, "Running", "Draft", "1,234", "Queued", "Never"):
        assert words in page.text
    assert page.text.index("1,234") < page.text.index(HOSTILE), "what runs comes first"
    base = f"/ui/{here.workspace.id}/broadcasts"
    assert {f"{base}/news", f"{base}/news/triggers/1"} <= set(page.links())
    assert HOSTILE not in (await look(here, "/broadcasts", state="running")).text
    assert "No broadcast is called so" in (await look(here, "/broadcasts", name="no such name")).text


async def test_a_broadcast_is_started_triggered_and_stopped_here(here):
    await here.define(NEWS, start=False)
    page = await look(here, "/broadcasts/news")
    assert "Start it" in page.text
    await submit(here, "/broadcasts/news/start")
    page = await look(here, "/broadcasts/news")
    assert "Trigger for everybody" in page.text
    answer = await submit(here, "/broadcasts/news/triggers", data='{"headline": "H"}')
    assert answer.headers["location"] == f"/ui/{here.workspace.id}/broadcasts/news/triggers/1"
    (row,) = await here.stored()
    assert (row["audience"], row["data"]) == ({}, {"headline": "H"})
    await here.wait(10)
    await submit(here, "/broadcasts/news/triggers", data="  ")
    assert (await here.stored())[1]["data"] == {}
    await submit(here, "/broadcasts/news/stop")
    assert "Start it" in (await look(here, "/broadcasts/news")).text


@pytest.mark.parametrize(
    ("data", "said"),
    [('{"headline": ', "not valid JSON"), ("[1]", "data must be an object"), (HOSTILE, "not valid JSON")],
)
async def test_data_that_is_none_is_said_so_and_kept_in_the_form(here, data, said):
    await here.define(NEWS)
    page = check(await submit(here, "/broadcasts/news/triggers", 409, data=data))
    assert said in page.text
    assert data in " ".join(page.words)


async def test_whose_turn_has_not_come_is_told(here):
    await here.define(NEWS)
    await submit(here, "/broadcasts/news/triggers")
    page = check(await submit(here, "/broadcasts/news/triggers", 409))
    assert "rate limited to 1 request per 10s" in page.text


async def test_a_verb_that_does_not_fit_is_told(here):
    await here.define(NEWS, start=False)
    assert "stop needs it to be running" in check(await submit(here, "/broadcasts/news/stop", 409)).text
    await here.define({**NEWS, "workflow": {"blocks": {}}}, start=False)
    check(await submit(here, "/broadcasts/news/start", 409))
    check(await submit(here, "/broadcasts/news/explode", 404))
    check(await submit(here, "/broadcasts/nowhere/start", 404))


async def test_a_broadcast_without_recipients_has_no_form(here):
    await here.define({name: value for name, value in NEWS.items() if name != "recipients"})
    page = await look(here, "/broadcasts/news")
    assert "names no recipients of its own" in page.text
    assert page.all("textarea") == []


async def test_a_trigger_on_its_way(here):
    await here.define({**NEWS, "send_rate": {"limit": 500, "per": "minute"}})
    await here.accepted({"data": {"headline": HOSTILE}})
    assert "It waits for its turn" in (await look(here, "/broadcasts/news/triggers/1")).text
    now = (await here.stored())[0]["created_at"]
    await here.become(1, "sending", processed_at=now, recipients_count=3000, position=1000)
    page = await look(here, "/broadcasts/news/triggers/1")
    for words in (
        "1,000 of 3,000 recipients seen to",
        "33%",
        "500 a minute",
        "the recipients of the broadcast",
        HOSTILE[:9],
    ):
        assert words in page.text
    (bar,) = page.all("progress")
    assert (bar["max"], bar["value"]) == ("3000", "1000")
    listed = await look(here, "/broadcasts/news")
    assert "33%" in listed.text


async def test_a_trigger_is_steered(here):
    await here.define(NEWS)
    await here.accepted()
    path = "/broadcasts/news/triggers/1"
    answer = await submit(here, f"{path}/pause")
    assert answer.headers["location"] == f"/ui/{here.workspace.id}{path}"
    page = await look(here, path)
    assert "Paused" in page.text
    assert "Resume" in page.text
    await submit(here, f"{path}/resume")
    assert "It is not paused" not in (await look(here, path)).text
    assert "not paused" in check(await submit(here, f"{path}/resume", 409)).text
    await submit(here, f"{path}/cancel")
    page = await look(here, path)
    assert "Cancelled" in page.text
    assert [form for form in page.all("form") if form["action"].endswith("cancel")] == []
    assert "The trigger is over" in check(await submit(here, f"{path}/cancel", 409)).text
    check(await submit(here, f"{path}/explode", 404))
    check(await submit(here, "/broadcasts/news/triggers/9/pause", 404))


async def test_a_refused_trigger_says_why_page_by_page(here):
    await here.define(NEWS)
    await here.trigger({"per_user_data": [HOSTILE] * 60})
    page = await look(here, "/broadcasts/news/triggers/1")
    assert "Nothing was sent" in page.text
    assert "line 50: couldn't parse json data" in page.text
    assert "line 51: couldn't parse json data" not in page.text
    (more,) = [link for link in page.links() if "start=" in link]
    rest = check(await here.workspace.http.get(more, headers={"Cookie": COOKIE}))
    assert "line 60: couldn't parse json data" in rest.text


async def test_hostile_names_are_text(here):
    await here.define(NAMED)
    await here.accepted(key="other")
    for path in ("/broadcasts/other", "/broadcasts/other/triggers/1"):
        assert HOSTILE in (await look(here, path)).text
