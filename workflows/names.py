"""Names that stand in the histories of journeys that live for months, and so never change."""

from __future__ import annotations

from typing import Final

from temporalio.common import SearchAttributeKey

JOURNEY_WORKFLOW: Final = "journey"
TASK_WORKFLOW: Final = "task"
SEND_WORKFLOW: Final = "send"
BROADCAST_WORKFLOW: Final = "broadcast"
WAKE_SIGNAL: Final = "wake"

JOURNEYS_QUEUE: Final = "journeys"
SEND_QUEUE: Final = "send"
SEND_NOW_QUEUE: Final = "send-now"
SEND_BULK_QUEUE: Final = "send-bulk"
TASKS_QUEUE: Final = "tasks"

WORKSPACE: Final = SearchAttributeKey.for_int("workspace")
CAMPAIGN: Final = SearchAttributeKey.for_keyword("campaign")
PERSON: Final = SearchAttributeKey.for_keyword("person")
OUTCOME: Final = SearchAttributeKey.for_keyword("outcome")

SUMMARY_BYTES = 180


def summary(text: str | None) -> str | None:
    """A label cut to what Temporal takes as a summary, which is counted in bytes."""
    return None if text is None else text.encode()[:SUMMARY_BYTES].decode(errors="ignore")


__all__ = [
    "BROADCAST_WORKFLOW",
    "CAMPAIGN",
    "JOURNEYS_QUEUE",
    "JOURNEY_WORKFLOW",
    "OUTCOME",
    "PERSON",
    "SEND_BULK_QUEUE",
    "SEND_NOW_QUEUE",
    "SEND_QUEUE",
    "SEND_WORKFLOW",
    "TASKS_QUEUE",
    "TASK_WORKFLOW",
    "WAKE_SIGNAL",
    "WORKSPACE",
    "summary",
]
