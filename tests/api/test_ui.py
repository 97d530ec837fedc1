"""The pages of the desk: who gets in, what they say, and that nothing foreign ever runs in them."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import quote

import httpx
import pytest

from domain.ids import cio_id
from services.looking.desk import Desk
from tests.api.conftest import ADMIN
from tests.support.looking import OTHER, PAYING, START, WELCOME, Scene, content

HOSTILE = """"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}</title></textarea>"""
COOKIE = f"sojourn_ui={ADMIN}"
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and everything in it that could run or load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def links(self) -> list[str]:
        return [attrs["href"] for attrs in self.all("a")]


def check(answer: httpx.Response) -> Page:
    """The page, once it is certain that it is one whole document in which nothing runs and nothing is loaded from elsewhere."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert answer.headers["cache-control"] == "no-store"
    page = Page(answer.text)
    assert page.all("script") == []
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], (tag, attrs)
        for name in ("src", "href", "action"):
            place = attrs.get(name) or "/"
            assert place.startswith(("/", "#")) or (tag == "a" and place.startswith("http://127.0.0.1:8233/")), attrs
    (document,) = page.all("html")
    assert document["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert page.all("title") == [{}]
    return page


@pytest.fixture
async def here(workspace) -> Scene:
    made = Scene(workspace.db, workspace.id)
    await made.define(WELCOME, OTHER, PAYING)
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE workspaces SET clock_now = $2 WHERE workspace_id = $1", workspace.id, START)
    return made


async def look(workspace, path: str, status: int = 200, **params) -> Page:
    answer = await workspace.http.get(f"/ui/{workspace.id}{path}", params=params, headers={"Cookie": COOKIE})
    assert answer.status_code == status, answer.text
    return check(answer)


PAGES = ["/journeys", "/journeys/J", "/people", "/people/00000001", "/messages/D", "/mailbox", "/mailbox/1"]
FILES = ["/messages/D/html", "/mailbox/1/html", "/mailbox/1/raw"]


@pytest.mark.parametrize("path", ["", *PAGES, *FILES])
@pytest.mark.parametrize("cookie", ["", "sojourn_ui=", "sojourn_ui=sa_live_wrong", "other=1"])
async def test_nobody_gets_in_without_a_session(workspace, path, cookie):
    address = f"/ui/{workspace.id}{path}?start=a%20b"
    answer = await workspace.http.get(address, headers={"Cookie": cookie})
    assert answer.status_code == 303
    if path:
        assert answer.headers["location"] == f"/ui/login?next={quote(address, safe='')}"
    assert answer.text == ""


async def test_an_app_key_opens_nothing(workspace):
    for headers in ({"Cookie": f"sojourn_ui={workspace.app_key}"}, workspace.app, workspace.admin):
        answer = await workspace.http.get(f"/ui/{workspace.id}/journeys", headers=headers)
        assert answer.status_code == 303


async def sign_in(workspace, token: str, wanted: str = "/ui") -> httpx.Response:
    return await workspace.http.post("/ui/login", data={"token": token, "next": wanted})


async def test_signing_in_and_out(workspace, server):
    page = check(await workspace.http.get("/ui/login", params={"next": f"/ui/{workspace.id}/mailbox?to=a"}))
    (token,) = [field for field in page.all("input") if field["name"] == "token"]
    assert token["type"] == "password"
    assert page.all("label") == [{"for": "token"}]
    async with httpx.AsyncClient(base_url=server.url) as browser:
        fields = {"token": f" {ADMIN} ", "next": f"/ui/{workspace.id}/mailbox?to=a"}
        answer = await browser.post("/ui/login", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/{workspace.id}/mailbox?to=a")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/ui" in cookie
        assert ADMIN not in answer.headers["location"]
        assert (await browser.get(answer.headers["location"])).status_code == 200
        gone = await browser.post("/ui/logout")
        assert gone.headers["location"] == "/ui/login"
        assert (await browser.get(f"/ui/{workspace.id}/mailbox")).status_code == 303


async def test_a_wrong_token_is_told_so(workspace):
    for token, words in (("", "not known here"), ("sa_live_x", "not known here"), (workspace.app_key, "App key")):
        answer = await sign_in(workspace, token)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        page = check(answer)
        assert words in page.text
        assert [p for p in page.all("p") if p.get("role") == "alert"]


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/ui//evil",
        "/uix",
        "/ui/../v1",
        "\\evil",
        "/ui/\r\nX: y",
        "/ui/login",
        "",
    ],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(workspace, wanted):
    place = (await sign_in(workspace, ADMIN, wanted)).headers["location"]
    assert place == "/ui" or place.startswith("/ui/")
    assert "\n" not in place


async def test_the_first_page_is_a_list_of_journeys(workspace):
    answer = await workspace.http.get("/ui", headers={"Cookie": COOKIE})
    assert (answer.status_code, answer.headers["location"][:4]) == (303, "/ui/")
    answer = await workspace.http.get(f"/ui/{workspace.id}", headers={"Cookie": COOKIE})
    assert answer.headers["location"] == f"/ui/{workspace.id}/journeys"


async def test_journeys_say_where_everybody_is(workspace, here):
    ann, bela = await here.person("7", "ann@example.com"), await here.person("8")
    waiting = await here.journey(ann)
    late = await here.journey(bela, due_at=START - timedelta(hours=2))
    ended = await here.ended(ann, "goal", "It was met.", campaign_id=here.campaigns["other"])
    page = await look(workspace, "/journeys")
    base = f"/ui/{workspace.id}"
    for journey in (waiting, late, ended):
        assert f"{base}/journeys/{journey.journey_id}" in page.links()
    assert f"{base}/people/{cio_id(ann)}" in page.links()
    for words in ("ann@example.com", "Take a breath", "Delay", "in 1 d", "Overdue", "Met the goal", "Exited early"):
        assert words in page.text
    assert page.all("caption")
    assert [th["scope"] for th in page.all("th")] == ["col"] * 7
    fields = {f["id"] for f in page.all("input") + page.all("select") if "id" in f}
    assert fields <= {label["for"] for label in page.all("label") if "for" in label}


async def test_journeys_are_filtered_and_paged(workspace, here):
    ann, bela = await here.person("7", "ann@example.com"), await here.person("8", "bela@example.com")
    for _ in range(51):
        await here.journey(ann)
    await here.ended(bela, "completed", at=START + timedelta(hours=1))
    page = await look(workspace, "/journeys")
    (older,) = [a["href"] for a in page.all("a") if a.get("rel") == "next"]
    answer = await workspace.http.get(older, headers={"Cookie": COOKIE})
    assert len(check(answer).all("tr")) == 3
    only = await look(workspace, "/journeys", state="finished", campaign="welcome", customer="", block="")
    assert "bela@example.com" in only.text
    assert "ann@example.com" not in only.text
    assert [o for o in only.all("option") if o.get("value") == "finished" and "selected" in o]
    person = await look(workspace, "/journeys", customer=cio_id(bela), id_type="cio_id")
    assert len(person.all("tr")) == 2
    nobody = await look(workspace, "/journeys", customer="nobody@example.com")
    assert "Nobody here is called nobody@example.com" in nobody.text
    block = await look(workspace, "/journeys", block="hello")
    assert "No journey fits these filters" in block.text


async def test_one_journey_shows_every_step_and_leads_on(workspace, here):
    ann = await here.person("7", "ann@example.com")
    journey = await here.journey(ann, data={"note": HOSTILE})
    await here.delivery("D", ann, journey_id=journey.journey_id, subject=HOSTILE)
    await here.step(journey, "hello", delivery_id="D", explanation=HOSTILE, left_at=START + timedelta(seconds=2))
    await here.step(journey, "pause", "waiting", output_type="delay", delay_ends_at=START + timedelta(days=1))
    page = await look(workspace, f"/journeys/{journey.journey_id}")
    base = f"/ui/{workspace.id}"
    assert {f"{base}/people/{cio_id(ann)}", f"{base}/messages/D"} <= set(page.links())
    for words in ("Say hello", "Take a breath", "Waits at", "Fri 2 Jan 2026, 10:00:00", "after 2 s", HOSTILE):
        assert words in page.text
    assert journey.workflow_id in page.text


async def test_the_workflow_is_a_link_where_the_temporal_ui_is_known(workspace, here, server):
    journey = await here.journey(await here.person("7"))
    parts = server.app.state.parts
    server.app.state.parts = replace(parts, workflows_url="http://127.0.0.1:8233/namespaces/sojourn/workflows")
    try:
        page = await look(workspace, f"/journeys/{journey.journey_id}")
    finally:
        server.app.state.parts = parts
    expected = f"http://127.0.0.1:8233/namespaces/sojourn/workflows/{quote(journey.workflow_id, safe='')}"
    assert expected in page.links()


@pytest.mark.parametrize(
    ("reason", "words"),
    [("manual", "Removed by hand"), ("filters", "Stopped matching the filters"), ("odd_one", "Odd one")],
)
async def test_an_ended_journey_says_why(workspace, here, reason, words):
    journey = await here.ended(await here.person("7"), reason, "Because of this.")
    page = await look(workspace, f"/journeys/{journey.journey_id}")
    assert words in page.text
    assert "Because of this." in page.text


async def test_a_stuck_journey_says_what_to_do(workspace, here):
    journey = await here.journey(await here.person("7"), data={}, block="trip", due_at=None, wait={"due_at": None})
    page = await look(workspace, f"/journeys/{journey.journey_id}")
    assert "Stuck" in page.text
    assert f"POST /v1/journeys/{journey.journey_id}/end" in page.text


async def test_a_person_with_everything_hostile(workspace, here):
    ann = await here.person(HOSTILE, f"{HOSTILE}@example.com", **{HOSTILE: HOSTILE, "cart": {"a": [HOSTILE]}})
    await here.member(ann, "paying")
    await here.activity(ann, "event", HOSTILE, {"data": {HOSTILE: HOSTILE}, "event_id": None})
    await here.activity(ann, "event", "long", {"data": {"text": HOSTILE * 9}, "event_id": None})
    await here.activity(ann, "attribute_change", None, {"attributes": {HOSTILE: HOSTILE, "gone": None}})
    await here.activity(ann, "attribute_change", None, {"attributes": {"plan": "pro", "gone": None}})
    await here.activity(ann, "made_up_by_a_later_version", None, {"x": HOSTILE})
    await here.activity(ann, "segment_leave", HOSTILE, {"segment_id": 1, "segment": "x", "reason": HOSTILE})
    journey = await here.ended(ann, "goal", HOSTILE, campaign_id=4711)
    await here.step(journey, "vanished", "failed", explanation=HOSTILE)
    await here.delivery("D", ann, status="failed", metrics={"failed": 1}, failure_message=HOSTILE, subject=HOSTILE)
    page = await look(workspace, f"/people/{cio_id(ann)}")
    assert HOSTILE in page.text
    for words in ("Paying <customers>", "Made up by a later version", "vanished", "a deleted campaign", "removed"):
        assert words in page.text
    listed = await look(workspace, "/journeys")
    assert f"{HOSTILE}@example.com" in listed.text
    assert "Campaign 4711 deleted" in listed.text
    assert HOSTILE in (await look(workspace, f"/journeys/{journey.journey_id}")).text


async def test_the_timeline_is_filtered_and_paged(workspace, here):
    ann = await here.person("7", "ann@example.com")
    for n in range(55):
        await here.activity(
            ann, "event", f"event-{n:02}", {"data": {}, "event_id": None}, at=START - timedelta(hours=n)
        )
    await here.ended(ann, "completed")
    page = await look(workspace, f"/people/{cio_id(ann)}")
    assert "event-00" in page.text
    assert "event-54" not in page.text
    (older,) = [a["href"] for a in page.all("a") if a.get("rel") == "next"]
    rest = check(await workspace.http.get(older, headers={"Cookie": COOKIE}))
    assert "event-54" in rest.text
    only = await look(workspace, f"/people/{cio_id(ann)}", types=["journey"])
    assert "event-00" not in only.text
    assert "Finished Welcome" in only.text
    checked = [box["value"] for box in only.all("input") if "checked" in box]
    assert checked == ["journey"]
    empty = await look(workspace, f"/people/{cio_id(ann)}", types=["segment"])
    assert "Nothing of these kinds has happened" in empty.text


async def test_a_person_is_found_by_name(workspace, here):
    ann = await here.person("7", "ann@example.com")
    for params in (
        {"name": "ANN@example.com"},
        {"name": "7", "id_type": "id"},
        {"name": cio_id(ann), "id_type": "cio_id"},
    ):
        answer = await workspace.http.get(f"/ui/{workspace.id}/people", params=params, headers={"Cookie": COOKIE})
        assert answer.headers["location"] == f"/ui/{workspace.id}/people/{cio_id(ann)}"
    page = await look(workspace, "/people", name=HOSTILE)
    assert f"Nobody here is called {HOSTILE}" in page.text
    assert "Whom are you looking for?" in (await look(workspace, "/people")).text


async def test_the_mailbox_and_one_message(workspace, here):
    ann = await here.person("7", "ann@example.com")
    body = f"<p>Hello</p><script>alert(1)</script>{HOSTILE}"
    rendered = content(HOSTILE, body, HOSTILE)
    await here.captured("D", "ann@example.com", person_id=ann, campaign="welcome", block="hello", rendered=rendered)
    await here.captured("E", "bela@example.com")
    listed = await look(workspace, "/mailbox")
    assert HOSTILE in listed.text
    others = (await look(workspace, "/mailbox", to="BELA@example.com")).links()
    messages = re.compile(rf"/ui/{workspace.id}/mailbox/\d+")
    (first,) = {link for link in listed.links() if messages.fullmatch(link)}.difference(others)
    number = first.rsplit("/", 1)[1]
    page = await look(workspace, f"/mailbox/{number}")
    (frame,) = page.all("iframe")
    assert frame["sandbox"] == ""
    assert frame["src"] == f"{first}/html"
    assert body in html.unescape("".join(page.words)) or body in "".join(page.words)
    assert f"{first}/raw" in page.links()
    assert f"/ui/{workspace.id}/messages/D" in page.links()


async def test_the_html_of_an_email_can_neither_run_nor_load(workspace, here):
    rendered = content("Hi", "<style>p{color:red}</style><p>Hello</p><script>alert(1)</script>")
    await here.captured("D", "ann@example.com", rendered=rendered)
    await here.delivery("D", None, rendered=rendered)
    (message,) = (await workspace.call("GET", "/v1/mailbox")).json()["messages"]
    for path in (f"/mailbox/{message['id']}/html", "/messages/D/html"):
        answer = await workspace.http.get(f"/ui/{workspace.id}{path}", headers={"Cookie": COOKIE})
        assert answer.status_code == 200
        assert answer.text == rendered["html"]
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
        assert policy["sandbox"] == ""
        assert policy["default-src"] == "'none'"
        assert policy["img-src"] == "data:"
        assert policy["form-action"] == "'none'"
        assert policy["frame-ancestors"] == "'self'"
        assert "script-src" not in policy


async def test_the_source_is_plain_text(workspace, here):
    await here.captured("D", "ann@example.com", raw=b"<script>alert(1)</script>")
    (message,) = (await workspace.call("GET", "/v1/mailbox")).json()["messages"]
    answer = await workspace.http.get(f"/ui/{workspace.id}/mailbox/{message['id']}/raw", headers={"Cookie": COOKIE})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_one_delivery_says_what_became_of_it(workspace, here):
    ann = await here.person("7", "ann@example.com")
    row = await here.delivery(
        "D", ann, status="attempted", metrics={"attempted": 1}, campaign_id=here.campaigns["welcome"], block="hello"
    )
    row.held_until = START + timedelta(minutes=10)
    await here.attempt(row, "retry", f"451 {HOSTILE}")
    page = await look(workspace, "/messages/D")
    for words in (
        "Attempted",
        f"451 {HOSTILE}",
        "Thu 1 Jan 2026, 10:10:00",
        "in 10 min",
        "Say hello",
        "ann@example.com",
    ):
        assert words in page.text
    await here.delivery("F", None, keep=False, status="undeliverable", metrics={}, failure_message="Unsubscribed.")
    gone = await look(workspace, "/messages/F")
    assert "Its content is not kept" in gone.text
    assert "Unsubscribed." in gone.text


async def test_empty_pages_say_what_to_do_next(workspace, live):
    assert "No campaigns yet" in (await look(workspace, "/journeys")).text
    assert "POST /v1/clock/advance" in (await look(workspace, "/mailbox")).text
    assert "SMTP sink" in (await look(live, "/mailbox")).text
    await Scene(workspace.db, workspace.id).define(WELCOME)
    assert "POST /v1/campaigns/welcome/start" in (await look(workspace, "/journeys")).text
    assert "No message fits" in (await look(workspace, "/mailbox", to="x")).text


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/journeys/nobody", {}, 404),
        ("/people/ffffffff", {}, 404),
        ("/messages/nothing", {}, 404),
        ("/mailbox/999999999", {}, 404),
        ("/nothing/of/this", {}, 404),
        ("/journeys", {"campaign": "gone"}, 422),
        ("/journeys", {"state": "lost"}, 400),
        ("/journeys", {"start": "x"}, 400),
        ("/journeys", {"customer": "1", "id_type": "phone"}, 400),
        ("/mailbox", {"channel": "<script>"}, 400),
    ],
)
async def test_refusals_are_pages_too(workspace, path, params, status):
    page = await look(workspace, path, status, **params)
    assert str(status) in page.text
    assert "/ui" in page.links()


async def test_a_workspace_that_is_not_there(workspace):
    for number, status in (("999999", 404), ("x", 404), ("99999999999999999999", 404)):
        answer = await workspace.http.get(f"/ui/{number}/journeys", headers={"Cookie": COOKIE})
        assert answer.status_code == status
        check(answer)


async def test_a_failure_of_ours_is_a_page_without_details(workspace, here, monkeypatch):
    async def broken(*_arguments, **_options):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Desk, "journeys", broken)
    page = await look(workspace, "/journeys", 500)
    assert "the log calls it" in page.text
    assert "secret" not in page.text


async def test_the_style_sheet_and_the_icon_need_no_session(workspace):
    sheet = await workspace.http.get("/ui/static/ui.css")
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "url(" not in sheet.text
    assert "@import" not in sheet.text
    assert (await workspace.http.get("/ui/static/icon.svg")).headers["content-type"] == "image/svg+xml"
    for name in ("../pages.py", "%2e%2e%2fpages.py", "nothing.css"):
        assert (await workspace.http.get(f"/ui/static/{name}")).status_code == 404


async def test_pages_do_not_stand_in_the_api_description(workspace):
    paths = (await workspace.http.get("/openapi.json")).json()["paths"]
    assert not [path for path in paths if path.startswith("/ui")]
