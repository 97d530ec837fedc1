"""Settings: what is read from the environment, and what production mode refuses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from settings import Settings, default_cache_dir, key_bytes

GOOD_KEY = "8f1b2c3d4e5f60718293a4b5c6d7e8f901234567"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOJOURN_DATABASE_URL", "SOJOURN_TEMPORAL_ADDRESS", "SOJOURN_DATA_DIR", "SOJOURN_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)


def production(**changes: object) -> Settings:
    given = {
        "mode": "production",
        "database_url": "postgresql://db/sojourn",
        "temporal_address": "temporal:7233",
        "public_url": "https://go.example.com/",
        "deployment_key": GOOD_KEY,
    }
    return Settings(**{**given, **changes})


def test_defaults_are_a_local_stack() -> None:
    settings = Settings()
    assert (settings.mode, settings.api_port, settings.max_cached_workflows) == ("development", 8010, 600)
    assert settings.data_dir.name == ".sojourn"
    assert settings.cache_dir == default_cache_dir()
    assert settings.link_base_url == "http://127.0.0.1:8010"


def test_everything_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_API_PORT", "0")
    monkeypatch.setenv("SOJOURN_AMBIGUOUS_RESEND", "on")
    monkeypatch.setenv("SOJOURN_WORKER_SLOTS__SEND_NOW", "7")
    monkeypatch.setenv("SOJOURN_RETENTION__LOG_DAYS", "3")
    monkeypatch.setenv("SOJOURN_SECRET_TWILIO", "t0ken")
    monkeypatch.setenv("SOJOURN_DATABASE_URL", "")
    settings = Settings()
    assert settings.api_port == 0
    assert settings.ambiguous_resend is True
    assert (settings.worker_slots.send_now, settings.worker_slots.send) == (7, 50)
    assert (settings.retention.log_days, settings.retention.contents_days) == (3, 90)
    assert settings.secrets["TWILIO"] == "t0ken"
    assert settings.database_url is None


def test_another_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_WORKER_SLOTS__SEND", "9")
    monkeypatch.setenv("SOJOURN_FAULT", "deliver.after_provider:2")
    settings = Settings(api_port=4711, secrets={"A": "b"}, database_url="postgresql://x/y")
    environment = settings.child_environment()
    assert environment["SOJOURN_FAULT"] == "deliver.after_provider:2"
    for name in ("SOJOURN_WORKER_SLOTS__SEND", "SOJOURN_FAULT"):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_secrets_are_not_in_the_text_of_the_settings() -> None:
    settings = Settings(
        secrets={"A": "hush"}, deployment_key="hush", admin_token="hush", database_url="postgresql://u:hush@h/d"
    )
    assert "hush" not in repr(settings)


def test_every_field_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_production_takes_a_whole_deployment() -> None:
    settings = production()
    assert settings.link_base_url == "https://go.example.com"
    assert settings.secret_key() == GOOD_KEY.encode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"deployment_key": None}, "SOJOURN_DEPLOYMENT_KEY must be set"),
        ({"deployment_key": "changeme"}, "too short or too plain"),
        ({"deployment_key": "0" * 64}, "too short or too plain"),
        ({"admin_token": "sa_live_admin"}, "SOJOURN_ADMIN_TOKEN is too short or too plain"),
        ({"database_url": None}, "SOJOURN_DATABASE_URL"),
        ({"temporal_address": None, "public_url": None}, "SOJOURN_TEMPORAL_ADDRESS, SOJOURN_PUBLIC_URL"),
    ],
)
def test_production_refuses_defaults(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        production(**changes)


def test_a_key_in_hexadecimal_is_its_bytes() -> None:
    assert key_bytes("ab" * 32) == b"\xab" * 32
    assert key_bytes("abcd") == b"abcd"
    assert key_bytes("not hexadecimal") == b"not hexadecimal"
