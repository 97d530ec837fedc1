"""Names that stand in the histories of journeys that live for months, and so never change."""

from __future__ import annotations

from typing import Final

from temporalio.common import SearchAttributeKey

JOURNEY_WORKFLOW: Final = "journey"
WAKE_SIGNAL: Final = "wake"

JOURNEYS_QUEUE: Final = "journeys"
SEND_QUEUE: Final = "send"
SEND_NOW_QUEUE: Final = "send-now"
SEND_BULK_QUEUE: Final = "send-bulk"

WORKSPACE: Final = SearchAttributeKey.for_int("workspace")
CAMPAIGN: Final = SearchAttributeKey.for_keyword("campaign")
PERSON: Final = SearchAttributeKey.for_keyword("person")
OUTCOME: Final = SearchAttributeKey.for_keyword("outcome")

SUMMARY_BYTES = 180


def summary(text: str | None) -> str | None:
    """A label cut to what Temporal takes as a summary, which is counted in bytes."""
    return None if text is None else text.encode()[:SUMMARY_BYTES].decode(errors="ignore")


__all__ = [
    "CAMPAIGN",
    "JOURNEYS_QUEUE",
    "JOURNEY_WORKFLOW",
    "OUTCOME",
    "PERSON",
    "SEND_BULK_QUEUE",
    "SEND_NOW_QUEUE",
    "SEND_QUEUE",
    "WAKE_SIGNAL",
    "WORKSPACE",
    "summary",
]
