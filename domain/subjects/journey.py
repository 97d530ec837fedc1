"""`journey`: attributes of the journey (ACT-25)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from domain.facts import Facts
from domain.subjects.base import RecordSubject


@dataclass(frozen=True)
class JourneyAttribute(RecordSubject):
    """A comparison on an attribute that blocks of the journey have set."""

    root: ClassVar[str] = "journey"

    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The journey's attributes."""
        return facts.journey.attributes if facts.journey is not None else {}
