"""Which tests of the last release run on the new schema, and which cannot, and why."""

from __future__ import annotations

from typing import Final

QUICK: Final = ("tests/store", "tests/ingest")
FULL: Final = (
    *QUICK,
    "tests/services",
    "tests/api",
    "tests/workflows",
    "tests/e2e/test_first_journey.py",
    "tests/e2e/test_chn_email.py",
    "tests/e2e/test_chn_transactional.py",
    "tests/e2e/test_chn_broadcasts.py",
    "tests/e2e/test_cmp_entry.py",
    "tests/e2e/test_cmp_lifecycle.py",
    "tests/e2e/test_ppl_files.py",
    "tests/e2e/test_live_edits.py",
    "tests/e2e/test_normal_workspace.py",
)
DESELECTED: Final = {
    "tests/store/test_schema.py::test_migrations_make_what_the_models_describe": (
        "compares the schema with the models column by column; a newer schema has more, which is the point"
    ),
}


def arguments(*, quick: bool) -> list[str]:
    """What pytest is told."""
    chosen = list(QUICK if quick else FULL)
    return [*chosen, *(f"--deselect={test}" for test in DESELECTED), "-q", "--durations=0", "--durations-min=30"]


__all__ = ["DESELECTED", "FULL", "QUICK", "arguments"]
