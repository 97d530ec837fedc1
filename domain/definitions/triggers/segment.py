"""Attribute or segment: people enter the moment conditions hold (CMP-02)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import StrictBool, field_validator

from domain.conditions import Condition
from domain.definitions.triggers.base import Mode, PlacedCondition, TriggerBase
from domain.documents import Refusal, refused


class SegmentTrigger(TriggerBase):
    """Entry the moment the conditions hold, however old the data."""

    single: ClassVar[bool] = True
    modes: ClassVar[tuple[Mode, ...]] = ("once", "every", "interval")
    filtered: ClassVar[bool] = False
    takes_current: ClassVar[bool] = True
    rechecked: ClassVar[bool] = True

    type: Literal["segment"]
    conditions: Condition
    legacy: StrictBool = False

    @field_validator("legacy")
    @classmethod
    def _modern(cls, legacy: bool) -> bool:
        if legacy:
            raise refused(
                Refusal("legacy_not_creatable", "Campaigns with match-time semantics cannot be made.", (), legacy)
            )
        return legacy

    def placed(self) -> Iterator[PlacedCondition]:
        """What somebody has to match."""
        yield PlacedCondition("/conditions", self.conditions, "trigger")
