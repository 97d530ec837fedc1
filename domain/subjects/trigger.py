"""`trigger`: data of what triggered the journey, as Liquid sees it (CMP-07 to CMP-09)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from domain.facts import Facts
from domain.subjects.base import RecordSubject


@dataclass(frozen=True)
class TriggerData(RecordSubject):
    """A comparison on a payload, or on the object, relationship and person as they were at the trigger."""

    root: ClassVar[str] = "trigger"

    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The trigger's data."""
        data = facts.journey.trigger if facts.journey is not None else None
        return data or {}
