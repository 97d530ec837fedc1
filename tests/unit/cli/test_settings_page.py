"""The page about settings says what `settings.py` says."""

from __future__ import annotations

import pytest

from settings import CHECKOUT
from tests.unit.cli.settings_rows import rows

PAGE = (CHECKOUT / "docs" / "settings.md").read_text().splitlines()


@pytest.mark.parametrize("row", list(rows()))
def test_every_setting_is_documented(row: str) -> None:
    assert row in PAGE, f"docs/settings.md has to hold this line:\n{row}"


def test_nothing_else_is_documented() -> None:
    assert [line for line in PAGE if line.startswith("| `SOJOURN_")] == list(rows())
