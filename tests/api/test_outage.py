"""The database away and back: refusals in JSON, nothing accepted that is not stored, no restart of the API."""

from __future__ import annotations

import httpx

from settings import CHECKOUT
from stack.commands import product_environment, run_tool
from stack.services import postgres_alone
from store.database import Database
from tests.api.conftest import ADMIN, Keys, Server, free_port, make_workspace, served


async def test_the_api_outlives_the_database() -> None:
    async with postgres_alone() as services:
        await run_tool(["alembic", "upgrade", "head"], product_environment(services.settings, {}, CHECKOUT), CHECKOUT)
        postgres = services.postgres
        assert postgres is not None
        settings = services.settings.with_changes(api_port=free_port(), admin_token=ADMIN)
        await postgres.stop()
        # It starts although there is nothing to connect to.
        async with served(settings) as app, httpx.AsyncClient(base_url=settings.api_url, timeout=30) as http:
            assert (await http.get("/v1/health/live")).json() == {"status": "live"}
            await _refuses(http)
            await postgres.start()
            db: Database = app.state.parts.db
            server = Server(settings.api_url, settings.api_port, http, db, app, services)
            keys = await make_workspace(server, sandbox=False)
            await _accepts(keys)
            await postgres.kill()
            await postgres.wait_ready()
            await _accepts(keys)
            assert [row["subject"]["value"] for row in await keys.log()] == ["1", "1"]


async def _refuses(http: httpx.AsyncClient) -> None:
    ready = await http.get("/v1/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "not_ready")
    v1 = await http.put("/api/v1/customers/7", auth=("a", "b"), content=b"{}")
    assert (v1.status_code, v1.headers["retry-after"]) == (503, "1")
    assert v1.json()["meta"]["error"]
    v2 = await http.post("/api/v2/batch", auth=("a", "b"), content=b"{}")
    assert (v2.status_code, bool(v2.json()["errors"][0]["message"])) == (503, True)
    ours = await http.get("/v1/clock", headers={"Authorization": "Bearer x"})
    assert (ours.status_code, ours.json()["errors"][0]["code"]) == (503, "unavailable")
    figures = await http.get("/metrics")
    assert figures.status_code == 200


async def _accepts(keys: Keys) -> None:
    """A first call may still meet a connection that broke; a client library repeats a 503."""
    answers = [(await keys.put("1", {})).status_code]
    while answers[-1] == 503 and len(answers) < 50:
        answers.append((await keys.put("1", {})).status_code)
    assert answers[-1] == 200
    assert set(answers) <= {200, 503}
    ready = (await keys.http.get("/v1/health/ready")).json()
    assert ready["status"] == "degraded"
    assert ready["checks"]["database"]["ok"]
    assert ready["checks"]["migrations"]["ok"]
    assert not ready["checks"]["temporal"]["ok"]
    assert not ready["checks"]["workers"]["ok"]
