"""The desk's pages of what came in: the Data In log and the data index."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

from services import metrics
from tests.api.test_ui import COOKIE, HOSTILE, Page, check
from tests.support.working import apply_all

PAGES = ["/data-in", "/data-index", "/data-index/name?kind=attribute&name=plan"]


async def look(workspace, path: str, expected: int = 200) -> Page:
    answer = await workspace.http.get(f"/ui/{workspace.id}{path}", headers={"Cookie": COOKIE})
    assert answer.status_code == expected
    return check(answer)


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_gets_in_without_a_session(workspace, path):
    # The shared client may hold the session of another test.
    async with httpx.AsyncClient(base_url=workspace.http.base_url) as stranger:
        answer = await stranger.get(f"/ui/{workspace.id}{path}")
    assert (answer.status_code, answer.text) == (303, "")


async def test_nothing_has_come_in(workspace):
    assert "Nothing has come in yet" in (await look(workspace, "/data-in")).text
    assert "No call fits" in (await look(workspace, "/data-in?status=failed")).text
    assert "Nothing of this kind" in (await look(workspace, "/data-index?kind=screen")).text
    assert "No name contains" in (await look(workspace, "/data-index?name=x")).text
    await look(workspace, "/data-index/name?kind=attribute&name=plan", 404)
    await look(workspace, "/data-index?kind=gossip", 400)
    await look(workspace, "/data-in?start=e30", 400)


async def test_what_came_in_is_shown_as_text(workspace):
    await workspace.put("7", {"email": "ann@example.com", "plan": HOSTILE, HOSTILE: 1})
    await workspace.put("8", {"plan": HOSTILE * 20})
    await workspace.track("POST", "/api/v1/customers/7/events", {"name": HOSTILE, "data": {"x": HOSTILE}})
    await apply_all(workspace.db)
    await metrics.fold_once(workspace.db)
    page = await look(workspace, "/data-in")
    assert "ann@example.com" in page.text
    assert "Applied" in page.text
    assert "Rejected" in page.text
    assert "Track API: Default" in page.text
    rejected = await look(workspace, "/data-in?status=rejected&source=Track%20API")
    assert "cannot be longer than 1000 bytes" in rejected.text
    assert "Applied" not in " ".join(attrs.get("class") or "" for attrs in rejected.all("span"))
    (person,) = {link for link in page.links() if "/people/" in link}
    assert "ann@example.com" in (await look(workspace, person.removeprefix(f"/ui/{workspace.id}"))).text
    names = await look(workspace, "/data-index")
    assert HOSTILE in names.text
    assert "plan" in names.text
    (link,) = [link for link in names.links() if "name=plan" in link]
    one = await look(workspace, link.removeprefix(f"/ui/{workspace.id}"))
    assert "Nothing uses it." in one.text
    assert HOSTILE in (await look(workspace, f"/data-index/name?kind=event&name={quote(HOSTILE)}")).text


async def test_pages_follow_one_another(workspace):
    await workspace.put("7", {f"a{n:03}": n for n in range(60)})
    for n in range(60):
        await workspace.put(str(n), {})
    await apply_all(workspace.db)
    for path, words in (("/data-in", "Older"), ("/data-index", "More")):
        first = await look(workspace, path)
        (following,) = [attrs["href"] for attrs in first.all("a") if attrs.get("rel") == "next"]
        assert words in first.text
        second = await workspace.http.get(following, headers={"Cookie": COOKIE})
        assert "That was all." in second.text
