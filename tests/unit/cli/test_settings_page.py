"""The page about settings says what `settings.py` says."""

from __future__ import annotations

import pytest

from secret_files import SUFFIX
from settings import CHECKOUT, FROM_FILES, SECRET_PREFIX
from tests.unit.cli.settings_rows import rows

PAGE = (CHECKOUT / "docs" / "settings.md").read_text().splitlines()


@pytest.mark.parametrize("row", list(rows()))
def test_every_setting_is_documented(row: str) -> None:
    assert row in PAGE, f"docs/settings.md has to hold this line:\n{row}"


def test_nothing_else_is_documented() -> None:
    table = [line for line in PAGE if line.startswith("| `SOJOURN_") and line.count("|") == 4]
    assert table == list(rows())


def test_what_may_stand_in_files_is_documented() -> None:
    documented = [line.split("`")[1] for line in PAGE if line.startswith("| `SOJOURN_") and line.count("|") == 3]
    assert documented == [name + SUFFIX for name in (*FROM_FILES, f"{SECRET_PREFIX}<NAME>")]
