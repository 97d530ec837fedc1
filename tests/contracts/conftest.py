"""The served API, for contracts that callers rely on."""

from __future__ import annotations

from tests.api.conftest import live, server, workspace

__all__ = ["live", "server", "workspace"]
