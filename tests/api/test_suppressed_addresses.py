"""The suppression list over HTTP (APP-19, SUB-16)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from clock import system_now
from store import suppressed_addresses
from store.suppressed_addresses import SuppressedRow
from tests.api.conftest import Keys, Server, make_workspace

ADDRESS = "ann+x@example.com"
PATH = quote(ADDRESS, safe="")


async def listed(workspace: Keys, path: str, status: int = 200) -> Any:
    answer = await workspace.call("GET", f"/v1/esp/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


async def bounced(workspace: Keys, email: str, domain: str, minutes: int, category: str = "bounces") -> None:
    at = system_now() - timedelta(minutes=minutes)
    row = SuppressedRow(email, category, domain, "550 5.1.1 No such user", "5.1.1", at)
    async with workspace.db.transaction() as conn:
        await suppressed_addresses.add(conn, workspace.id, [row])


async def test_app_an_address_is_added_found_and_removed(workspace: Keys) -> None:
    answer = await workspace.call("POST", f"/v1/esp/suppression/blocks/{PATH}")
    assert (answer.status_code, answer.json()) == (200, {})
    await bounced(workspace, ADDRESS.upper(), "shop.example", 5)
    found = await listed(workspace, f"search_suppression/{PATH}")
    assert found["category"] == "blocks"
    assert [(one["category"], one["email"], one["domain"], one["status"]) for one in found["suppressions"]] == [
        ("blocks", ADDRESS, "", ""),
        ("bounces", ADDRESS.upper(), "shop.example", "5.1.1"),
    ]
    assert all(isinstance(one["created"], int) for one in found["suppressions"])
    # It comes off a list for every domain.
    await bounced(workspace, ADDRESS, "news.example", 4)
    answer = await workspace.call("DELETE", f"/v1/esp/suppression/bounces/{PATH}")
    assert (answer.status_code, answer.content) == (204, b"")
    found = await listed(workspace, f"search_suppression/{PATH}")
    assert [one["category"] for one in found["suppressions"]] == ["blocks"]
    assert (await workspace.call("DELETE", f"/v1/esp/suppression/bounces/{PATH}")).status_code == 404
    assert (await workspace.call("DELETE", f"/v1/esp/suppression/blocks/{PATH}")).status_code == 204
    await listed(workspace, f"search_suppression/{PATH}", 404)


async def test_app_lists_by_category_and_domain(workspace: Keys) -> None:
    domain = {"kind": "domain", "key": "main", "domain": "shop.example", "use": "sending"}
    assert (await workspace.call("PUT", "/v1/definitions", {"definitions": [domain]})).status_code == 200
    for number in range(5):
        await bounced(workspace, f"p{number}@example.com", ("shop.example", "news.example")[number % 2], number)
    await bounced(workspace, "spam@example.com", "shop.example", 1, "spam_reports")
    page = await listed(workspace, "suppression/bounces?limit=2&offset=1")
    assert page["category"] == "bounces"
    assert [one["email"] for one in page["suppressions"]] == ["p1@example.com", "p2@example.com"]
    page = await listed(workspace, "suppression/bounces?domain=Shop.example")
    assert [one["email"] for one in page["suppressions"]] == ["p0@example.com", "p2@example.com", "p4@example.com"]
    page = await listed(workspace, "domains/shop.example/suppression/bounces?limit=2")
    assert ([one["email"] for one in page["suppressions"]], page["next"]) == (["p0@example.com", "p2@example.com"], "2")
    page = await listed(workspace, f"domains/shop.example/suppression/bounces?limit=2&start={page['next']}")
    assert ([one["email"] for one in page["suppressions"]], page["next"]) == (["p4@example.com"], "")
    page = await listed(workspace, "domains/shop.example/suppression/bounces?email=P2@example.com")
    assert [one["email"] for one in page["suppressions"]] == ["p2@example.com"]
    assert (await listed(workspace, "domains/shop.example/suppression/blocks"))["suppressions"] == []
    await listed(workspace, "domains/nobody.example/suppression/bounces", 404)


async def test_app_what_is_no_list_and_no_address(workspace: Keys) -> None:
    for method, path in (
        ("GET", "suppression/nothing"),
        ("GET", "domains/shop.example/suppression/nothing"),
        ("GET", "domains/shop.example/suppression/bounces?start=x"),
        ("POST", "suppression/nothing/a@example.com"),
        ("POST", "suppression/bounces/nobody"),
        ("DELETE", "suppression/nothing/a@example.com"),
    ):
        answer = await workspace.call(method, f"/v1/esp/{path}")
        assert answer.status_code == 400, path
        assert answer.json()["meta"]["error"]
    assert (await listed(workspace, "suppression/bounces?limit=5000"))["suppressions"] == []


async def test_app_an_address_is_found_however_its_domain_is_written(workspace: Keys) -> None:
    written = quote("ann@bücher.example", safe="")
    assert (await workspace.call("POST", f"/v1/esp/suppression/bounces/{written}")).status_code == 200
    for path in (written, "Ann@xn--bcher-kva.example"):
        found = await listed(workspace, f"search_suppression/{path}")
        assert [one["email"] for one in found["suppressions"]] == ["ann@xn--bcher-kva.example"]
    assert (await workspace.call("DELETE", f"/v1/esp/suppression/bounces/{written}")).status_code == 204


async def test_app_no_workspace_sees_or_changes_the_list_of_another(live: Keys, server: Server) -> None:
    other = await make_workspace(server, sandbox=False)
    await bounced(live, ADDRESS, "shop.example", 1)
    await listed(other, f"search_suppression/{PATH}", 404)
    assert (await listed(other, "suppression/bounces"))["suppressions"] == []
    await listed(other, "domains/shop.example/suppression/bounces", 404)
    assert (await other.call("DELETE", f"/v1/esp/suppression/bounces/{PATH}")).status_code == 404
    assert [one["email"] for one in (await listed(live, "suppression/bounces"))["suppressions"]] == [ADDRESS]
