"""`object` and `relationship`: what triggered the journey, as it is now (CMP-07, CMP-08)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from domain.condition_keys import RELATED, Keys
from domain.facts import Facts
from domain.subjects.base import RecordSubject


@dataclass(frozen=True)
class _Triggering(RecordSubject):
    def keys(self) -> Keys:
        """Objects and relationships, and the attributes that operands are looked up in."""
        return Keys(records=frozenset({RELATED})) | super().keys()


@dataclass(frozen=True)
class TriggeringObject(_Triggering):
    """A comparison on the triggering object; one that is gone has no attributes."""

    root: ClassVar[str] = "object"

    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The object's attributes."""
        found = facts.journey.object if facts.journey is not None else None
        return found or {}


@dataclass(frozen=True)
class TriggeringRelationship(_Triggering):
    """A comparison on this person's relationship to the triggering object."""

    root: ClassVar[str] = "relationship"

    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The relationship's attributes."""
        found = facts.journey.relationship if facts.journey is not None else None
        return found or {}
