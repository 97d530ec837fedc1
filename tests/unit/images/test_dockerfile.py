"""The Dockerfile and `.dockerignore`: pinned, small, not root, whole."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from settings import CHECKOUT, Settings
from tests.support.image import build, copied, dockerfile, dockerignore, removed
from tests.support.locked import production

OUTSIDE = {"bench", "deploy", "docs", "examples", "stack", "tests", "upgrade"}
"""Folders of the checkout that no process of a deployment runs from."""
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


def test_both_stages_are_of_one_pinned_python() -> None:
    builder, final = dockerfile()
    assert builder.base == final.base
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", final.base)
    assert builder.name == "builder"


def test_the_final_image_is_not_root_and_takes_only_what_was_built() -> None:
    final = dockerfile()[1]
    assert [line.text for line in final.all("COPY")] == [
        "--from=builder /opt/venv /opt/venv",
        "--from=builder /app /app",
    ]
    assert final.instructions.index(final.all("USER")[0]) > final.instructions.index(final.all("COPY")[-1])
    assert [line.text for line in final.all("USER")] == ["10001:10001"]
    assert "--uid 10001 --gid 10001 --no-create-home" in final.all("RUN")[0].text
    assert [line.text for line in final.all("WORKDIR")] == ["/app"]


def test_what_is_installed_comes_from_the_lock_without_the_local_stack() -> None:
    installs = [line.text for line in dockerfile()[0].all("RUN") if "uv sync" in line.text]
    assert all("uv sync --frozen --no-default-groups" in text for text in installs)
    assert [text for text in installs if "--no-install-project" in text] == installs[:1]
    assert any(re.search(r"pip install .* uv==\d+\.\d+\.\d+$", line.text) for line in dockerfile()[0].all("RUN"))
    groups = PROJECT["dependency-groups"]
    assert set(PROJECT["tool"]["uv"]["default-groups"]) == set(groups)
    local = {re.split(r"[^a-z-]", text)[0] for group in groups.values() for text in group}
    assert local & production() <= {"certifi"}
    assert {"temporalio", "asyncpg", "mini-racer"} <= production()


def test_settings_of_the_image_are_settings() -> None:
    given = {name: value for name, value in dockerfile()[1].environment().items() if name.startswith("SOJOURN_")}
    assert given == {"SOJOURN_HOST": "0.0.0.0", "SOJOURN_MODE": "production"}
    assert {name.removeprefix("SOJOURN_").lower() for name in given} <= set(Settings.model_fields)
    ports = {str(Settings.model_fields[name].default) for name in ("api_port", "api_tls_port", "worker_port")}
    assert set(dockerfile()[1].all("EXPOSE")[0].words()) == ports


def test_it_is_labelled_as_what_it_is() -> None:
    labels = dict(word.split("=", 1) for line in dockerfile()[1].all("LABEL") for word in line.words())
    assert labels["org.opencontainers.image.version"] == PROJECT["project"]["version"]
    assert labels["org.opencontainers.image.licenses"] == PROJECT["project"]["license"]["text"]


def test_everything_that_is_copied_exists_and_is_let_through() -> None:
    out = dockerignore()
    for source, _ in copied():
        assert (CHECKOUT / source).exists(), source
        assert not out(source), source


def test_the_image_holds_every_package_and_module_of_the_product() -> None:
    sources = {source for source, _ in copied()}
    modules = {path.name for path in CHECKOUT.glob("*.py")}
    packages = {path.parent.name for path in CHECKOUT.glob("*/__init__.py")} - OUTSIDE
    assert {name for name in sources if name.endswith(".py")} == modules
    assert {name for name in sources if (CHECKOUT / name).is_dir()} == packages
    assert {f"{name}.py" for name in PROJECT["tool"]["setuptools"]["py-modules"]} == modules


@pytest.mark.parametrize(
    "path",
    [
        *(".git/config", ".venv/bin/python", ".sojourn/secret", "secrets/admin_token", ".env", "sojourn.env"),
        *("tests/conftest.py", "stack/up.py", "bench/__main__.py", "docs/index.md", "examples/shop/shop.yaml"),
        *("api/__pycache__/app.cpython-311.pyc", "domain/blocks/__pycache__/x.pyc", "Makefile", "docker-compose.yml"),
    ],
)
def test_what_stays_out(path: str) -> None:
    assert dockerignore()(path)


def test_the_layout_holds_no_more_than_what_runs(tmp_path: Path) -> None:
    build(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {source for source, _ in copied()} - set(removed())
    assert not names & OUTSIDE
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {
        *("", ".py", ".ini", ".mako", ".html", ".css", ".js", ".svg", ".json", ".txt", ".sql")
    }
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 6_000_000


def test_the_command_is_the_api() -> None:
    (command,) = dockerfile()[1].all("CMD")
    assert command.text == '["python", "-m", "api.app"]'
    assert dockerfile()[1].all("ENTRYPOINT") == []
