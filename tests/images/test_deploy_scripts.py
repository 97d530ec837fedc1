"""The scripts of `deploy/`: secrets that nobody can guess, and roles that see no more than their databases."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest

from settings import CHECKOUT, is_plain
from stack.postgres import installed_binaries
from stack.services import postgres_alone
from tests.support.composing import made_secrets

DEPLOY = CHECKOUT / "deploy"


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = made_secrets(tmp_path / "secrets")
    first = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert set(first) == {
        "postgres_password",
        "database_password",
        "temporal_password",
        "deployment_key",
        "admin_token",
    }
    assert len(set(first.values())) == len(first)
    assert not [name for name, text in first.items() if is_plain(text.strip())]
    assert first["admin_token"].startswith("sa_live_")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in first} == {0o444}
    (folder / "admin_token").unlink()
    made_secrets(folder)
    second = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert second.pop("admin_token") != first.pop("admin_token")
    assert second == first


def run_roles(url: str, secrets: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as the postgres image does."""
    place = urlsplit(url)
    environment = {
        "PATH": f"{installed_binaries()}{os.pathsep}{os.environ['PATH']}",
        "PGHOST": place.hostname or "",
        "PGPORT": str(place.port),
        "PGPASSWORD": unquote(place.password or ""),
        "POSTGRES_USER": place.username or "",
        "SECRETS_FOLDER": str(secrets),
    }
    script = ["sh", str(DEPLOY / "postgres-roles.sh")]
    return subprocess.run(script, check=False, env=environment, capture_output=True, text=True)


async def _with_another_superuser(url: str) -> str:
    """The server as the postgres image has it before the script runs: `postgres` rules, and nobody is called `sojourn`."""
    place = urlsplit(url)
    first = await asyncpg.connect(url.rpartition("/")[0] + "/postgres")
    await first.execute("CREATE ROLE postgres SUPERUSER LOGIN PASSWORD 'pg'")
    await first.close()
    other = f"postgresql://postgres:pg@{place.hostname}:{place.port}/postgres"
    admin = await asyncpg.connect(other)
    await admin.execute("DROP DATABASE sojourn")
    await admin.execute("ALTER ROLE sojourn RENAME TO first")
    await admin.close()
    return other


async def test_roles_own_their_databases_and_see_no_other(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path / "secrets")
    async with postgres_alone() as servers:
        place = urlsplit(servers.database_url)
        url = await _with_another_superuser(servers.database_url)
        made = run_roles(url, secrets)
        assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
        owners = {"sojourn": ["sojourn"], "temporal": ["temporal", "temporal_visibility"]}
        for role, own in owners.items():
            password = (secrets / {"sojourn": "database_password"}.get(role, "temporal_password")).read_text().strip()
            for database in ("sojourn", "temporal", "temporal_visibility"):
                target = f"postgresql://{role}:{password}@{place.hostname}:{place.port}/{database}"
                if database in own:
                    connection = await asyncpg.connect(target)
                    await connection.execute("CREATE TABLE own (one int)")
                    await connection.close()
                else:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await asyncpg.connect(target)
        admin = await asyncpg.connect(url)
        rights = await admin.fetch(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname !~ '^pg_'"
        )
        assert {tuple(row) for row in rights if row["rolname"] in owners} == {
            (role, False, False, False) for role in owners
        }
        await admin.close()


@pytest.mark.parametrize("content", ["", "it's\n", "back\\slash\n"])
def test_a_password_that_cannot_be_written_down_is_refused(tmp_path: Path, content: str) -> None:
    secrets = made_secrets(tmp_path / "secrets")
    (secrets / "database_password").chmod(0o600)
    (secrets / "database_password").write_text(content)
    refused = run_roles("postgresql://nobody:x@127.0.0.1:1/postgres", secrets)
    assert refused.returncode == 1
    assert "The password of sojourn is empty or has a quote or a backslash in it." in refused.stderr
    assert content.strip() == "" or content.strip() not in refused.stderr
