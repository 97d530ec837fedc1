"""The schema's history: one file a revision, named by its date, so that the last by name is the newest."""

from pathlib import Path


def head() -> str:
    """The revision that this code is made for, told without loading the migration tool."""
    return max(known())


def known() -> frozenset[str]:
    """All revisions that this code knows."""
    return frozenset(path.stem for path in (Path(__file__).parent / "versions").glob("*.py"))


def is_newer(revision: str | None, needed: str) -> bool:
    """Whether a schema has been brought further than code that needs `needed` knows."""
    return revision is not None and revision > needed


def suffices(revision: str | None, needed: str | None) -> bool:
    """Whether code that needs the revision `needed` can work on a schema: on its own, and on every newer one.

    Migrations only add, so a newer schema has all that older code asks for.
    """
    return revision == needed or (needed is not None and is_newer(revision, needed))
