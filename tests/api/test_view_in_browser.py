"""The page of an email: only where the email shows the link to it, only while it is kept, and nothing in it can act."""

from __future__ import annotations

import pytest

from domain.deliveries import delivery_id
from tests.support.looking import Scene, content

HTML = "<p>Hello Ann</p><script>alert(1)</script><form action='/x'><img src='https://x.io/a.png'></form>"


async def an_email(workspace, *, link: bool = True, **values) -> str:
    here = Scene(workspace.db, workspace.id)
    async with workspace.db.connection() as conn:
        key = await conn.fetchval("SELECT delivery_key FROM workspaces WHERE workspace_id = $1", workspace.id)
    name = delivery_id(key, f"journey/J{workspace.id}/1")
    person = await here.person("7", "ann@example.com")
    rendered = content("Hi", HTML) | ({"view_url": f"https://x.io/view/{name}"} if link else {})
    await here.delivery(name, person, rendered=rendered, **values)
    return name


async def test_msg_case_37_the_page_of_an_email_that_links_to_it(workspace):
    name = await an_email(workspace)
    answer = await workspace.http.get(f"/view/{name}")
    assert (answer.status_code, answer.text) == (200, HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    head = await workspace.http.request("HEAD", f"/view/{name}")
    assert (head.status_code, head.text) == (200, "")


async def test_nothing_in_it_runs_and_nobody_finds_it(workspace):
    answer = await workspace.http.get(f"/view/{await an_email(workspace)}")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups")
    for forbidden in ("allow-scripts", "allow-same-origin", "allow-forms", "script-src"):
        assert forbidden not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "values",
    [
        {"link": False},
        {"status": "drafted"},
        {"status": "failed"},
        {"status": "undeliverable"},
        {"forgotten": True},
        {"keep": False},
    ],
)
async def test_msg_case_37_emails_without_a_page(workspace, values):
    answer = await workspace.http.get(f"/view/{await an_email(workspace, **values)}")
    assert answer.status_code == 404
    assert "Hello Ann" not in answer.text


@pytest.mark.parametrize("name", ["unsent", "x", "A" * 300, "%F0%9F%98%80"])
async def test_what_is_no_delivery(workspace, name):
    answer = await workspace.http.get(f"/view/{name}")
    assert answer.status_code == 404
    assert "not available" in answer.text
