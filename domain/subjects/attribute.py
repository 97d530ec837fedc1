"""`attribute`: the person's profile attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from domain.condition_keys import Keys
from domain.facts import Facts
from domain.subjects.base import RecordSubject


@dataclass(frozen=True)
class Attribute(RecordSubject):
    """A comparison on a profile attribute (PPL-31)."""

    root: ClassVar[str] = "attribute"

    def record(self, facts: Facts) -> Mapping[str, Any]:
        """The profile."""
        return facts.attributes

    def keys(self) -> Keys:
        """The attribute, and those that operands are looked up in."""
        return Keys(attributes=self.comparison.path.keys) | super().keys()
