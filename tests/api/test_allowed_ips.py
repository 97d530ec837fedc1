"""The IP allow list: kept, and kept to (API-02)."""

from __future__ import annotations

import httpx
import pytest
import pytest_asyncio

from api.management.allowed_ips import AllowedIps
from services import allowed_ips
from tests.api.conftest import Keys, free_port, make_workspace, served

HERE = ["127.0.0.0/8", "::1"]


def path(workspace: Keys) -> str:
    return f"/v1/workspaces/{workspace.id}/allowed_ips"


async def allow(workspace: Keys, *listed: str) -> httpx.Response:
    return await workspace.http.put(path(workspace), json={"allowed_ips": list(listed)}, headers=workspace.admin)


@pytest_asyncio.fixture(loop_scope="session")
async def proxied(server):
    """The same database behind a proxy on this machine."""
    settings = server.services.settings.with_changes(api_port=free_port(), trusted_proxies="127.0.0.1, 10.1.0.0/16")
    async with served(settings), httpx.AsyncClient(base_url=settings.api_url, timeout=30) as http:
        yield http


async def test_a_list_is_kept_and_replaced(workspace):
    empty = await workspace.http.get(path(workspace), headers=workspace.admin)
    assert (empty.status_code, empty.json()) == (200, {"allowed_ips": []})
    stored = await allow(workspace, "203.0.113.7", " 10.0.0.0/8", "2001:db8::/32", "203.0.113.7")
    AllowedIps.model_validate(stored.json())
    assert stored.json() == {"allowed_ips": ["203.0.113.7", "10.0.0.0/8", "2001:db8::/32"]}
    assert (await workspace.http.get(path(workspace), headers=workspace.admin)).json() == stored.json()
    assert (await allow(workspace)).json() == {"allowed_ips": []}


async def test_every_address_that_is_none_is_pointed_at(workspace):
    answer = await allow(workspace, "10.0.0.0/8", "example.com", "10.0.0.5/8", "1.2.3.4/33", "x" * 999)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [(f"/allowed_ips/{n}", "format") for n in (1, 2, 3, 4)]
    assert "10.0.0.0/8" in errors[1]["message"]
    wrong = await workspace.http.put(path(workspace), json={"allowed_ips": [7]}, headers=workspace.admin)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/allowed_ips/0")
    many = await allow(workspace, *["10.0.0.1"] * 1001)
    assert (many.status_code, many.json()["errors"][0]["pointer"]) == (422, "/allowed_ips")


async def test_who_may_see_and_change_it(workspace):
    for method in ("GET", "PUT"):
        answer = await workspace.call(method, path(workspace), {"allowed_ips": []})
        assert answer.status_code == 403
    gone = await workspace.http.get("/v1/workspaces/2147483647/allowed_ips", headers=workspace.admin)
    assert gone.status_code == 404
    gone = await workspace.http.put(
        "/v1/workspaces/2147483647/allowed_ips", json={"allowed_ips": []}, headers=workspace.admin
    )
    assert gone.status_code == 404


async def test_calls_from_elsewhere_are_refused_at_once_in_every_dialect(server, workspace):
    other = await make_workspace(server, sandbox=True)
    assert (await workspace.put("7", {})).status_code == 200
    await allow(workspace, "203.0.113.0/24")
    first = await workspace.put("7", {})
    assert (first.status_code, first.json()["meta"]["error"]) == (403, allowed_ips.REFUSED)
    second = await workspace.track("POST", "/api/v2/entity", {})
    assert (second.status_code, second.json()["meta"]["error"]) == (403, allowed_ips.REFUSED)
    app = await workspace.call("GET", "/v1/clock")
    assert (app.status_code, app.json()["errors"][0]["code"]) == (403, "forbidden_address")
    assert len(await workspace.log()) == 1
    # Neither other workspaces nor those who keep the list are bound by it.
    assert (await other.put("7", {})).status_code == 200
    admin = {**workspace.admin, "X-Workspace-Id": str(workspace.id)}
    assert (await workspace.http.get("/v1/clock", headers=admin)).status_code == 200
    await allow(workspace, *HERE)
    assert (await workspace.put("7", {})).status_code == 200
    assert (await workspace.call("GET", "/v1/clock")).status_code == 200


async def test_nobody_says_of_themselves_where_they_call_from(workspace):
    await allow(workspace, "203.0.113.7")
    claimed = await workspace.call("GET", "/v1/clock", headers={"X-Forwarded-For": "203.0.113.7"})
    assert claimed.status_code == 403


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("203.0.113.7", 200),
        ("198.51.100.1, 203.0.113.7", 200),
        ("203.0.113.7, 10.1.2.3", 200),
        ("203.0.113.7:4711", 200),
        ("::ffff:203.0.113.7", 200),
        ("203.0.113.7, 198.51.100.1", 403),
        ("203.0.113.7, nonsense", 403),
        ("198.51.100.1", 403),
        (None, 403),
    ],
)
async def test_behind_a_proxy_the_last_address_that_is_not_a_proxy_counts(workspace, proxied, forwarded, status):
    await allow(workspace, "203.0.113.7")
    headers = workspace.app | ({} if forwarded is None else {"X-Forwarded-For": forwarded})
    assert (await proxied.get("/v1/clock", headers=headers)).status_code == status
