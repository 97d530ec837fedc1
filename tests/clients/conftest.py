"""The published clients, unmodified, against the https server of the running stack."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from settings import Settings
from stack.description import StackDescription
from tests.clients.packages import NotInstalledError, node_packages, python_packages
from tests.clients.place import Place


@pytest.fixture(scope="session")
def node_clients() -> Path:
    """The Node clients."""
    return _installed(node_packages)


@pytest.fixture(scope="session")
def python_clients() -> Path:
    """The Pipelines client for Python."""
    return _installed(python_packages)


def _installed(install: Callable[[Path], Path]) -> Path:
    try:
        return install(Settings().cache_dir)
    except NotInstalledError as error:
        pytest.fail(f"The published clients could not be installed. {error}", pytrace=False)


@pytest.fixture(scope="session")
def client_environment(stack: StackDescription) -> dict[str, str]:
    """What makes the clients trust the stack, as its users are told, and nothing that leads around it."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    trust = {
        "REQUESTS_CA_BUNDLE": str(stack.ca_bundle_file),
        "SSL_CERT_FILE": str(stack.ca_bundle_file),
        "NODE_EXTRA_CA_CERTS": str(stack.ca_file),
    }
    return {**kept, **trust, "NO_PROXY": "localhost,127.0.0.1"}


@pytest.fixture
def trusted(
    stack: StackDescription, client_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> StackDescription:
    """The stack, whose certificate a client in this process believes."""
    for name, value in client_environment.items():
        monkeypatch.setenv(name, value)
    return stack


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(stack: StackDescription, http: httpx.AsyncClient) -> Place:
    """A sandbox for all tests of a file: one process calls, every test looks."""
    return await Place.make(stack, http)
