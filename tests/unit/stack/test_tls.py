"""The development CA: stable, and trusted by a client that is told about its bundle."""

from __future__ import annotations

import asyncio
import ssl
import stat
from typing import TYPE_CHECKING

import httpx
import pytest

from stack.tls import ensure_certificates

if TYPE_CHECKING:
    from pathlib import Path


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("trusted", ["bundle_file", "ca_file"])
async def test_a_client_with_the_bundle_trusts_the_server(tmp_path: Path, host: str, trusted: str) -> None:
    made = ensure_certificates(tmp_path)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=made.server_context())
    port = server.sockets[0].getsockname()[1]
    context = ssl.create_default_context(cafile=str(getattr(made, trusted)))
    async with server, httpx.AsyncClient(verify=context, trust_env=False) as client:
        assert (await client.get(f"https://{host}:{port}/")).text == "ok"
    assert context.check_hostname


async def test_a_client_without_it_does_not(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=made.server_context())
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(f"https://localhost:{port}/")


def test_everything_but_the_bundle_stays_the_same(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in ensure_certificates(tmp_path).folder.iterdir()}
    second = {path.name: path.read_bytes() for path in ensure_certificates(tmp_path).folder.iterdir()}
    assert first == second
    assert set(first) == {"ca.pem", "ca-key.pem", "server.pem", "server-key.pem", "bundle.pem"}


def test_private_keys_are_private(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.folder.iterdir()} == {0o600}


def test_a_lost_server_certificate_is_issued_by_the_same_authority(tmp_path: Path) -> None:
    made = ensure_certificates(tmp_path)
    authority = made.ca_file.read_bytes()
    made.cert_file.unlink()
    ensure_certificates(tmp_path)
    assert made.ca_file.read_bytes() == authority
    made.server_context()


def test_what_the_machine_trusts_already_stays_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = tmp_path / "company.pem"
    added.write_bytes(b"company authority\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(added))
    made = ensure_certificates(tmp_path / "data")
    assert b"company authority" in made.bundle_file.read_bytes()
    monkeypatch.setenv("SSL_CERT_FILE", str(made.bundle_file))
    size = len(ensure_certificates(tmp_path / "data").bundle_file.read_bytes())
    assert size < len(b"company authority\n") + made.bundle_file.stat().st_size
    assert made.client_environment()["REQUESTS_CA_BUNDLE"] == str(made.bundle_file)
