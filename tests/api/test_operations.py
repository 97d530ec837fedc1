"""Health, figures, request ids and the pages that describe the API."""

from __future__ import annotations

import re

import pytest

import migrations
from clock import system_now
from services.health import ROLES
from store import workers
from tests.api.conftest import Keys, Server


async def test_ready_and_live(server: Server) -> None:
    assert (await server.http.get("/v1/health/live")).json() == {"status": "live"}
    now = system_now()
    async with server.db.connection() as conn:
        await workers.beat(conn, "w1", sorted(ROLES), now, now)
    ready = await server.http.get("/v1/health/ready/")
    assert ready.status_code == 200
    checks = ready.json()["checks"]
    assert set(checks) == {"database", "migrations", "temporal", "workers"}
    assert checks["workers"] == {"ok": True, "detail": "1 workers"}
    assert ready.json()["status"] == "degraded"
    async with server.db.connection() as conn:
        await workers.forget(conn, "w1", now)


@pytest.mark.parametrize(
    ("revision", "status", "detail"),
    [
        ("2999_01_01_later", 200, "The schema is at 2999_01_01_later, newer than this version, which needs {head}."),
        (
            "2026_11_24_foundation",
            503,
            "The schema is at 2026_11_24_foundation, this version needs {head}: run `sojourn setup`.",
        ),
    ],
)
async def test_a_newer_schema_serves_and_an_older_one_does_not(
    server: Server, revision: str, status: int, detail: str
) -> None:
    head = migrations.head()
    async with server.db.connection() as conn:
        await conn.execute("UPDATE alembic_version SET version_num = $1", revision)
        try:
            ready = await server.http.get("/v1/health/ready")
        finally:
            await conn.execute("UPDATE alembic_version SET version_num = $1", head)
    assert (ready.status_code, ready.json()["status"]) == (status, "degraded" if status == 200 else "not_ready")
    assert ready.json()["checks"]["migrations"] == {"ok": status == 200, "detail": detail.format(head=head)}


async def test_figures(workspace: Keys, server: Server) -> None:
    await workspace.put("7", {})
    text = (await server.http.get("/metrics")).text
    accepted = re.search(r'^sojourn_facts_accepted_total\{op="identify"\} (\S+)$', text, re.MULTILINE)
    assert accepted is not None
    assert float(accepted.group(1)) >= 1
    assert re.search(r'^sojourn_database_connections\{state="idle"\} [1-9]', text, re.MULTILINE)
    assert re.search(r'sojourn_http_requests_total\{dialect="track-v1",method="PUT",status="200"\} \d', text)


async def test_every_answer_has_an_id(server: Server) -> None:
    given = await server.http.get("/v1/health/live", headers={"X-Request-Id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    own = await server.http.get("/v1/nothing", headers={"X-Request-Id": "bad id"})
    assert re.fullmatch(r"[0-9a-f]{8}-\d+", own.headers["x-request-id"])


async def test_the_page_that_describes_the_api(server: Server) -> None:
    page = await server.http.get("/docs")
    assert page.status_code == 200
    # Nothing is loaded from elsewhere.
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    for link in links:
        assert link.startswith("/docs/assets/")
        assert (await server.http.get(link)).status_code == 200
    assert "://" not in re.sub(r"<!--.*?-->", "", page.text)
    described = (await server.http.get("/openapi.json")).json()
    assert described["info"]["title"] == "Sojourn"
