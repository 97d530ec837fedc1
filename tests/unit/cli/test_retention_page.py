"""The page about retention says of every table what bounds it."""

from __future__ import annotations

import re

from sqlmodel import SQLModel

import models
from settings import CHECKOUT

PAGE = (CHECKOUT / "docs" / "retention.md").read_text()


def test_every_table_is_in_the_list_of_what_bounds_it():
    assert models.__all__
    _, _, listed = PAGE.partition("## Every table")
    rows = [line.split("|")[1:-1] for line in listed.splitlines() if line.startswith("| `")]
    told = {name: bounded.strip() for names, _, bounded in rows for name in re.findall(r"`(\w+)`", names)}
    assert [name for name in sorted(SQLModel.metadata.tables) if not told.get(name)] == []


def test_every_setting_is_told():
    from settings import Retention

    for name in Retention.model_fields:
        assert f"`SOJOURN_RETENTION__{name.upper()}`" in PAGE
