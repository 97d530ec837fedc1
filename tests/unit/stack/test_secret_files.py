"""Secrets in files: how they are named, read and refused, and that nothing of them shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from secret_files import LARGEST, SecretFileError
from settings import CHECKOUT, FROM_FILES, PREFIX, LlmSettings, Settings, TracingSettings, load, told

KEY = "8f1b2c3d4e5f60718293a4b5c6d7e8f901234567"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def write(variable: str, content: bytes | str) -> Path:
        path = tmp_path / variable.lower()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        monkeypatch.setenv(f"{variable}_FILE", str(path))
        return path

    return write


def test_every_secret_may_stand_in_a_file(give) -> None:
    give("SOJOURN_DATABASE_URL", "postgresql://sojourn@db/sojourn\n")
    give("SOJOURN_DATABASE_PASSWORD", "p@ss/word: 100%\n")
    give("SOJOURN_DEPLOYMENT_KEY", KEY + "\n")
    give("SOJOURN_ADMIN_TOKEN", "sa_live_one\r\n")
    give("SOJOURN_LLM__ANTHROPIC_API_KEY", "first")
    give("SOJOURN_LLM__OPENAI_API_KEY", "second")
    give("SOJOURN_SECRET_SMTP_PASSWORD", " with spaces \n")
    settings = Settings()
    assert settings.database_url == "postgresql://sojourn:p%40ss%2Fword%3A%20100%25@db/sojourn"
    assert settings.database_password is None
    assert (settings.deployment_key, settings.admin_token) == (KEY, "sa_live_one")
    assert (settings.llm.anthropic_api_key, settings.llm.openai_api_key) == ("first", "second")
    assert settings.secrets == {"SMTP_PASSWORD": " with spaces "}


def test_what_is_kept_out_of_texts_may_stand_in_files() -> None:
    hidden = {PREFIX + name.upper() for name, field in Settings.model_fields.items() if field.repr is False}
    hidden |= {f"{PREFIX}LLM__{name.upper()}" for name, field in LlmSettings.model_fields.items() if not field.repr}
    hidden |= {
        f"{PREFIX}TRACING__{name.upper()}" for name, field in TracingSettings.model_fields.items() if not field.repr
    }
    assert hidden - {"SOJOURN_SECRETS", "SOJOURN_LLM"} == set(FROM_FILES)


def test_a_variable_that_ends_alike_is_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOJOURN_TLS_CERT_FILE", str(tmp_path / "chain.pem"))
    monkeypatch.setenv("SOJOURN_SECRET_FILE", "a secret called FILE")
    settings = Settings()
    assert settings.tls_cert_file == tmp_path / "chain.pem"
    assert settings.secrets == {"FILE": "a secret called FILE"}


def test_a_folder_of_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "SMTP_PASSWORD").write_text("one\n")
    (tmp_path / "TWILIO").write_text("two")
    (tmp_path / ".draft").write_text("three")
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("SOJOURN_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("SOJOURN_SECRET_SLACK", "four")
    settings = Settings()
    assert settings.secrets == {"SMTP_PASSWORD": "one", "TWILIO": "two", "SLACK": "four"}
    assert "SOJOURN_SECRETS_DIR" not in settings.child_environment()
    assert settings.child_environment()["SOJOURN_SECRET_TWILIO"] == "two"
    monkeypatch.setenv("SOJOURN_SECRET_TWILIO", "hush")
    with pytest.raises(
        SecretFileError, match="SOJOURN_SECRET_TWILIO is set and a file in SOJOURN_SECRETS_DIR, too"
    ) as e:
        Settings()
    assert "hush" not in str(e.value)


def test_a_folder_that_is_not_there_names_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOJOURN_SECRETS_DIR", str(tmp_path / "nothing"))
    with pytest.raises(
        SecretFileError, match=r"SOJOURN_SECRETS_DIR names .*nothing, which cannot be read: No such file"
    ):
        Settings()
    (tmp_path / "EMPTY").write_text("")
    monkeypatch.setenv("SOJOURN_SECRETS_DIR", str(tmp_path))
    with pytest.raises(SecretFileError, match=r"SOJOURN_SECRETS_DIR names .*EMPTY, which is empty"):
        Settings()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "which is empty"),
        (b" \n", "which is empty"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"ab\0cd", "a null byte"),
        (b"x" * (LARGEST + 1), "larger than 64 KiB"),
    ],
)
def test_files_that_hold_no_secret_are_refused(give, content: bytes, words: str) -> None:
    path = give("SOJOURN_ADMIN_TOKEN", content)
    with pytest.raises(SecretFileError, match=words) as refused:
        Settings()
    assert str(refused.value).startswith(f"SOJOURN_ADMIN_TOKEN_FILE names {path}")


def test_a_file_that_is_not_there_names_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOJOURN_SECRET_SMTP_FILE", str(tmp_path / "nothing"))
    with pytest.raises(SystemExit) as ended:
        load()
    assert ended.value.code == (
        f"SOJOURN_SECRET_SMTP_FILE names {tmp_path / 'nothing'}, which cannot be read: No such file or directory."
    )
    monkeypatch.setenv("SOJOURN_SECRET_SMTP_FILE", str(tmp_path))
    with pytest.raises(SecretFileError, match="cannot be read: Is a directory"):
        Settings()


def test_one_secret_in_two_places_is_refused(give, monkeypatch: pytest.MonkeyPatch) -> None:
    give("SOJOURN_DEPLOYMENT_KEY", KEY)
    monkeypatch.setenv("SOJOURN_DEPLOYMENT_KEY", "hush")
    with pytest.raises(
        SecretFileError, match="SOJOURN_DEPLOYMENT_KEY and SOJOURN_DEPLOYMENT_KEY_FILE are both set"
    ) as e:
        Settings()
    assert "hush" not in str(e.value)
    monkeypatch.setenv("SOJOURN_DEPLOYMENT_KEY", "")
    assert Settings().deployment_key == KEY


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://sojourn:hush@db/sojourn", "has a password already"),
        ("postgresql://db/sojourn", "names no user"),
        ("", "is of no use without SOJOURN_DATABASE_URL"),
    ],
)
def test_a_password_that_belongs_nowhere_is_refused(give, monkeypatch, url: str, words: str) -> None:
    give("SOJOURN_DATABASE_PASSWORD", "hush")
    monkeypatch.setenv("SOJOURN_DATABASE_URL", url)
    with pytest.raises(ValidationError, match=words) as refused:
        Settings()
    assert "hush" not in str(refused.value)
    assert "hush" not in "".join(told(refused.value))


def test_refusals_do_not_show_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOJOURN_DATABASE_URL", "SOJOURN_ADMIN_TOKEN", "SOJOURN_DEPLOYMENT_KEY", "SOJOURN_SECRET_A"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("SOJOURN_MODE", "production")
    monkeypatch.setenv("SOJOURN_WORKER_SLOTS__SEND", "many")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "hush" not in str(refused.value)
    assert told(refused.value) == [
        "SOJOURN_WORKER_SLOTS__SEND: Input should be a valid integer, unable to parse string as an integer"
    ]


def test_a_process_started_for_settings_from_files_reads_the_same(give, monkeypatch: pytest.MonkeyPatch) -> None:
    give("SOJOURN_DATABASE_URL", "postgresql://sojourn@db/sojourn")
    give("SOJOURN_DATABASE_PASSWORD", "one")
    give("SOJOURN_SECRET_SMTP", "two")
    settings = Settings()
    child = settings.child_environment()
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name, value in child.items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.parametrize("arguments", [["-m", "api.app"], ["worker.py"], ["cli.py", "setup"]])
def test_the_processes_end_with_the_name_of_the_variable(arguments: list[str], tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "SOJOURN_DEPLOYMENT_KEY_FILE": str(tmp_path / "key"), "HOME": "/"}
    ended = subprocess.run(
        [sys.executable, *arguments], check=False, cwd=CHECKOUT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert " ".join(ended.stderr.split()) == (
        f"SOJOURN_DEPLOYMENT_KEY_FILE names {tmp_path / 'key'}, which cannot be read: No such file or directory."
    )
