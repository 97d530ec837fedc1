"""`event`: the data of the event that started the journey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from domain.facts import Facts
from domain.subjects.base import RecordSubject


@dataclass(frozen=True)
class TriggerEvent(RecordSubject):
    """A comparison on the data of the triggering event or submission; missing data where there is none."""

    root: ClassVar[str] = "event"

    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The triggering event's data."""
        event = facts.journey.trigger_event if facts.journey else None
        return event.data if event else {}
