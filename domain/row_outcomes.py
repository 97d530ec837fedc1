"""What became of a row of a file, in the words of its report (PPL-45)."""

from __future__ import annotations

from typing import NamedTuple

from domain.operations import AnyOperation, Identify, ImportRef, SegmentMember
from domain.outcomes import Done

SUPPRESSED = "The identifier is suppressed."
NOBODY = "Person does not exist"


class RowOutcome(NamedTuple):
    """A row that was settled: `created`, `updated`, `ignored` or `failed`, why it failed, what is odd about it."""

    row: ImportRef
    outcome: str
    error: str | None = None
    warning: str | None = None


def row_outcome(operation: AnyOperation, done: Done, *, created: bool) -> RowOutcome | None:
    """What to write to the row that an operation comes from; None where that is not this operation's to say."""
    if operation.row is None or isinstance(operation, SegmentMember):
        return None
    row = operation.row
    if done.outcome == "applied":
        return RowOutcome(row, "created" if created else "updated", warning=done.note)
    if done.outcome == "suppressed":
        return RowOutcome(row, "failed", SUPPRESSED)
    if done.outcome == "ignored" and getattr(operation, "create_only", False):
        return RowOutcome(row, "ignored")
    nobody = isinstance(operation, Identify) and done.person_id is None and operation.update_only
    note = (done.note or done.outcome).removesuffix(".")
    return RowOutcome(row, "failed", NOBODY if nobody or note == NOBODY else done.note or done.outcome)


__all__ = ["RowOutcome", "row_outcome"]
