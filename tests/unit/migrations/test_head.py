"""The newest revision, told cheaply, is the one the migration tool means."""

from __future__ import annotations

from alembic.script import ScriptDirectory

import migrations
from settings import CHECKOUT


def test_the_last_file_by_name_is_the_only_head():
    assert ScriptDirectory(str(CHECKOUT / "migrations")).get_heads() == [migrations.head()]
