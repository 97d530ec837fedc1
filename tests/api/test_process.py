"""`python -m api.app`: both listeners in one process, the official client over https, an orderly end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
import time

import httpx
import pytest
from customerio import CustomerIO, CustomerIOException

from settings import CHECKOUT
from stack.commands import product_environment
from stack.services import temporary_data_dir
from stack.tls import ensure_certificates
from tests.api.conftest import Keys, Server, free_port


async def test_the_process(server: Server, workspace: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    with temporary_data_dir() as folder:
        certificates = ensure_certificates(folder)
        settings = server.services.settings.with_changes(
            api_port=free_port(),
            api_tls_port=free_port(),
            tls_cert_file=certificates.cert_file,
            tls_key_file=certificates.key_file,
        )
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "api.app"],
            cwd=CHECKOUT,
            env=product_environment(settings, certificates.client_environment(), CHECKOUT),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await _answers(settings.api_url)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.bundle_file))
            await asyncio.to_thread(_use_the_client, workspace, settings.api_tls_port)
            assert [row["op"] for row in await workspace.log()] == ["identify", "event", "event", "identify", "event"]
            context = ssl.create_default_context(cafile=str(certificates.ca_file))
            async with httpx.AsyncClient(verify=context) as http:
                url = f"https://127.0.0.1:{settings.api_tls_port}/v1/health/live"
                assert (await http.get(url)).status_code == 200
            process.send_signal(signal.SIGTERM)
            _, complaint = await asyncio.wait_for(process.communicate(), 15)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0
        lines = [json.loads(line) for line in complaint.decode().splitlines()]
        assert lines[-1]["message"] == "Ended in order."
        assert any(line.get("request") and line.get("status") == 401 for line in lines)


def _use_the_client(workspace: Keys, port: int) -> None:
    with CustomerIO(workspace.site_id, workspace.api_key, host="127.0.0.1", port=port, retries=0) as client:
        client.identify(id="a/b+c@x.com", plan="pro")
        client.track("7", "bought", {"price": 2})
        client.pageview("7", "/home", referrer="x")
        client.batch(
            [
                {"type": "person", "action": "identify", "identifiers": {"id": "8"}, "attributes": {"a": 1}},
                {"type": "person", "action": "event", "identifiers": {"id": "8"}, "name": "e"},
            ]
        )
    stranger = CustomerIO(workspace.site_id, "wrong", host="127.0.0.1", port=port, retries=0)
    with stranger, pytest.raises(CustomerIOException, match="Unauthorized request"):
        stranger.identify(id="7")


async def _answers(url: str) -> None:
    deadline = time.monotonic() + 60
    async with httpx.AsyncClient() as http:
        while time.monotonic() < deadline:
            try:
                if (await http.get(f"{url}/v1/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError(f"No answer at {url} in process {os.getpid()}.")
