"""Files in and out on the command line: where they cannot be read or saved."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from rich.console import Console

from console.api import Api
from console.failure import Failure
from console.files import Upload, export_file, import_file
from console.session import Session

DONE = {"state": "succeeded", "type": "import", "progress": {"done": 1, "total": 1}, "error": None}
IMPORT = {"id": 1, "task_id": "task_1", "state": "imported", "rows_failed": 1, "rows_warned": 0}


@pytest.fixture
def asked() -> list[str]:
    """What the server was asked for."""
    return []


@pytest.fixture
def session(asked: list[str]) -> Session:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        match request.url.path:
            case "/v1/tasks/task_1":
                return httpx.Response(200, json=DONE)
            case "/v1/exports/devices":
                return httpx.Response(200, json={"export": {"id": 1, "task_id": "task_1"}})
            case path if path.startswith("/v1/imports"):
                return httpx.Response(200, json={"import": IMPORT})
            case _:
                return httpx.Response(404)

    api = Api("http://127.0.0.1:9", "key", transport=httpx.MockTransport(answer))
    return Session(api, Console(quiet=True), as_json=False)


@pytest.mark.parametrize("place", ["folder", "folder/missing/file.csv", "file.csv/below.csv"])
def test_where_nothing_can_be_saved_nothing_is_begun(session: Session, asked: list[str], tmp_path: Path, place: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.csv").write_text("id\n1\n")
    target = tmp_path / place
    with pytest.raises(Failure, match="cannot be written"):
        export_file(session, "devices", {}, target)
    with pytest.raises(Failure, match="cannot be written"):
        import_file(session, Upload(tmp_path / "file.csv", {}, target))
    assert asked == []
