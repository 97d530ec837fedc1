"""The unsubscribe link: looking changes nothing, the button and one-click do, and nobody can guess a link."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from domain.deliveries import delivery_id
from tests.support.looking import Scene, content

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def here(workspace) -> Scene:
    return Scene(workspace.db, workspace.id)


async def a_delivery(workspace, here, **attributes) -> tuple[str, int]:
    person = await here.person("7", "ann@example.com", **attributes)
    async with workspace.db.connection() as conn:
        key = await conn.fetchval("SELECT delivery_key FROM workspaces WHERE workspace_id = $1", workspace.id)
    name = delivery_id(key, f"journey/J{workspace.id}/1")
    await here.delivery(name, person, rendered=content("Hi"))
    return name, person


def facts(log) -> list[tuple[str, str, bool]]:
    return [(fact["source"], fact["op"], fact.get("unsubscribe", True)) for fact in log]


async def test_looking_changes_nothing(workspace, here):
    name, _ = await a_delivery(workspace, here)
    for method in ("GET", "HEAD"):
        answer = await workspace.http.request(method, f"/unsubscribe/{name}")
        assert answer.status_code == 200
    answer = await workspace.http.get(f"/unsubscribe/{name}")
    assert "a•••@example.com" in answer.text
    assert "ann@example.com" not in answer.text
    assert "Team" in answer.text
    assert await workspace.log() == []


async def test_the_page_runs_nothing_and_loads_nothing(workspace, here):
    name, _ = await a_delivery(workspace, here)
    answer = await workspace.http.get(f"/unsubscribe/{name}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in answer.text
    assert not re.search(r'(src|href)="', answer.text)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy


async def test_the_button_unsubscribes_and_the_next_one_brings_back(workspace, here):
    name, person = await a_delivery(workspace, here)
    answer = await workspace.http.post(f"/unsubscribe/{name}", data={"action": "unsubscribe"})
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert 'value="resubscribe"' in answer.text
    back = await workspace.http.post(f"/unsubscribe/{name}", data={"action": "resubscribe"})
    assert "Welcome back" in back.text
    log = await workspace.log()
    assert facts(log) == [("unsubscribe", "unsubscribe", True), ("unsubscribe", "unsubscribe", False)]
    assert {(fact["delivery_id"], fact["person_id"]) for fact in log} == {(name, person)}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded; charset=utf-8"),
        (
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
async def test_one_click_works_without_a_page(workspace, here, body, kind):
    name, _ = await a_delivery(workspace, here)
    answer = await workspace.http.post(f"/unsubscribe/{name}", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert facts(await workspace.log()) == [("unsubscribe", "unsubscribe", True)]


async def test_a_page_of_ones_own_calls_with_json(workspace, here):
    name, _ = await a_delivery(workspace, here)
    answer = await workspace.http.post(f"/unsubscribe/{name}", json={"unsubscribe": True})
    assert (answer.status_code, answer.json()) == (200, {})
    assert facts(await workspace.log()) == [("unsubscribe", "unsubscribe", True)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"action=dance", "application/x-www-form-urlencoded"),
        (b"a=b&" * 50, "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"--b\r\n\r\n--b--", "multipart/form-data; boundary=b"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"unsubscribe": false}', "application/json"),
        (b'{"unsubscribe": "true"}', "application/json"),
    ],
)
async def test_anything_else_is_refused_and_changes_nothing(workspace, here, body, kind):
    name, _ = await a_delivery(workspace, here)
    answer = await workspace.http.post(f"/unsubscribe/{name}", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert await workspace.log() == []


async def test_a_body_without_end_is_refused(workspace, here):
    name, _ = await a_delivery(workspace, here)
    answer = await workspace.http.post(f"/unsubscribe/{name}", content=b"a=" + b"x" * 100_000, headers=FORM)
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["x", "a" * 24, "unsent", "<script>", "..%2Fv1", "A" * 300])
async def test_a_forged_link_leads_nowhere(workspace, name):
    answer = await workspace.http.get(f"/unsubscribe/{name}")
    assert answer.status_code == 404
    assert "This link leads nowhere" in answer.text
    assert "<script" not in answer.text
    button = await workspace.http.post(f"/unsubscribe/{name}", data={"action": "unsubscribe"})
    assert button.status_code == 404
    assert await workspace.log() == []


async def test_a_forgotten_delivery_fails_no_mail_program(workspace):
    answer = await workspace.http.post(f"/unsubscribe/{'a' * 24}", content=b"List-Unsubscribe=One-Click", headers=FORM)
    assert answer.status_code == 200
    known = await workspace.http.post(f"/unsubscribe/{'a' * 24}", json={"unsubscribe": True})
    assert (known.status_code, known.json()) == (200, {})
    malformed = await workspace.http.post("/unsubscribe/short", json={"unsubscribe": True})
    assert malformed.status_code == 400


async def test_a_person_who_is_gone_is_left_in_peace(workspace, here):
    name, person = await a_delivery(workspace, here)
    async with workspace.db.transaction() as conn:
        await conn.execute("DELETE FROM people WHERE person_id = $1", person)
    for answer in (
        await workspace.http.get(f"/unsubscribe/{name}"),
        await workspace.http.post(f"/unsubscribe/{name}", data={"action": "unsubscribe"}),
    ):
        assert answer.status_code == 200
        assert "You are not subscribed" in answer.text
    assert await workspace.log() == []


async def test_somebody_who_left_before_is_offered_the_way_back(workspace, here):
    name, _ = await a_delivery(workspace, here, unsubscribed=True)
    answer = await workspace.http.get(f"/unsubscribe/{name}")
    assert "You are unsubscribed" in answer.text
    assert 'value="resubscribe"' in answer.text


async def test_what_a_message_says_of_its_sender_is_only_text(workspace, here):
    person = await here.person("7", "ann@example.com")
    rendered = content("Hi")
    rendered["fields"]["from"] = '"<script>alert(1)</script>" <x@example.com>'
    name = base64.urlsafe_b64encode(json.dumps([workspace.id, "!" * 20]).encode()[:18]).decode()
    await here.delivery(name, person, rendered=rendered, recipient='"><script>@example.com')
    answer = await workspace.http.get(f"/unsubscribe/{name}")
    assert answer.status_code == 200
    assert "<script" not in answer.text
