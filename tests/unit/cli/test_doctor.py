"""`sojourn doctor` where nothing is there, its settings, its statuses, and the page that it points to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.app import main
from console.doctoring import read_settings
from services.doctor import ANCHORS, PAGE, Finding, status
from services.doctor.temporal import FOLLOWS
from services.health import ROLES
from settings import CHECKOUT
from tests.unit.cli.test_documented_commands import anchors

NOWHERE = "postgresql://sojourn:secret@127.0.0.1:1/sojourn"


def test_every_anchor_is_a_part_of_the_page_and_every_part_is_an_anchor() -> None:
    assert anchors(CHECKOUT / PAGE) - {"troubleshooting"} == set(ANCHORS)


def test_it_is_known_what_follows_from_each_role() -> None:
    assert set(FOLLOWS) == ROLES


@pytest.mark.parametrize(
    ("levels", "expected"),
    [(["ok", "ok"], 0), (["ok", "warning"], 2), (["unknown"], 2), (["warning", "failure", "unknown"], 1)],
)
def test_statuses(levels: list[str], expected: int) -> None:
    assert status([Finding("some", level, "") for level in levels]) == expected  # type: ignore[arg-type]


def test_without_any_server_it_says_so_and_nothing_is_thrown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SOJOURN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SOJOURN_DATABASE_URL", NOWHERE)
    monkeypatch.setenv("SOJOURN_TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("SOJOURN_PUBLIC_URL", "http://127.0.0.1:1")
    assert main(["doctor"]) == 1
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err
    assert "secret" not in printed.out
    for anchor in ("database-does-not-answer", "temporal-does-not-answer", "api-errors"):
        assert f"see:     docs/troubleshooting.md#{anchor}" in printed.out
    assert "unknown  flow.facts                       not looked at: the database does not answer" in printed.out


def test_where_nobody_knows_the_servers_it_says_that(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("SOJOURN_DATA_DIR", str(tmp_path))
    for name in ("SOJOURN_DATABASE_URL", "SOJOURN_TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    assert main(["doctor", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    found = {finding["check"]: finding for finding in answer["findings"]}
    assert answer["status"] == 1
    assert found["database"]["level"] == found["temporal"]["level"] == "failure"
    assert "nobody knows where it is" in found["database"]["summary"]
    assert found["database"]["link"] == "docs/troubleshooting.md#database-does-not-answer"


def test_settings_that_cannot_be_right_are_named_and_the_others_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_API_PORT", "many")
    monkeypatch.setenv("SOJOURN_RETENTION__LOG_DAYS", "0")
    monkeypatch.setenv("SOJOURN_DATABASE_URL", NOWHERE)
    settings, findings = read_settings()
    assert settings.database_url == NOWHERE
    assert [finding.level for finding in findings] == ["failure", "failure"]
    assert {finding.summary.split(":")[0] for finding in findings} == {
        "SOJOURN_API_PORT",
        "SOJOURN_RETENTION__LOG_DAYS",
    }


def test_settings_unfit_for_production_are_named_and_used_none_the_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_MODE", "production")
    monkeypatch.setenv("SOJOURN_DATABASE_URL", NOWHERE)
    monkeypatch.setenv("SOJOURN_TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("SOJOURN_PUBLIC_URL", "https://mail.example.com")
    monkeypatch.setenv("SOJOURN_DEPLOYMENT_KEY", "a" * 64)
    settings, [finding] = read_settings()
    assert settings.temporal_address == "127.0.0.1:1"
    assert finding.level == "failure"
    assert finding.summary.startswith("SOJOURN_DEPLOYMENT_KEY is too short or too plain")
    assert "aaaa" not in str(finding)


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOJOURN_DEPLOYMENT_KEY_FILE", str(tmp_path / "gone"))
    monkeypatch.setenv("SOJOURN_DATABASE_URL", NOWHERE)
    settings, [finding] = read_settings()
    assert settings.database_url == NOWHERE
    assert (finding.level, "SOJOURN_DEPLOYMENT_KEY_FILE" in finding.summary) == ("failure", True)
