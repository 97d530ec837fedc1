"""Which server and workspace a command talks to, and how failures are told."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console.failure import Failure
from console.target import open_account, open_workspace, workspace_keys
from settings import CHECKOUT
from stack.description import Pids, SmtpPlace, StackDescription, WorkspaceKeys


def keys(number: int, name: str, *, sandbox: bool) -> WorkspaceKeys:
    return WorkspaceKeys(
        id=number,
        name=name,
        sandbox=sandbox,
        site_id=f"site-{number}",
        api_key=f"api-{number}",
        app_key=f"app-{number}",
        write_key=f"write-{number}",
    )


@pytest.fixture
def described(tmp_path: Path) -> StackDescription:
    """A stack that says it runs, on a port where nobody listens."""
    found = StackDescription(
        api_url="http://127.0.0.1:9",
        api_tls_url="https://127.0.0.1:10",
        ca_file=tmp_path / "ca.pem",
        ca_bundle_file=tmp_path / "bundle with spaces.pem",
        temporal_address="127.0.0.1:11",
        temporal_ui_url=None,
        database_url="",
        mailbox_url="",
        smtp=SmtpPlace(host="127.0.0.1", port=12),
        admin_token="sa_live_token",
        pids=Pids(supervisor=os.getpid()),
        workspaces=[keys(1, "Sandbox", sandbox=True), keys(2, "Live", sandbox=False)],
    )
    found.write(tmp_path)
    return found


def sojourn(data_dir: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    environment |= {"SOJOURN_DATA_DIR": str(data_dir), "COLUMNS": "200", **variables}
    program = [sys.executable, str(CHECKOUT / "cli.py"), *arguments]
    return subprocess.run(
        program, env=environment, cwd=data_dir, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(None, 1), ("sandbox", 1), ("Sandbox", 1), ("1", 1), ("live", 2), ("LIVE", 2), ("2", 2), ("other", None)],
)
def test_workspaces_have_several_names(described: StackDescription, wanted: str | None, found: int | None) -> None:
    chosen = workspace_keys(described, wanted)
    assert (chosen.id if chosen else None) == found


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No server runs here") as caught:
        open_workspace(None, None, None, tmp_path)
    assert "make up" in caught.value.hint
    with pytest.raises(Failure, match="no key"):
        open_workspace("http://127.0.0.1:9", None, None, tmp_path)
    with pytest.raises(Failure, match="sees every workspace"):
        open_workspace("http://127.0.0.1:9", "sa_live_x", None, tmp_path)
    with pytest.raises(Failure, match="belongs to one workspace"):
        open_workspace("http://127.0.0.1:9", "app", "live", tmp_path)
    with pytest.raises(Failure, match="Both are needed"):
        open_account("http://127.0.0.1:9", None, tmp_path)


def test_a_server_that_is_away_is_a_sentence(tmp_path: Path, described: StackDescription) -> None:
    done = sojourn(tmp_path, "clock", "show")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "make up" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_setting_that_cannot_be_right_is_named(tmp_path: Path) -> None:
    done = sojourn(tmp_path, "clock", "show", SOJOURN_API_PORT="none")
    assert done.returncode == 1
    assert "SOJOURN_API_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_tokens_and_variables_of_a_stack(tmp_path: Path, described: StackDescription) -> None:
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600
    assert sojourn(tmp_path, "token").stdout == "app-1\n"
    assert sojourn(tmp_path, "token", "-w", "live").stdout == "app-2\n"
    assert sojourn(tmp_path, "token", "--admin").stdout == "sa_live_token\n"
    assert sojourn(tmp_path, "token", "-w", "other").returncode == 1
    script = 'eval "$("$0" "$1" env -w live)" && echo "$SITE_ID|$API_KEY|$APP_KEY|$REQUESTS_CA_BUNDLE|$TRACK_PORT"'
    environment = {**os.environ, "SOJOURN_DATA_DIR": str(tmp_path)}
    program = ["sh", "-c", script, sys.executable, str(CHECKOUT / "cli.py")]
    printed = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
    assert printed == f"site-2|api-2|app-2|{described.ca_bundle_file}|10\n"


def test_help_needs_no_server(tmp_path: Path) -> None:
    for arguments in (["--help"], ["clock", "--help"], ["apply", "--help"], ["journeys", "repair", "--help"]):
        done = sojourn(tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        assert "Usage" in done.stdout


def test_a_folder_is_asked_for_politely(tmp_path: Path, described: StackDescription) -> None:
    done = sojourn(tmp_path, "apply", "nowhere")
    assert done.returncode == 1
    assert "There is no nowhere" in done.stderr


def test_a_restart_says_whom_it_means_and_is_agreed_to(tmp_path: Path, described: StackDescription) -> None:
    done = sojourn(tmp_path, "journeys", "restart")
    assert done.returncode == 1
    assert "--all-wedged" in done.stderr + done.stdout
    done = sojourn(tmp_path, "journeys", "restart", "01J")
    assert done.returncode == 1
    assert "--yes" in done.stderr + done.stdout
    done = sojourn(tmp_path, "journeys", "wedged")
    assert done.returncode == 1
    assert "database cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
