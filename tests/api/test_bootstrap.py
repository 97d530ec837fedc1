"""The workspaces a stack is born with."""

from __future__ import annotations

import json

from clock import system_now
from services import definitions
from services.bootstrap import Given, bootstrap
from settings import CHECKOUT
from stack.commands import product_environment, run_tool
from stack.secret import WORKSPACES, admin_token, credentials
from tests.api.conftest import Server

SECRET = b"s" * 32


def given(port: int) -> bytes:
    keys = {name: credentials(SECRET, name).model_dump() for name in WORKSPACES}
    smtp = {"host": "127.0.0.1", "port": port}
    return json.dumps({"admin_token": admin_token(SECRET), "smtp": smtp, **keys}).encode()


async def test_a_stack_is_born_and_born_again(server: Server) -> None:
    environment = product_environment(server.services.settings, {}, CHECKOUT)
    printed = [
        json.loads(await run_tool(["services.bootstrap"], environment, CHECKOUT, given=given(port)))
        for port in (2525, 2525, 2626)
    ]
    assert printed[0] == printed[1] == printed[2]
    sandbox, live = printed[0]["workspaces"]
    assert (sandbox["name"], sandbox["sandbox"], live["name"], live["sandbox"]) == ("Sandbox", True, "Live", False)

    keys = credentials(SECRET, "live")
    app = {"Authorization": f"Bearer {keys.app_key}"}
    pair = (keys.site_id, keys.api_key)
    assert (await server.http.put("/api/v1/customers/7", auth=pair, content=b"{}")).status_code == 200
    provider = (await server.http.get("/v1/definitions/provider/sink", headers=app)).json()
    assert provider["definition"]["config"] == {
        "preset": "other",
        "host": "127.0.0.1",
        "port": 2626,
        "require_tls": True,
        "tls": "auto",
    }
    assert provider["status"]["revision"] == 2
    senders = (await server.http.get("/v1/definitions/sender", headers=app)).json()["definitions"]
    assert [record["definition"]["default"] for record in senders] == [True]
    admin = {"Authorization": f"Bearer {admin_token(SECRET)}", "X-Workspace-Id": str(sandbox["id"])}
    clock = (await server.http.get("/v1/clock", headers=admin)).json()
    assert clock["sandbox"] is True
    async with server.db.connection() as conn:
        delivery_key = await conn.fetchval("SELECT delivery_key FROM workspaces WHERE workspace_id = $1", live["id"])
    assert delivery_key.hex() == keys.delivery_key


async def test_a_provider_of_somebody_elses_stays(server: Server) -> None:
    raw = json.loads(given(2525))
    for name in WORKSPACES:
        raw[name] = credentials(b"t" * 32, name).model_dump()
    made = Given.model_validate(raw)
    _, live = await bootstrap(server.db, made, system_now())
    own = {"kind": "provider", "key": "own", "name": "Own", "channel": "email", "provider": "capture"}
    await definitions.delete(server.db, live["id"], "provider", "sink", now=system_now())
    await definitions.put_one(server.db, live["id"], "provider", "own", own, now=system_now())
    await bootstrap(server.db, made, system_now())
    page = await definitions.list_page(server.db, live["id"], "provider")
    assert [record["definition"]["key"] for record in page["definitions"]] == ["own"]
