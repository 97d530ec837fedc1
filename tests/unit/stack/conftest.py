"""Folders and a made-up product for the tests of the local stack."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from stack.services import temporary_data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = """
    import http.server, os, sys

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = os.environ.get("SOJOURN_FAULT", "").encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    def serve(variable):
        print("serving", sys.argv, flush=True)
        http.server.HTTPServer(("127.0.0.1", int(os.environ[variable])), Answer).serve_forever()
"""
BOOTSTRAP = """
    import json, sys
    given = json.load(sys.stdin)
    assert set(given["live"]) == {"site_id", "api_key", "app_key", "write_key", "delivery_key"}, given
    assert given["admin_token"].startswith("sa_live_") and given["smtp"]["port"] > 0
    print(json.dumps({"workspaces": [{"id": 1, "name": "Sandbox", "sandbox": True},
                                     {"id": 2, "name": "Live", "sandbox": False}]}))
"""
MIGRATIONS = """
    import os, sys
    assert sys.argv[1:] == ["upgrade", "head"] and os.environ["SOJOURN_DATABASE_URL"].startswith("postgresql://")
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with temporary_data_dir() as folder:
        yield folder


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A checkout whose programs only answer their health checks."""
    files = {
        "answering.py": SERVER,
        "api/__init__.py": "",
        "api/app.py": "import answering; answering.serve('SOJOURN_API_PORT')",
        "worker.py": "import answering; answering.serve('SOJOURN_WORKER_PORT')",
        "services/__init__.py": "",
        "services/bootstrap.py": BOOTSTRAP,
        "alembic.py": MIGRATIONS,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    return tmp_path
